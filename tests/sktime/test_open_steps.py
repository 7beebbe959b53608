"""Days and hours that never occur, integer steps and kinds of times, through sktime's verbs."""

import warnings

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

from pandas.tseries.offsets import BDay, CustomBusinessDay, Day
from sktime.forecasting.base import ForecastingHorizon
from sktime.forecasting.naive import NaiveForecaster
from sktime.split import ExpandingWindowSplitter
from sktime_cases import forecaster, walk

from timer_forecaster.sktime import evaluate


def days(*closed, n=200):
    times = pd.date_range("2024-01-01", periods=n)
    return times[~times.dayofweek.isin(closed)]


def hours(freq, opens, closes, weekdays=range(5)):
    times = pd.date_range(
        "2024-01-01", periods=pd.Timedelta(weeks=8) // pd.Timedelta(freq), freq=freq
    )
    within = (times - times.normalize()).to_series(range(len(times))).between(opens, closes)
    return times[within.to_numpy() & times.dayofweek.isin(weekdays)]


KINDS = {
    "Mon-Sat": days(6),
    "Sun-Thu": days(4, 5),
    "Mon-Fri": days(5, 6),
    "no Tue and Thu": days(1, 3),
    "Mon-Sat in Paris": days(6).tz_localize("Europe/Paris"),
    "shop": hours("30min", "09:00:00", "17:30:00"),
    "mornings": hours("1h", "00:00:00", "05:00:00", range(7)),
    "market in New York": hours("15min", "09:30:00", "16:00:00").tz_localize("America/New_York"),
}


@pytest.fixture(params=KINDS)
def parts(request):
    """The past and the 20 next steps of a series with gaps and open days or hours."""
    times = KINDS[request.param]
    y = pd.Series(walk(len(times)), times, name="y")
    return y.iloc[:-20].drop(times[[5, 40, 41]]), y.iloc[-20:]


def test_relative_horizons_count_open_steps(parts):
    past, future = parts
    predicted = forecaster().fit(past).predict(range(1, 21))
    assert predicted.index.tolist() == future.index.tolist()
    assert predicted.index.dtype == future.index.dtype
    some = forecaster().fit(past).predict([3, 17])
    pd.testing.assert_series_equal(some, predicted.iloc[[2, 16]], check_freq=False, rtol=1e-5)


def test_absolute_horizons_are_open_steps(parts):
    past, future = parts
    fitted = forecaster().fit(past)
    horizon = ForecastingHorizon(future.index[[0, 4, 19]], is_relative=False)
    np.testing.assert_allclose(fitted.predict(horizon), fitted.predict([1, 5, 20]), rtol=1e-5)
    times = past.index.append(future.index)
    distances = np.diff(times)
    before = times[:-1][distances > distances.min()][-1:]  # the last open step before a closed one
    closed = before + distances.min()
    with pytest.raises(ValueError, match=r"fh: times: .* is a \w+day and no step of y.*asfreq"):
        fitted.predict(ForecastingHorizon(closed, is_relative=False))


def test_in_sample_steps_are_open_steps(parts):
    past, _ = parts
    predicted = forecaster().fit(past).predict([-9, 0])
    assert predicted.index.tolist() == past.index[[-10, -1]].tolist()


def test_updates_continue_the_open_steps(parts):
    past, future = parts
    fitted = forecaster().fit(past).update(future.iloc[:7])
    whole = forecaster().fit(pd.concat([past, future.iloc[:7]]))
    pd.testing.assert_series_equal(fitted.predict([1, 2]), whole.predict([1, 2]), check_freq=False)
    assert fitted.predict([1, 2]).index.tolist() == future.index[7:9].tolist()
    assert forecaster().fit(past).predict_residuals(future).index.equals(future.index)


