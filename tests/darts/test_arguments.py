"""Arguments of numpy's types at Darts' methods, and series that Darts would misread."""

import numpy as np
import pytest
from darts import TimeSeries
from darts.utils.likelihood_models import QuantileRegression
from darts_cases import NAME, SILENT, UNAVOIDABLE, elsewhere, without_chatter  # noqa: F401

from timer_forecaster.darts import TimerS1Model
from timer_forecaster.darts.arguments import (
    check_sampling,
    plain_argument,
    plain_arguments,
    refuse_masks,
)

pytestmark = UNAVOIDABLE

VALUES = np.sin(np.arange(300) / 5)
SERIES = TimeSeries.from_values(VALUES)


def model(context=200, horizon=4, **options):
    return TimerS1Model(context, horizon, hub_model_name=NAME, pl_trainer_kwargs=SILENT, **options)


def values(series):
    return series.all_values().ravel()


def test_integers_of_numpy_mean_what_they_say():
    expected = values(model().fit(SERIES).predict(150))
    small = model(np.uint8(200), np.int8(4), batch_size=np.uint8(8)).fit(SERIES)
    np.testing.assert_array_equal(values(small.predict(np.uint8(150))), expected)
    ranged = model((np.int8(1), np.uint8(200)), np.uint16(4)).fit(SERIES)
    np.testing.assert_array_equal(values(ranged.predict(np.int16(150))), expected)


def test_backtests_take_them_too():
    fitted = model(40).fit(SERIES)
    plain = {"forecast_horizon": 4, "stride": 20, "start": 200}
    small = {name: np.uint8(value) for name, value in plain.items()}
    expected, found = (fitted.historical_forecasts(SERIES, **own) for own in (plain, small))
    assert found.time_index.equals(expected.time_index)
    np.testing.assert_array_equal(values(found), values(expected))


def test_masked_values_are_refused_with_advice_that_works():
    masked = np.ma.masked_greater(VALUES, 0.9)
    series = TimeSeries.from_values(masked)
    fitted = model().fit(SERIES)
    for call in (
        lambda: model().fit(series),
        lambda: fitted.predict(4, series=series),
        lambda: fitted.historical_forecasts(series, start=290),
    ):
        with pytest.raises(ValueError, match=r"series holds masked values.*filled\(np.nan\)"):
            call()
    with pytest.raises(ValueError, match=r"series\[1\] holds masked values"):
        fitted.predict(4, series=[SERIES, series])
    whole = TimeSeries.from_values(masked.astype(float).filled(np.nan))
    assert np.isfinite(values(model().fit(whole).predict(4))).all()
    refuse_masks(series=None)
    refuse_masks(series=TimeSeries.from_values(np.ma.masked_array(VALUES)))


def test_samples_of_a_single_quantile_are_refused_with_advice_that_works():
    fitted = model(likelihood=QuantileRegression([0.5])).fit(SERIES)
    for call in (lambda: fitted.predict(4), lambda: fitted.predict(4, num_samples=5)):
        with pytest.raises(ValueError, match=r"single quantile 0.5.*predict_likelihood_parameters"):
            call()
    with pytest.raises(ValueError, match="single quantile"):
        fitted.historical_forecasts(SERIES, start=290, num_samples=5)
    quantile = values(fitted.predict(4, predict_likelihood_parameters=True))
    np.testing.assert_allclose(quantile, values(model().fit(SERIES).predict(4)))
    check_sampling(None, False)


def test_forecasts_beyond_the_type_of_the_series_are_refused():
    square = np.sign(np.sin(np.arange(300))) * 3.4e38
    levels = QuantileRegression([0.01, 0.5, 0.99])
    asked = {"n": 4, "predict_likelihood_parameters": True}
    narrow = model(likelihood=levels).fit(TimeSeries.from_values(square.astype(np.float32)))
    with pytest.raises(ValueError, match=r"beyond the range of torch.float32.*float64"):
        narrow.predict(**asked)
    wide = model(likelihood=levels).fit(TimeSeries.from_values(square))
    assert np.isfinite(values(wide.predict(**asked))).all()


def test_arguments_are_plain():
    assert plain_argument((np.uint8(1), np.uint8(200))) == (1, 200)
    assert plain_arguments({"n": np.int8(3), "name": "a"}) == {"n": 3, "name": "a"}
    assert type(plain_argument(np.uint8(1))) is int
