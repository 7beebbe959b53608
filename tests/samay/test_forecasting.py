import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.samay.forecasting import forecast_histories
from timer_forecaster.samay.settings import ModelSettings
from timer_forecaster.samay.weights import starting_network


@pytest.fixture(scope="module")
def network():
    return starting_network(ModelSettings(), "ttm-test").network


@pytest.fixture(scope="module")
def histories():
    rows = np.random.default_rng(0).normal(100, 5, (6, 128)).cumsum(1)
    rows[1, 40:60] = np.nan
    rows[2, :100] = np.nan
    rows[3] = 7.0
    rows[4] *= 1e9
    rows[5, -3:] = np.nan
    return rows


@pytest.mark.parametrize("horizon", [5, 32, 80])
def test_forecasts_are_the_medians_of_the_pipeline(network, histories, horizon):
    found = forecast_histories(network, histories, horizon, batch_size=4)
    pipeline = ForecastPipeline.from_pretrained("ttm-test", dtype="float32")
    expected = pipeline.predict(list(histories), horizon).quantile(0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert (found[3] == 7).all()


def test_series_are_read_as_they_are():
    """As the pages say: plain exactly, and not the default where it transforms a series."""
    counts = np.random.default_rng(0).poisson(2, (2, 512)).astype(float)
    network = starting_network(ModelSettings(), "ttm-mini").network
    found = forecast_histories(network, counts, 24, batch_size=4)
    pipeline = ForecastPipeline.from_pretrained("ttm-mini", dtype="float32")
    plain = pipeline.predict(list(counts), 24, quality="plain").quantile(0.5)
    np.testing.assert_array_equal(found, plain)
    assert np.abs(found - pipeline.predict(list(counts), 24).quantile(0.5)).max() > 0.05


def test_far_horizons_are_forecast_as_the_network_prefers():
    rows = np.random.default_rng(0).normal(size=(2, 512)).cumsum(1)
    network = starting_network(ModelSettings(), "ttm-mini").network
    found = forecast_histories(network, rows, 150, batch_size=4)
    pipeline = ForecastPipeline.from_pretrained("ttm-mini", dtype="float32")
    expected = pipeline.predict(list(rows), 150, quality="plain").quantile(0.5)
    np.testing.assert_array_equal(found, expected)
    median = pipeline.predict(list(rows), 150, quality="plain", rollout="median").quantile(0.5)
    assert np.abs(found - median).max() > 0.1


def test_networks_without_a_quantile_head_give_their_forecast():
    import dataclasses

    import torch

    from timer_forecaster.models.ttm import make_network

    sizes = ModelSettings.of({"context_len": 48, "d_model": 16, "n_layers": 1}).architecture
    point = make_network(dataclasses.replace(sizes, multi_quantile_head=False)).eval()
    rows = np.random.default_rng(0).normal(size=(3, 48))
    found = forecast_histories(point, rows, 96, 8)
    with torch.no_grad():
        output = point(torch.tensor(rows, dtype=torch.float32)[..., None])
    np.testing.assert_allclose(found, output.prediction_outputs[..., 0], atol=1e-4)


def test_rows_are_forecast_in_parts(network, histories, monkeypatch):
    import timer_forecaster.samay.forecasting as module

    whole = forecast_histories(network, histories, 8, 96)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 2)
    np.testing.assert_allclose(forecast_histories(network, histories, 8, 96), whole, rtol=1e-4)