def test_backtests_count_open_steps(parts):
    past, future = parts
    splitter = ExpandingWindowSplitter(fh=[1, 2], initial_window=4, step_length=5)
    table = forecaster().fit(past).update_predict(future, splitter)
    expected = forecaster().fit(past).update(future.iloc[:9]).predict([1, 2])
    assert table.loc[expected.index].notna().any(axis=1).all()
    np.testing.assert_allclose(table.loc[expected.index].iloc[:, 1], expected, rtol=1e-5)
    y = pd.concat([past, future])
    folds = ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=len(y) - 9, step_length=3)
    one_by_one = [
        forecaster().fit(y.iloc[train]).predict([1, 2, 3]).index for train, _ in folds.split(y)
    ]
    assert [times.tolist() for times in one_by_one] == [
        y.index[test].tolist() for _, test in folds.split(y)
    ]
    assert len(evaluate(forecaster(), folds, y)) == 3


def test_update_predict_changes_the_forecaster_only_if_asked(parts):
    past, future = parts
    splitter = ExpandingWindowSplitter(fh=[1], initial_window=5, step_length=5)
    fitted = forecaster().fit(past)
    fitted.update_predict(future, splitter)
    assert fitted.cutoff[0] == past.index[-1]
    fitted.update_predict(future, splitter, reset_forecaster=False)
    assert fitted.cutoff[0] == future.index[14]  # of the last window with a step after it


@pytest.mark.parametrize("closed", [(6,), (5, 6), (1, 3)], ids=str)
def test_an_index_with_a_frequency_keeps_the_full_calendar(closed):
    y = pd.Series(1.0, days(*closed, n=197))
    full = forecaster().fit(y.asfreq("D"))
    assert full.predict([1, 2, 3]).index.tolist() == list(
        pd.date_range(y.index[-1], periods=4, freq="D")[1:]
    )
    periods = forecaster().fit(y.to_period("D")).predict([1, 2])
    assert periods.index.tolist() == [y.index[-1].to_period("D") + n for n in (1, 2)]


def test_instances_may_close_on_other_days():
    kinds = {"a": days(6), "b": days(0), "c": days(), "d": days(5, 6), "e": days(1, 3)}
    y = pd.concat({key: pd.DataFrame({"y": walk(len(t))}, t) for key, t in kinds.items()})
    fitted = forecaster().fit(y)
    predicted = fitted.predict(range(1, 15))
    for key, times in kinds.items():
        own = predicted.loc[key].index
        assert set(own.dayofweek) == set(times.dayofweek)
        expected = forecaster().fit(y.loc[key]).predict([1, 14])
        np.testing.assert_allclose(predicted.loc[key].iloc[[0, 13]], expected, rtol=1e-5)
    later = pd.concat({"new": pd.DataFrame({"y": [1.0]}, pd.DatetimeIndex(["2024-07-28"]))})
    assert fitted.update(later).predict([1]).loc["new"].index[0] == pd.Timestamp("2024-07-29")


def test_instances_may_have_other_hours():
    kinds = {"shop": KINDS["shop"], "nights": hours("30min", "00:00:00", "04:30:00", range(7))}
    y = pd.concat({key: pd.DataFrame({"y": walk(len(t[:-9]))}, t[:-9]) for key, t in kinds.items()})
    predicted = forecaster().fit(y).predict(range(1, 10))
    for key, times in kinds.items():
        assert predicted.loc[key].index.tolist() == times[-9:].tolist()


# ------------------------------------------------------------------- freq of the index


@pytest.mark.parametrize("freq", ["D", "MS", "ME", "W-WED", "B", "h", "15min", "2D", "QE", "YS"])
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
@pytest.mark.parametrize("horizon", [[1], [1, 2, 3], [2, 3], [-1, 0, 1], [1, 3]], ids=str)
def test_predictions_have_the_frequency_of_sktimes_own(freq, zone, horizon):
    y = pd.Series(walk(40), pd.date_range("2024-04-01", periods=40, freq=freq, tz=zone))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = NaiveForecaster().fit(y).predict([n for n in horizon if n > 0]).index.freq
    fitted = forecaster().fit(y)
    predicted = fitted.predict(horizon)
    consecutive = len(horizon) < 2 or horizon[1] - horizon[0] == 1
    assert predicted.index.freq == (y.index.freq if consecutive else None)
    if own is not None and consecutive:
        assert predicted.index.freq == own
    assert fitted.predict_interval(horizon).index.freq == predicted.index.freq
    assert fitted.predict_quantiles(horizon, alpha=[0.5]).index.freq == predicted.index.freq


