"""The command `forecast` into a folder."""

import pandas as pd
import pytest
from scale_cases import sales, with_bad

WORDS = ["--horizon", 2, "--checkpoint", "timer-s1-test"]


@pytest.fixture
def table(tmp_path):
    sales().to_parquet(tmp_path / "sales.parquet")
    return "sales.parquet"


def test_a_folder_has_the_forecast_of_a_file(run, table):
    words = ["forecast", table, *WORDS, "--id-column", "shop"]
    assert run(*words, "--output", "whole.parquet")[0] == 0
    code, out, err = run(*words, "--output", "out/", "--partition-rows", 100)
    assert code == 0
    assert out.startswith("Forecast 2 steps of 6 series in ")
    assert out.endswith("s -> out\n")
    assert "sales.parquet: 279 rows, streamed\n  times: 'day'\n  ids: 'shop'" in err
    found, whole = pd.read_parquet("out/forecast"), pd.read_parquet("whole.parquet")
    pd.testing.assert_frame_equal(found, whole, check_exact=False, rtol=1e-6)


def test_paths_go_to_a_folder(run, table):
    words = ["forecast", table, *WORDS, "--id-column", "shop", "--paths", 3]
    assert run(*words, "--output", "out", "--quiet")[::2] == (0, "")
    assert run(*words, "--output", "whole.parquet")[0] == 0
    found, whole = pd.read_parquet("out/forecast"), pd.read_parquet("whole.parquet")
    pd.testing.assert_frame_equal(found, whole, check_exact=False, rtol=1e-5)


def test_series_that_are_left_out_are_listed(run, tmp_path):
    with_bad(sales(2)).to_csv(tmp_path / "sales.csv", index=False)
    words = ["forecast", "sales.csv", *WORDS, "--id-column", "shop"]
    code, _, err = run(*words, "--output", "out")
    assert code == 3
    assert "2 of 4 series left out, with the reasons in out/rejected:" in err
    assert "shop 't-empty': target 'sold': has no value" in err


def test_a_refused_file_is_sorted_as_advised_into_the_same_folder(run, tmp_path):
    table = sales(4).sort_values("day")
    table.to_csv(tmp_path / "mixed.csv", index=False)
    words = [*WORDS, "--id-column", "shop", "--output", "out"]
    code, _, err = run("forecast", "mixed.csv", *words)
    assert code == 2
    assert "sort its lines" in err
    table.sort_values("shop").to_csv(tmp_path / "sorted.csv", index=False)
    assert run("forecast", "sorted.csv", *words)[0] == 0


def test_a_run_without_any_forecast_is_an_error(run, tmp_path):
    sales(2).assign(sold=float("nan")).to_parquet(tmp_path / "sales.parquet")
    code, _, err = run(
        "forecast", "sales.parquet", *WORDS, "--id-column", "shop", "--output", "out"
    )
    assert code == 2
    assert "no series could be forecast: shop 's000': target 'sold': has no value" in err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--output", "out"], "give --id-column"),
        (["--id-column", "shop", "--output", "out", "--plot", "a.png"], "--plot needs all series"),
        (
            ["--id-column", "shop", "--output", "out", "--future", "a.csv"],
            "rows of DATA with empty",
        ),
        (["--id-column", "store", "--output", "out"], "--id-column: there is no column 'store'"),
        (["--id-column", "shop", "--output", "a.csv", "--partition-rows", 5], "a folder"),
        (["--id-column", "shop", "--output", "out", "--partition-rows", 0], "at least 1"),
        (["--id-column", "shop", "--output", "out", "--seed", 3], "give --paths N too"),
        (
            ["--id-column", "shop", "--output", "out", "--paths", 2, "--levels", "0.5"],
            "paths have no quantiles",
        ),
    ],
)
def test_words_that_cannot_be_meant_are_refused(run, table, words, text):
    code, _, err = run("forecast", table, *WORDS, *words)
    assert code == 2
    assert text in err


def test_a_folder_of_data_needs_a_folder_as_output(run, table, tmp_path):
    words = ["forecast", tmp_path, *WORDS, "--id-column", "shop"]
    assert "is a folder, which is streamed: give --output a folder" in run(*words)[2]
    assert "lies in DATA" in run(*words, "--output", "out")[2]


def test_standard_input_has_to_be_saved_first(run):
    words = ["forecast", "-", *WORDS, "--id-column", "shop", "--output", "out"]
    code, _, err = run(*words)
    assert code == 2
    assert "the standard input cannot be streamed: save it to a file first" in err
