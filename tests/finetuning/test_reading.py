"""Finetuning trains and validates series as the forecasts read them that are made later."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.estimators import tuned
from timer_forecaster.finetuning import FinetuneConfig, finetune, finetune_windows
from timer_forecaster.finetuning.reading import series_as_read, windows_as_read

RANDOM = np.random.default_rng(0)
HOURS = np.arange(1200)
WEEKS = 100 + 30 * np.sin(2 * np.pi * HOURS / 24) + 40 * (HOURS // 24 % 7 >= 5)
WEEKS = WEEKS + RANDOM.normal(size=1200) * 2
COUNTS = RANDOM.poisson(0.6, size=300).astype(float)


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")


@pytest.fixture(scope="module")
def architecture(pipe):
    return pipe.network.config


def test_series_are_read_without_their_long_season_and_as_roots(architecture):
    weeks, counts = series_as_read([WEEKS, COUNTS], architecture, "fast")
    assert weeks.shape == WEEKS.shape
    assert np.std(weeks[400:]) < np.std(WEEKS) / 5
    np.testing.assert_array_equal(counts, np.sqrt(COUNTS))


@pytest.mark.parametrize(("quality", "context_length"), [("plain", 4096), ("fast", 512)])
def test_what_a_forecast_reads_as_it_is_stays(architecture, quality, context_length):
    (weeks,) = series_as_read([WEEKS], architecture, quality, context_length)
    np.testing.assert_array_equal(weeks, WEEKS)


def test_targets_are_what_the_forecast_of_the_context_is_compared_with(architecture):
    contexts, targets = [WEEKS[:1100], COUNTS[:250]], np.stack([WEEKS[1100:1124], COUNTS[250:274]])
    read, after = windows_as_read(contexts, targets, architecture, "fast")
    assert np.std(read[0][400:]) < np.std(WEEKS) / 5
    assert np.std(after[0]) < np.std(targets[0]) / 5
    np.testing.assert_allclose(after[1] ** 2, targets[1], atol=1e-12)
    # A window of the whole series reads nearly the same.
    (whole,) = series_as_read([WEEKS], architecture, "fast")
    np.testing.assert_allclose(whole[1100:1124], after[0], atol=3)


def test_a_loss_before_is_that_of_the_forecasts(pipe):
    config = {"steps": 1, "horizon": 24, "learning_rate": 1e-12}
    with pytest.warns(UserWarning, match="did not improve"):
        reports = [
            finetune(pipe, WEEKS, FinetuneConfig(**config, quality=quality)).report
            for quality in ("fast", "plain")
        ]
    fast, plain = (report.loss_before for report in reports)
    # Most of the weekly season is noise to whom it is told; the rest is hard to forecast.
    assert fast > 2 * plain
    assert reports[0].n_windows == reports[1].n_windows


def test_windows_are_read_one_by_one(pipe):
    contexts = np.stack([WEEKS[start : start + 800] for start in range(0, 240, 24)])
    targets = np.stack([WEEKS[start + 800 : start + 824] for start in range(0, 240, 24)])
    losses = {}
    for quality in (None, "fast", "plain"):
        config = FinetuneConfig(steps=1, learning_rate=1e-12, quality=quality)
        with pytest.warns(UserWarning, match="did not improve"):
            report = finetune_windows(pipe, contexts, targets, config).report
        losses[quality] = report.loss_before
    assert losses[None] == losses["fast"] > losses["plain"]


def test_a_network_of_short_contexts_is_tuned_to_what_its_forecasts_read():
    mixer = ForecastPipeline.from_pretrained("ttm-mini", device="cpu")
    losses = {}
    for quality, context_length in (("fast", None), ("fast", 512), ("plain", None)):
        how = {"quality": quality, "context_length": context_length}
        config = FinetuneConfig(steps=1, horizon=24, learning_rate=1e-12, **how)
        with pytest.warns(UserWarning, match="did not improve"):
            losses[quality, context_length] = finetune(mixer, WEEKS, config).report.loss_before
    # A forecast without context_length reads the whole series, and takes out its long season.
    assert losses["fast", None] > 1.5 * losses["plain", None]
    assert losses["fast", 512] == losses["plain", None]


def test_windows_of_short_contexts_are_read_as_they_are(pipe):
    contexts = np.stack([WEEKS[start : start + 800] for start in range(0, 240, 24)])
    targets = np.stack([WEEKS[start + 800 : start + 824] for start in range(0, 240, 24)])
    losses = []
    for quality in ("fast", "plain"):
        config = FinetuneConfig(steps=1, learning_rate=1e-12, quality=quality, context_length=512)
        with pytest.warns(UserWarning, match="did not improve"):
            losses.append(finetune_windows(pipe, contexts, targets, config).report.loss_before)
    assert losses[0] == losses[1]


def test_estimators_tune_for_their_own_quality():
    pytest.importorskip("sklearn")
    from timer_forecaster.sklearn import TimerS1Regressor

    config = FinetuneConfig(steps=1)
    for quality, own, expected in (("plain", None, "plain"), ("plain", "fast", "fast")):
        given = FinetuneConfig(steps=1, quality=own)
        regressor = TimerS1Regressor("timer-s1-test", tuning=given, quality=quality)
        adapter = tuned(regressor, finetune, WEEKS)
        assert adapter.record["config"]["quality"] == expected
    with pytest.raises(ValueError, match="quality="):
        FinetuneConfig(quality="good")
    assert config.quality is None
