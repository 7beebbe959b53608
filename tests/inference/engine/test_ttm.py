"""Rows as TinyTimeMixer reads them."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.engine.ttm import (
    embed_rows,
    forecast_origins,
    forecast_rows,
    route_rows,
)
from timer_forecaster.inference.scaling import scaled


@pytest.fixture(scope="module")
def network():
    return ForecastPipeline.from_pretrained("ttm-test", device="cpu").network


def rows(*lengths):
    random = np.random.default_rng(0)
    return [scaled(random.normal(size=n).cumsum(), 128, True).values for n in lengths]


def test_batches_are_counted_and_change_nothing(network):
    done = []
    found = forecast_rows(network, rows(5, 128, 33), 20, "quantile", 2, done.append)
    assert found.shape == (3, 20, 9)
    assert done == [2, 1]
    together = forecast_rows(network, rows(5, 128, 33), 20, "quantile", None, done.append)
    np.testing.assert_allclose(found, together, atol=1e-6)
    assert forecast_rows(network, [], 20, "median", None, done.append).shape == (0, 20, 9)


def test_gaps_take_the_line_between_their_neighbors(network):
    (row,) = rows(100)
    holes = row.copy()
    holes[40:44] = np.nan
    line = row.copy()
    line[39:45] = np.linspace(row[39], row[44], 6)
    found, expected = (
        forecast_rows(network, [one], 8, "median", None, int) for one in (holes, line)
    )
    # The mask takes part in the network's own location and scale, which are nearly 0 and 1.
    np.testing.assert_allclose(found, expected, atol=0.2)


def test_a_roll_out_of_the_median_reads_its_own_forecast(network):
    (row,) = rows(128)
    whole = forecast_rows(network, [row], 64, "median", None, int)[0]
    first = forecast_rows(network, [row], 32, "median", None, int)[0]
    np.testing.assert_allclose(whole[:32], first, atol=1e-6)
    longer = np.concatenate([row, first[:, 4]])[-128:]
    second = forecast_rows(network, [longer], 32, "median", None, int)[0]
    np.testing.assert_allclose(whole[32:], second, atol=1e-5)


def test_origins_are_forecasts_of_the_rows_cut_there(network):
    given = rows(128, 60)
    found = forecast_origins(network, given, [[0, 10], [7]], 12)
    assert [len(one) for one in found] == [2, 1]
    cut = scaled(given[0][:-10], 128, True)
    expected = forecast_rows(network, [cut.values], 12, "median", None, int)[0]
    np.testing.assert_allclose(found[0][1], expected * cut.scale + cut.location, atol=1e-5)
    assert forecast_origins(network, [], [], 4) == []


def test_an_origin_before_all_values_has_the_mean_of_the_row(network):
    row = np.r_[np.full(20, np.nan), rows(30)[0]]
    (found,) = forecast_origins(network, [row], [[30, 0]], 4)
    assert (found[0] == 0).all()
    assert np.isfinite(found[1]).all()


def test_embeddings_are_rows_of_the_width_of_a_token(network):
    assert embed_rows(network, rows(5, 128)).shape == (2, network.config.d_model)
    with pytest.raises(ValueError, match="no experts"):
        route_rows(network, rows(5))
