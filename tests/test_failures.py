"""`on_error`: one bad series of many stops the others, or has NaN and a reason, at every door."""

import warnings

import numpy as np
import pandas as pd
import pytest
from darts import TimeSeries

from timer_forecaster import ForecastPipeline, cli
from timer_forecaster.darts import TimerS1Model
from timer_forecaster.failures import Failures, SeriesWarning, recorded_failures
from timer_forecaster.inference import memo
from timer_forecaster.sktime import TimerS1Forecaster

GOOD = np.arange(20.0) % 7
BAD = {
    "empty": ([], "is empty"),
    "missing": ([np.nan, np.nan], "missing values only"),
    "infinite": ([1.0, np.inf], "is infinite at step 1"),
    "text": (["a", "b"], "'a' at step 0 is text"),
    "two dimensions": (np.ones((2, 2)), "expected a 1-D array"),
    "too large": ([1.7e308, -1.7e308, 1.7e308], "beyond the range of float64"),
}


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test")


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_array_has_nan_and_a_reason(pipe, kind):
    bad, reason = BAD[kind]
    with pytest.warns(
        SeriesWarning, match=r"1 of 3 series have no forecast, but NaN: .*series\[1\]"
    ):
        forecast = pipe.predict([GOOD, bad, GOOD[3:]], 4, on_error="nan")
    assert reason in forecast.failures[1]
    assert np.isnan(forecast.quantiles[1]).all()
    alone = pipe.predict([GOOD, GOOD[3:]], 4)
    np.testing.assert_allclose(forecast.quantiles[[0, 2]], alone.quantiles)
    assert alone.failures == {}
    with pytest.raises((ValueError, TypeError), match=r"series\[1\]"):
        pipe.predict([GOOD, bad, GOOD[3:]], 4)


def test_all_series_may_be_bad(pipe):
    with pytest.warns(SeriesWarning, match="2 of 2"):
        forecast = pipe.predict([[], [np.nan]], 2, on_error="nan")
    assert np.isnan(forecast.median).all()


def test_a_damaged_network_is_no_bad_series(pipe, monkeypatch):
    def damaged(network, options, bar, known, series, horizon, rollout, frequencies):
        return np.full((len(series), horizon, 9), np.nan)

    monkeypatch.setattr("timer_forecaster.inference.prediction._roll_out", damaged)
    with pytest.raises(ValueError, match="damaged"):
        pipe.predict([GOOD], 2, on_error="nan")


def test_an_unknown_reaction_is_refused(pipe):
    with pytest.raises(ValueError, match="on_error='ignore' is unknown"):
        pipe.predict(GOOD, 2, on_error="ignore")


@pytest.mark.parametrize("kind", ["missing", "infinite", "too large"])
def test_remembered_forecasts_leave_bad_series_out(pipe, kind):
    bad = np.array(BAD[kind][0])
    for _ in range(2):  # computed, then recalled
        forecast = memo.predict(pipe, [bad, GOOD], 3, on_error="nan")
        assert list(forecast.failures) == [0]
        assert np.isnan(forecast.median[0]).all()
        expected = pipe.predict(GOOD, 3).median[0]
        np.testing.assert_allclose(forecast.median[1], expected, rtol=1e-6)


def test_more_reasons_than_fit_in_a_warning_are_counted(pipe):
    with pytest.warns(SeriesWarning, match="9 of 9 .*; and 4 more") as caught:
        pipe.predict([[]] * 9, 1, on_error="nan")
    assert len(caught[0].message.reasons) == 9


def test_failures_keep_the_first_reason_of_a_series():
    failures = Failures("nan")
    failures.add("a", ValueError("first"))
    failures.add("a", ValueError("second"))
    assert failures.reasons == {"a": "first"}
    with pytest.raises(ValueError, match="first"):
        Failures().add("a", ValueError("first"))


def test_recorded_failures_let_other_warnings_through(pipe):
    with pytest.warns(UserWarning, match="^other$") as caught, recorded_failures() as reasons:
        pipe.predict([GOOD, []], 1, on_error="nan")
        warnings.warn("other", UserWarning, stacklevel=1)
    assert len(caught) == 1
    assert list(reasons) == ["series[1]"]


# ---------------------------------------------------------------- frames


def shops():
    days = pd.date_range("2024-01-01", periods=len(GOOD))
    one = {"day": days, "sold": GOOD, "price": GOOD**2}
    return pd.concat([pd.DataFrame({"shop": shop, **one}) for shop in "abc"], ignore_index=True)


def spoiled(kind):
    frame, second = shops(), slice(20, 39)
    if kind == "no value":
        frame.loc[second, "sold"] = np.nan
    elif kind == "infinite":
        frame.loc[25, "sold"] = np.inf
    elif kind == "text":
        frame["sold"] = frame["sold"].astype(object)
        frame.loc[[25, 27], "sold"] = "closed"
    elif kind == "a time twice":
        frame.loc[25, "day"] = frame.loc[24, "day"]
    else:
        odd = np.random.default_rng(0).integers(0, 86400, 20)
        frame.loc[second, "day"] += pd.to_timedelta(odd, unit="s")
    return frame


SPOILED = {
    "no value": (1, "has no value"),
    "infinite": (1, "data row 26"),
    "text": (1, "'closed'"),
    "a time twice": (2, "more than once"),
    "irregular": (2, "no frequency can be inferred"),
}


