"""The command with a file of the future."""

import numpy as np
import pandas as pd
import pytest
from covariate_frames import HORIZON, OPTIONS, frames

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.covariate_options import CHOICES

WORDS = [
    *["forecast", "data.csv", "--horizon", HORIZON, "--time-column", "day", "--id-column", "id"],
    *["--target", "y", "--checkpoint", "timer-s1-test", "--device", "cpu"],
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    past, future = frames()
    past.to_csv("data.csv", index=False)
    future.to_csv("future.csv", index=False)
    return past, future


def expected(past, future, **options):
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    options = {**OPTIONS, "past_columns": "z", **options}
    return pipe.predict_frame(past, HORIZON, future_frame=future, **options)


def written(run, *words):
    code, _, err = run(*WORDS, *words, "--output", "out.csv")
    assert code == 0, err
    return pd.read_csv("out.csv"), err


@pytest.mark.parametrize("known", [[], ["--known", "x,w"], ["--known", "x", "w"]])
def test_the_forecast_is_the_forecast_of_the_frame(run, files, known):
    found, err = written(run, "--future", "future.csv", *known, "--past", "z")
    frame = expected(*files)
    assert found.columns.tolist() == frame.columns.tolist()
    np.testing.assert_allclose(found["q0.5"], frame["q0.5"], atol=1e-6)
    assert "  known: 'x', 'w' (categories)\n  past: 'z'\n" in err
    assert "  future: future.csv: 24 rows of data; text separated by comma, UTF-8\n" in err


def test_off_and_always(run, files):
    assert set(CHOICES) == {"auto", "always", "fast", "off"}
    beside = ["--future", "future.csv", "--past", "z", "--quiet", "--covariates"]
    for how in ("off", "always"):
        found, _ = written(run, *beside, how)
        frame = expected(*files, covariates=how)
        np.testing.assert_allclose(found["q0.5"], frame["q0.5"], atol=1e-6)


def test_rows_of_the_data_with_empty_targets(run, files):
    pd.concat(files).to_csv("data.csv", index=False)
    found, _ = written(run, "--known", "x,w", "--past", "z")
    np.testing.assert_allclose(found["q0.5"], expected(*files)["q0.5"], atol=1e-6)


def test_both_files_are_read_alike(run, files):
    for frame, name in zip(files, ("data.csv", "future.csv"), strict=True):
        frame = frame.assign(day=frame["day"].dt.strftime("%d/%m/%Y"))
        frame.to_csv(name, index=False, sep=";", decimal=",")
    found, err = written(run, "--future", "future.csv", "--past", "z")
    np.testing.assert_allclose(found["q0.5"], expected(*files)["q0.5"], atol=1e-6)
    assert "'x' (decimal ',')" in err


def test_excel_and_parquet(run, files):
    pytest.importorskip("openpyxl"), pytest.importorskip("pyarrow")
    frame = expected(*files)
    files[1].to_excel("future.xlsx", index=False)
    files[1].to_parquet("future.parquet")
    files[0].to_parquet("data.parquet")
    for data, future, format in (
        ("data.csv", "future.xlsx", "Excel, sheet 'Sheet1'"),
        ("data.csv", "future.parquet", "Parquet"),
        ("data.parquet", "future.xlsx", "Excel, sheet 'Sheet1'"),
        ("data.parquet", "future.csv", "text separated by comma, UTF-8"),
    ):
        words = ["forecast", data, *WORDS[2:], "--future", future, "--past", "z"]
        code, _, err = run(*words, "--output", "out.csv")
        assert code == 0, err
        assert f"  future: {future}: 24 rows of data; {format}\n" in err
        np.testing.assert_allclose(pd.read_csv("out.csv")["q0.5"], frame["q0.5"], atol=1e-6)


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_numbers_that_are_categories(run, files, suffix):
    past, future = (frame.assign(w=(frame["w"] == "wet") * 3 + 2) for frame in files)
    past.to_csv("data.csv", index=False)
    write = {"csv": future.to_csv, "xlsx": future.to_excel, "parquet": future.to_parquet}[suffix]
    write(f"future.{suffix}", index=False)
    words = ["--future", f"future.{suffix}", "--past", "z"]
    found, err = written(run, *words, "--categories", "w")
    frame = expected(past, future, categories="w")
    np.testing.assert_allclose(found["q0.5"], frame["q0.5"], atol=1e-6)
    assert "  known: 'x', 'w' (categories)\n" in err
    plain, _ = written(run, *words)
    assert np.abs(plain["q0.5"] - found["q0.5"]).max() > 0.01


def test_several_columns_of_ids_and_times(run, files):
    for frame, name in zip(files, ("data.csv", "future.csv"), strict=True):
        day = frame["day"].dt
        frame = frame.assign(year=day.year, month=day.month, dom=day.day, shop="007")
        frame = frame.rename(columns={"dom": "day", "day": "at"}).drop(columns="at")
        frame.to_csv(name, index=False)
    words = ["--future", "future.csv", "--past", "z", "--time-column", "year", "month", "day"]
    found, _ = written(run, *words, "--id-column", "shop", "id")
    assert found.columns[:2].tolist() == ["shop", "id"]
    np.testing.assert_allclose(found["q0.5"], expected(*files)["q0.5"], atol=1e-6)


def test_one_id_without_its_rows(run, files):
    files[1].iloc[:-1].to_csv("future.csv", index=False)
    code, _, err = run(*WORDS, "--future", "future.csv", "--output", "out.csv")
    assert code == 3
    assert "id 'b': target 'y': future.csv has no row for 2024-05-11" in err
    assert len(pd.read_csv("out.csv")) == HORIZON


def test_warnings_are_notes(run, files):
    gap = files[1].assign(x=files[1]["x"].where(files[1].index != 3))
    gap.to_csv("future.csv", index=False)
    _, err = written(run, "--future", "future.csv", "--quiet")
    assert err == (
        "timer-forecaster: note: column 'x' has missing values in the horizon; they are "
        "interpolated in id 'a': target 'y'\n"
    )


def bad(change, message, *words):
    return pytest.param(change, message, words, id=message[:20])


@pytest.mark.parametrize(
    ("change", "message", "words"),
    [
        bad(lambda f: f, "data.csv: --known: there is no column 'q'", "--known", "x,q"),
        bad(lambda f: f, "error: future.csv has no column 'z', which --known", "--known", "x,z"),
        bad(lambda f: f, "data.csv: 'y' in --categories is no covariate", "--categories", "y,w"),
        bad(lambda f: f.assign(z=1.5), "error: future.csv has values of the past column 'z'"),
        bad(lambda f: f.rename(columns={"x": "X"}), "error: future.csv has a column 'X', and the"),
        bad(lambda f: f.assign(w=1), "error: future.csv: known column 'w' holds numbers, such as"),
        bad(lambda f: f.assign(x=np.inf), "error: future.csv: known column 'x': data row 1, inf"),
        bad(lambda f: f.assign(x="5 %"), "error: future.csv: known column 'x': its numbers, such"),
        bad(
            lambda f: f.assign(day=f["day"].astype(str) + " 00:00+01:00"),
            "error: future.csv: its times",
        ),
        bad(
            lambda f: f.assign(day=None), "error: future.csv: time column 'day': data row 1 has no"
        ),
        bad(
            lambda f: f.assign(id=f["id"] + "."), "error: future.csv: no id of it, such as 'a.', is"
        ),
        bad(lambda f: f.drop(columns="id"), "future.csv: --id-column: there is no column 'id'"),
        bad(lambda f: f.assign(x="warm"), "future.csv: known column 'x': data row 1, 'warm'"),
        bad(lambda f: f.assign(y=1.5), "error: future.csv has values of the target 'y'"),
        bad(lambda f: f.iloc[:0], "future.csv: there are no rows of data"),
        bad(
            lambda f: f.assign(day=f["day"].dt.strftime("%d.%m.%Y")),
            "future.csv: its times, such as '30.04.2024'",
        ),
        bad(lambda f: f, "--output future.csv is the input", "--output", "future.csv"),
        bad(lambda f: f, "'x' is in --known and in --past", "--known", "x", "--past", "x"),
        bad(lambda f: f, "'y' is in --target and in --past", "--past", "y"),
    ],
)
def test_errors_name_the_file_and_the_option(run, files, change, message, words):
    change(files[1]).to_csv("future.csv", index=False)
    past = ["--past", "z"] if message.endswith("past column 'z'") else []
    code, _, err = run(*WORDS, "--future", "future.csv", *words, *past)
    assert code == 2
    assert message in err.splitlines()[-1]


def test_one_standard_input(run, files):
    code, _, err = run("forecast", "-", *WORDS[2:], "--future", "-")
    assert code == 2 and "both the standard input" in err
