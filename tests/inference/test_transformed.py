"""Series that are transformed have one forecast, whoever asks and however long they are."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference import memo
from timer_forecaster.inference.gaps import newest_read
from timer_forecaster.inference.options import ForecastOptions

RANDOM = np.random.default_rng(0)
HOURS = np.arange(1500)
WEEKS = (
    100
    + 30 * np.sin(2 * np.pi * HOURS / 24)
    + 40 * (HOURS // 24 % 7 >= 5)
    + RANDOM.normal(size=1500) * 2
)
COUNTS = RANDOM.poisson(0.6, size=300).astype(float)
CLOSED = np.where(np.arange(300) % 7 >= 5, np.nan, np.sin(np.arange(300) / 5) + COUNTS / 5 + 2)
SERIES = {"weeks": WEEKS[:900], "counts": COUNTS, "closed days": CLOSED}


@pytest.fixture(scope="module", params=["timer-s1-mini", "ttm-mini"])
def pipe(request):
    return ForecastPipeline.from_pretrained(request.param, device="cpu")


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("lead", [1, 336])
def test_values_before_the_first_one_do_not_count(pipe, name, lead):
    late = np.r_[np.full(lead, np.nan), SERIES[name]]
    found, expected = (pipe.predict(each, 100).quantiles for each in (late, SERIES[name]))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_earlier_question_changes_no_answer(pipe):
    memo.predict(pipe, [np.r_[np.full(37, np.nan), WEEKS[:900]]], 24)
    found = memo.predict(pipe, [WEEKS[:900]], 24).quantiles
    np.testing.assert_allclose(found, pipe.predict(WEEKS[:900], 24).quantiles, rtol=1e-5)


@pytest.mark.parametrize("horizon", [1, 200])
@pytest.mark.parametrize("rollout", ["auto", "median"])
def test_the_newest_steps_tell_all_that_counts(pipe, horizon, rollout):
    season = np.tile(WEEKS, 4) + np.sin(np.arange(6000) * 2 * np.pi / 1500) * 50
    options = ForecastOptions(rollout=rollout)
    (cut,) = newest_read([season], pipe.network, horizon, options)
    found, expected = (
        pipe.predict(each, horizon, rollout=rollout).quantiles for each in (cut, season)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("name", SERIES)
def test_a_search_for_anomalies_has_the_forecasts_of_predict(pipe, name):
    y = SERIES[name]
    options = {"calibrate": "off", "repair": False, "min_history": min(512, len(y) - 20)}
    medians = pipe.detect_anomalies(y, **options).medians[0]
    places = [at for at in range(len(y) - 6, len(y)) if np.isfinite(medians[at])]
    expected = [pipe.predict(y[:at], 1).median[0, 0] for at in places]
    np.testing.assert_allclose(medians[places], expected, rtol=1e-4)


@pytest.mark.parametrize("name", SERIES)
def test_shared_rows_have_nearly_the_forecasts_of_predict(mini, name):
    y = SERIES[name]
    options = {"min_history": 100} if len(y) < 500 else {"min_history": len(y) - 64}
    exact = mini.detect_anomalies(y, **options)
    shared = mini.detect_anomalies(y, **options, exact=False)
    (low, high), *_ = exact.intervals
    difference = np.abs(exact.medians[0] - shared.medians[0]) / (high - low)
    assert np.nanmean(difference) < 0.01
    assert np.nanmax(difference) < 0.1


def test_other_doors_have_the_forecasts_of_predict(pipe):
    pytest.importorskip("sktime")
    from timer_forecaster.sktime import TimerS1Forecaster, TinyTimeMixerForecaster

    kind = TinyTimeMixerForecaster if pipe.network.config.fixed_context else TimerS1Forecaster
    y = pd.Series(WEEKS)
    for rollout in ("auto", "median"):
        found = kind(pipe.key.name, rollout=rollout).fit(y[:1400]).predict([1, 24])
        expected = pipe.predict(WEEKS[:1400], 24, rollout=rollout).median[0, [0, 23]]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    past = kind(pipe.key.name).fit(y[:1400]).predict([-3])
    np.testing.assert_allclose(past, pipe.predict(WEEKS[:1396], 1).median[0], rtol=1e-5)