@pytest.mark.parametrize("kind", SPOILED)
@pytest.mark.parametrize("freq", [None, "D"])
def test_a_bad_series_of_a_frame_has_rows_of_nan(pipe, kind, freq):
    n_bad, reason = SPOILED[kind]
    frame = spoiled(kind)
    columns = {"time_column": "day", "id_column": "shop", "freq": freq}
    columns["target_columns"] = ["sold", "price"]
    if kind == "irregular" and freq is not None:
        reason = "do not all lie on the grid"
    with pytest.warns(
        SeriesWarning, match=rf"{n_bad} of 6 series .*shop 'b': target 'sold'"
    ) as seen:
        forecast = pipe.predict_frame(frame, 2, on_error="nan", **columns)
    assert reason in seen[0].message.reasons["shop 'b': target 'sold'"]
    good = pipe.predict_frame(shops(), 2, **columns)
    bad = (forecast["shop"] == "b") & (forecast["target"].isin(["sold", "price"][:n_bad]))
    assert forecast.loc[bad, ["q0.1", "q0.5", "q0.9"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(forecast[~bad], good[~bad], rtol=1e-6)
    if kind != "irregular":
        assert forecast["day"].tolist() == good["day"].tolist()
    with pytest.raises(ValueError, match=r"shop 'b'|target 'sold'"):
        pipe.predict_frame(frame, 2, **columns)


def test_a_frame_without_any_step_is_an_error(pipe):
    times = pd.to_datetime(["2024-01-01 03:11", "2024-01-05 17:02", "2024-03-01 00:10"])
    frame = pd.DataFrame({"day": times, "sold": [1.0, 2.0, 4.0]})
    with pytest.raises(ValueError, match="no frequency can be inferred"):
        pipe.predict_frame(frame, 2, time_column="day", on_error="nan")


# ---------------------------------------------------------------- frameworks and the command


@pytest.mark.parametrize("kind", ["no value", "infinite"])
def test_sktime_forecasts_the_other_instances(kind):
    y = spoiled(kind).set_index(["shop", "day"])
    forecaster = TimerS1Forecaster("timer-s1-test", on_error="nan")
    with pytest.warns(SeriesWarning, match="instance 'b', column 'sold'"):
        forecast = forecaster.fit(y, fh=[1, 2]).predict()
    good = (
        TimerS1Forecaster("timer-s1-test").fit(shops().set_index(["shop", "day"])).predict([1, 2])
    )
    assert forecast.loc["b", "sold"].isna().all()
    np.testing.assert_allclose(forecast.loc[["a", "c"]], good.loc[["a", "c"]], rtol=1e-6)
    with pytest.raises(ValueError, match=r"instance 'b'|\('b', "):
        TimerS1Forecaster("timer-s1-test").fit(y)


def test_darts_forecasts_the_other_components():
    values = np.stack([GOOD, GOOD], axis=1)
    values[5, 1] = np.inf
    series = TimeSeries.from_values(values)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    options = {"hub_model_name": "timer-s1-test", "pl_trainer_kwargs": quiet}
    model = TimerS1Model((1, 20), 3, on_error="nan", **options).fit(series)
    with pytest.warns(SeriesWarning, match="window 0, component 1"):
        forecast = model.predict(3).values()
    assert np.isnan(forecast[:, 1]).all()
    good = TimerS1Model((1, 20), 3, **options).fit(series["0"]).predict(3).values()
    np.testing.assert_allclose(forecast[:, 0], good[:, 0], rtol=1e-5)
    with pytest.raises(ValueError, match="infinite"):
        TimerS1Model((1, 20), 3, **options).fit(series).predict(3)


@pytest.mark.parametrize("kind", SPOILED)
def test_the_command_forecasts_the_others_and_exits_with_3(kind, tmp_path, capsys):
    file, output = tmp_path / "shops.csv", tmp_path / "forecast.csv"
    spoiled(kind).to_csv(file, index=False)
    words = ["--time-column", "day", "--id-column", "shop", "--target", "sold", "price"]
    command = ["forecast", str(file), *words, "--horizon", "2", "--output", str(output)]
    pictures = ["--plot", str(tmp_path / "a.png"), "--report", str(tmp_path / "a.html")]
    status = cli.main([*command, "--checkpoint", "timer-s1-test", *pictures])
    shown = capsys.readouterr().err
    if kind == "text":
        assert "row 26, 'closed', is not a finite number" in shown
    n_bad, _ = SPOILED[kind]
    assert status == 3
    assert f"{n_bad} of 6 series left out:\n  shop 'b': target 'sold': " in shown
    written = pd.read_csv(output)
    assert len(written) == 12 - 2 * n_bad
    assert written.notna().all(axis=None)
    assert ("b" in set(written["shop"])) == (n_bad == 1)


@pytest.mark.parametrize("command", ["backtest", "anomalies"])
def test_a_text_among_numbers_leaves_out_its_series(command, tmp_path, capsys):
    file = tmp_path / "shops.csv"
    spoiled("text").to_csv(file, index=False)
    words = ["--id-column", "shop", "--target", "sold", "--checkpoint", "timer-s1-test"]
    horizon = ["--horizon", "2", "--windows", "1"] if command == "backtest" else []
    assert cli.main([command, str(file), *words, *horizon]) == 3
    assert "row 26, 'closed', is not a finite number" in capsys.readouterr().err


def test_the_command_ends_with_2_if_nothing_can_be_forecast(tmp_path, capsys):
    file = tmp_path / "one.csv"
    pd.DataFrame({"day": pd.date_range("2024-01-01", periods=5), "sold": np.nan}).to_csv(file)
    words = ["--time-column", "day", "--target", "sold", "--horizon", "2"]
    assert cli.main(["forecast", str(file), *words, "--checkpoint", "timer-s1-test"]) == 2
    assert "has no value" in capsys.readouterr().err