@pytest.mark.parametrize(
    "times, freq",
    [
        (days(6), CustomBusinessDay(weekmask="Mon Tue Wed Thu Fri Sat")),
        (days(5, 6), BDay()),
        (days().delete(4), Day()),
        (KINDS["shop"], None),
    ],
)
def test_a_found_step_is_the_frequency_where_pandas_has_it(times, freq):
    predicted = forecaster().fit(pd.Series(walk(len(times)), times)).predict([1, 2, 3])
    assert predicted.index.freq == freq
    if freq is not None:
        assert predicted.index.shift(1).tolist()[:2] == predicted.index.tolist()[1:]


# ------------------------------------------------------------------- integer times


@pytest.mark.parametrize("step", [1, 2, 5, 100])
@pytest.mark.parametrize("panel", [False, True])
def test_integer_times_keep_their_step(step, panel):
    y = pd.DataFrame({"y": walk(40)}, pd.RangeIndex(7, 7 + 40 * step, step))
    data = pd.concat({"a": y, "b": y}) if panel else y
    predicted = forecaster().fit(data).predict([1, 3])
    times = predicted.index.get_level_values(-1)[-2:]
    assert times.tolist() == [7 + 40 * step, 7 + 42 * step]
    expected = forecaster().fit(y.reset_index(drop=True)).predict([1, 3])
    np.testing.assert_allclose(predicted[-2:], expected, rtol=1e-5)
    gap = forecaster().fit(data.drop(data.index[[9]])).predict([1])
    assert gap.index.get_level_values(-1)[-1] == 7 + 40 * step


def test_arrays_continue_integer_times_by_their_step():
    y = pd.Series(walk(40), pd.RangeIndex(0, 200, 5))
    fitted = forecaster().fit(y.iloc[:30]).update(y.iloc[30:35]).update(y.iloc[35:].to_numpy())
    assert np.ravel(fitted.predict([1]))[0] == pytest.approx(
        forecaster().fit(y).predict([1]).iloc[0], rel=1e-5
    )


def test_irregular_integers_are_refused_with_advice_that_fits_them():
    y = pd.Series(walk(4), [0, 1, 9, 30])
    with pytest.raises(ValueError, match=r"no evident frequency.*reset_index") as caught:
        forecaster().fit(y)
    assert "asfreq" not in str(caught.value)
    assert forecaster().fit(y.reset_index(drop=True)).predict([1]).index[0] == 4


# ------------------------------------------------------------------- kinds of times

INDICES = {
    "integers": pd.RangeIndex(60),
    "dates": pd.date_range("2024-01-01", periods=60),
    "zone": pd.date_range("2024-01-01", periods=60, tz="Asia/Tokyo"),
    "periods": pd.period_range("2024-01-01", periods=60, freq="D"),
}


@pytest.mark.parametrize("own", INDICES)
@pytest.mark.parametrize("other", INDICES)
@pytest.mark.parametrize("panel", [False, True])
def test_times_of_another_kind_are_refused(own, other, panel):
    if own == other:
        return
    join = (lambda y: pd.concat({"a": y, "b": y})) if panel else (lambda y: y)
    y, z = (join(pd.DataFrame({"y": walk()}, INDICES[kind])) for kind in (own, other))
    for verb in ("update", "predict_residuals"):
        with pytest.raises(ValueError, match="same kind"):
            getattr(forecaster().fit(y), verb)(z)
    if {own, other} <= {"integers", "dates"} or other == "periods":
        horizon = ForecastingHorizon(INDICES[other][-2:], is_relative=False)
        with pytest.raises(ValueError, match="same kind"):
            forecaster().fit(y).predict(horizon)
