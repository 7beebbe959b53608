"""Times of covariates end as the times of the series do."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline

H = 5
DAYS = pd.date_range("2024-01-01", periods=60 + H, freq="D")


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")


@pytest.fixture
def y():
    return pd.Series(np.random.default_rng(0).normal(size=60), index=DAYS[:60])


@pytest.fixture
def known():
    return pd.DataFrame({"x": np.random.default_rng(1).normal(size=len(DAYS))}, index=DAYS)


def test_tables_that_end_with_the_horizon_are_read(pipe, y, known):
    found = pipe.predict(y, H, known=known, covariates="always").quantiles
    plain = pipe.predict(y.to_numpy(), H, known=known.to_numpy(), covariates="always").quantiles
    np.testing.assert_array_equal(found, plain)
    periods = pipe.predict(
        y.to_period(),
        H,
        known=known[20:].to_period(),
        past=known[:60].to_period().rename(columns={"x": "z"}),
    )
    assert np.isfinite(periods.quantiles).all()


@pytest.mark.parametrize("cut", [slice(60), slice(-1), slice(None, None, -1), slice(3)])
def test_other_rows_are_refused(pipe, y, known, cut):
    with pytest.raises(ValueError, match=r"series\[0\] ends at 2024-02-29.*known\[0\] has .* rows"):
        pipe.predict(y, H, known=known[cut])


def test_a_past_table_with_rows_of_the_future_is_refused(pipe, y, known):
    with pytest.raises(ValueError, match=r"past\[0\] has 65 rows, the last one of 2024-03-05"):
        pipe.predict(y, H, past=known)


def test_the_series_of_a_list_is_named(pipe, y, known):
    with pytest.raises(ValueError, match=r"series\[1\] ends at .* 5 steps after it"):
        pipe.predict([y, y], H, known=[known, known[:-1]])


def test_another_zone_is_another_time(pipe, y, known):
    with pytest.raises(ValueError, match=r"series\[0\] ends at"):
        pipe.predict(y, H, known=known.tz_localize("UTC"))


def test_numbers_are_no_times(pipe, y, known):
    moved = known.reset_index(drop=True)
    assert pipe.predict(y, H, known=moved).quantiles.shape == (1, H, 9)


def test_series_and_tables_of_dicts_are_matched_by_their_keys(pipe, y, known):
    other = known.assign(x=np.arange(len(known)) % 4.0)
    found = pipe.predict(
        {"a": y, "b": y}, H, known={"b": other, "a": known}, covariates="always"
    ).quantiles
    listed = pipe.predict([y, y], H, known=[known, other], covariates="always").quantiles
    np.testing.assert_array_equal(found, listed)
    with pytest.raises(ValueError, match=r"series\[1\] ends at .* known\[1\] has 64 rows"):
        pipe.predict({"a": y, "b": y}, H, known={"b": other[:-1], "a": known})
    with pytest.raises(ValueError, match="known has no table for the series 'b'"):
        pipe.predict({"a": y, "b": y}, H, known={"a": known})
    columns = pipe.predict({"a": y}, H, known={"x": known["x"].to_numpy()}, covariates="always")
    np.testing.assert_array_equal(columns.quantiles, found[:1])
