"""Times of covariates end as the times of the series do."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.backtesting import backtest
from timer_forecaster.failures import SeriesWarning

H = 5
DAYS = pd.date_range("2024-01-01", periods=60 + H, freq="D")


@pytest.fixture
def y():
    return pd.Series(np.random.default_rng(0).normal(size=60), index=DAYS[:60])


@pytest.fixture
def known():
    return pd.DataFrame({"x": np.random.default_rng(1).normal(size=len(DAYS))}, index=DAYS)


def test_tables_that_end_with_the_horizon_are_read(timer_s1, y, known):
    found = timer_s1.predict(y, H, known=known, covariates="always").quantiles
    plain = timer_s1.predict(
        y.to_numpy(), H, known=known.to_numpy(), covariates="always", freq="D"
    ).quantiles
    np.testing.assert_array_equal(found, plain)
    periods = timer_s1.predict(
        y.to_period(),
        H,
        known=known[20:].to_period(),
        past=known[:60].to_period().rename(columns={"x": "z"}),
    )
    assert np.isfinite(periods.quantiles).all()


@pytest.mark.parametrize("cut", [slice(60), slice(-1), slice(None, None, -1), slice(3)])
def test_other_rows_are_refused(timer_s1, y, known, cut):
    with pytest.raises(ValueError, match=r"series\[0\] ends at 2024-02-29.*known\[0\] has .* rows"):
        timer_s1.predict(y, H, known=known[cut])


def test_a_past_table_with_rows_of_the_future_is_refused(timer_s1, y, known):
    with pytest.raises(ValueError, match=r"past\[0\] has 65 rows, the last one of 2024-03-05"):
        timer_s1.predict(y, H, past=known)


def test_the_series_of_a_list_is_named(timer_s1, y, known):
    with pytest.raises(ValueError, match=r"series\[1\] ends at .* 5 steps after it"):
        timer_s1.predict([y, y], H, known=[known, known[:-1]])


def test_another_zone_is_another_time(timer_s1, y, known):
    with pytest.raises(ValueError, match=r"series\[0\] ends at"):
        timer_s1.predict(y, H, known=known.tz_localize("UTC"))


def test_numbers_are_no_times(timer_s1, y, known):
    moved = known.reset_index(drop=True)
    assert timer_s1.predict(y, H, known=moved).quantiles.shape == (1, H, 9)


def test_series_and_tables_of_dicts_are_matched_by_their_keys(timer_s1, y, known):
    other = known.assign(x=np.arange(len(known)) % 4.0)
    found = timer_s1.predict(
        {"a": y, "b": y}, H, known={"b": other, "a": known}, covariates="always"
    ).quantiles
    listed = timer_s1.predict([y, y], H, known=[known, other], covariates="always").quantiles
    np.testing.assert_array_equal(found, listed)
    with pytest.raises(ValueError, match=r"series\[1\] ends at .* known\[1\] has 64 rows"):
        timer_s1.predict({"a": y, "b": y}, H, known={"b": other[:-1], "a": known})
    with pytest.raises(ValueError, match="known has no table for the series 'b'"):
        timer_s1.predict({"a": y, "b": y}, H, known={"a": known})
    columns = timer_s1.predict({"a": y}, H, known={"x": known["x"].to_numpy()}, covariates="always")
    np.testing.assert_array_equal(columns.quantiles, found[:1])


@pytest.fixture
def explained():
    """Return a column that explains a series, with days absent from the series."""
    random = np.random.default_rng(2)
    days = pd.date_range("2024-01-01", periods=200 + H)
    known = pd.DataFrame({"x": random.normal(size=len(days))}, days)
    y = pd.Series(50 + 10 * known["x"][:200] + random.normal(size=200) / 10, days[:200])
    return y.drop(days[[50, 120, 180]]), known


def test_columns_stay_with_their_days_beside_a_series_with_absent_days(timer_s1, explained):
    y, known = explained
    for options in ({"known": known}, {"known": known, "past": known[:200].add_prefix("old ")}):
        found = timer_s1.predict(y, H, **options, covariates="always")
        expected = timer_s1.predict(y.asfreq("D"), H, **options, covariates="always")
        np.testing.assert_array_equal(found.quantiles, expected.quantiles)
    assert np.abs(found.median[0] - (50 + 10 * known["x"][200:])).max() < 2
    column = timer_s1.predict(y, H, known={"x": known["x"]}, covariates="always")
    alone = timer_s1.predict(y, H, known=known, covariates="always")
    np.testing.assert_array_equal(column.quantiles, alone.quantiles)


def test_rows_in_another_order_are_found_by_their_times(timer_s1, explained):
    y, known = explained
    shuffled = pd.concat([known[10:20], known[:10], known[20:]])
    found = [timer_s1.predict(y, H, known=one, covariates="always") for one in (known, shuffled)]
    np.testing.assert_array_equal(found[0].quantiles, found[1].quantiles)


def test_days_without_a_row_have_missing_values(timer_s1, explained):
    y, known = explained
    lacking = known.drop(known.index[[50, 90]])
    empty = known.copy()
    empty.iloc[[50, 90]] = np.nan
    found = [timer_s1.predict(y, H, known=one, covariates="always") for one in (lacking, empty)]
    np.testing.assert_array_equal(found[0].quantiles, found[1].quantiles)


def test_rows_that_cannot_be_told_are_refused_by_name(timer_s1, explained):
    y, known = explained
    with pytest.raises(ValueError, match=r"series\[0\] lacks 3 of the 200 steps.*known\[0\]"):
        timer_s1.predict(y, H, known=known.to_numpy())
    with pytest.raises(ValueError, match=r"known\[0\] has no row of 2024-07-20"):
        timer_s1.predict(y, H, known=known.drop(known.index[201]))
    with pytest.raises(ValueError, match=r"known\[0\] has the time 2024-01-06.* more than once"):
        timer_s1.predict(y, H, known=pd.concat([known[5:6], known]).sort_index())
    extra = pd.DataFrame({"x": [1.0]}, [pd.Timestamp("2024-02-01 12:00")])
    with pytest.raises(ValueError, match=r"2024-02-01 12:00:00, which is no step of series\[0\]"):
        timer_s1.predict(y, H, known=pd.concat([known, extra]).sort_index())


def test_rows_of_dates_of_python_are_found_by_their_times(timer_s1, explained):
    y, known = explained
    days = known.set_axis(known.index.date)
    found = [timer_s1.predict(y, H, known=one, covariates="always") for one in (known, days)]
    np.testing.assert_array_equal(found[0].quantiles, found[1].quantiles)
    shuffled = pd.concat([days[10:20], days[:10], days[20:]])
    again = timer_s1.predict(y.set_axis(y.index.date), H, known=shuffled, covariates="always")
    np.testing.assert_array_equal(again.quantiles, found[0].quantiles)
    with pytest.raises(ValueError, match=r"known\[0\] has .* rows.*: its last row must be"):
        timer_s1.predict(y, H, known=days[::-1])


def test_a_table_that_does_not_fit_leaves_out_its_series(timer_s1, y, known):
    tables = [known[:-1], known]
    with pytest.warns(
        SeriesWarning, match=r"1 of 2 series have no forecast.*known\[0\] has 64 rows"
    ):
        found = timer_s1.predict([y, y], H, known=tables, on_error="nan")
    assert list(found.failures) == [0]
    assert np.isnan(found.quantiles[0]).all()
    alone = timer_s1.predict(y, H, known=known).quantiles[0]
    np.testing.assert_allclose(found.quantiles[1], alone, rtol=1e-4)
    beside = {"past": [known[:59], known[:60]], "on_error": "nan"}
    with pytest.warns(SeriesWarning, match=r"past\[0\] has 59 rows"):
        assert list(timer_s1.detect_anomalies([y, y], **beside).failures) == [0]
    (reason,) = backtest(timer_s1, [y, y], H, windows=2, **beside).left_out.values()
    assert "past[0] has 59 rows" in reason
