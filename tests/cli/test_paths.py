"""The command writes joint paths in place of quantiles."""

import numpy as np
import pandas as pd
import pytest
from cli_words import write

from timer_forecaster import ForecastPipeline

MODEL = ["--checkpoint", "timer-s1-test", "--horizon", 4, "--quiet", "--id-column", "shop"]


@pytest.fixture
def shops(tmp_path):
    days = pd.date_range("2024-01-01", periods=80, freq="D")
    random = np.random.default_rng(0)
    frame = pd.concat(
        [pd.DataFrame({"shop": shop, "day": days, "sold": random.normal(size=80)}) for shop in "ba"]
    )
    frame.to_csv(tmp_path / "shops.csv", index=False)
    return frame


def read(name):
    kind = name.split(".")[1]
    readers = {"parquet": pd.read_parquet, "xlsx": pd.read_excel, "json": pd.read_json}
    if kind in readers:
        return readers[kind](name)
    return pd.read_csv(name, sep="\t" if kind == "tsv" else ",")


@pytest.mark.parametrize(
    "name", ["paths.csv", "paths.tsv", "paths.csv.gz", "paths.json", "paths.parquet", "paths.xlsx"]
)
def test_a_long_table_in_every_format(run, shops, name):
    words = ["forecast", "shops.csv", *MODEL, "--paths", 6, "--output", name]
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert out.startswith("Forecast 4 steps of 2 series in ")
    table = read(name)
    assert table.columns.tolist() == ["shop", "target", "path", "day", "value"]
    assert table["path"].tolist() == np.tile(np.repeat(range(6), 4), 2).tolist()
    pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    expected = pipe.sample_paths_frame(
        shops, 4, 6, time_column="day", id_column="shop", random_state=0
    )
    np.testing.assert_allclose(table["value"], expected["value"], rtol=1e-8)
    assert table["shop"].tolist() == expected["shop"].tolist()


def test_seeds_and_past_windows(run, shops):
    for name, words in {"a": [], "b": ["--seed", 0], "c": ["--seed", 1]}.items():
        run("forecast", "shops.csv", *MODEL, "--paths", 5, *words, "--output", f"{name}.csv")
    a, b, c = (pd.read_csv(f"{name}.csv")["value"] for name in "abc")
    assert (a == b).all() and (a != c).any()
    words = ["--paths", 40, "--past-windows", 4, "--output", "w.csv"]
    assert run("forecast", "shops.csv", *MODEL, *words)[0] == 0
    pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    names = {"time_column": "day", "id_column": "shop"}
    expected = pipe.sample_paths_frame(shops, 4, 40, **names, random_state=0, past_windows=4)
    np.testing.assert_allclose(pd.read_csv("w.csv")["value"], expected["value"], rtol=1e-8)


@pytest.mark.usefixtures("shops")
def test_without_an_output_the_first_rows_are_printed(run):
    code, out, _ = run("forecast", "shops.csv", *MODEL, "--paths", 10)
    assert code == 0
    assert "path" in out.splitlines()[0] and "... and 68 more rows" in out


@pytest.mark.usefixtures("shops")
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--seed", 1], "--seed is about sample paths: give --paths N too"),
        (["--past-windows", 1], "--past-windows is about sample paths"),
        (["--paths", 5, "--levels", "0.5"], "--paths and --levels"),
        (["--paths", 5, "--plot", "a.png"], "--paths and --plot"),
        (["--paths", 0], "paths=0"),
        (["--paths", 5, "--seed", -1], "seed=-1"),
        (["--paths", 5, "--past-windows", -1], "past_windows=-1"),
        (["--paths", 200_000, "--output", "a.xlsx"], "a sheet has 1,048,575 rows"),
    ],
)
def test_options_that_mean_nothing_are_refused(run, words, text):
    code, out, err = run("forecast", "shops.csv", *MODEL, *words)
    assert (code, out) == (2, "")
    assert text in err


def test_series_left_out_have_no_rows(run):
    rows = "".join(f"a,2024-01-{day:02},{day}\nb,2024-01-{day:02},\n" for day in range(1, 30))
    data = write("shop,day,sold\n" + rows)
    code, _, err = run("forecast", data, *MODEL, "--paths", 3, "--output", "paths.csv")
    assert code == 3
    assert "1 of 2 series left out" in err
    table = pd.read_csv("paths.csv")
    assert table["shop"].unique().tolist() == ["a"]
    assert len(table) == 12
