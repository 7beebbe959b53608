"""Rows as Timer-S1 reads them."""

import numpy as np
import pytest
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.engine.timer_s1 import (
    embed_rows,
    forecast_origins,
    forecast_rows,
    pad_batch,
    route_rows,
)

PATCH = 16


@pytest.fixture(scope="module")
def network():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu").network


def rows(*lengths):
    return [np.random.default_rng(n).normal(size=n) for n in lengths]


def test_rows_end_with_a_whole_patch_and_filler_follows(network):
    short, long = np.arange(1.0, 19.0), np.arange(1.0, 50.0)
    short[4] = np.nan
    patches = pad_batch(network, [short, long])
    assert patches.shape == (2, 4, 2 * PATCH)
    values, observed = patches[0, :, :PATCH].flatten(), patches[0, :, PATCH:].flatten()
    expected = np.concatenate([np.zeros(14), np.nan_to_num(short), np.zeros(32)])
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(observed, expected > 0)


def test_rows_are_padded_in_the_type_of_the_network(network):
    assert pad_batch(network, rows(5)).dtype == network.dtype
    double = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype="float64")
    third = np.full(PATCH, 1 / 3)
    assert float(pad_batch(double.network, [third])[0, 0, 0]) == 1 / 3


def test_forecasts_ascend_and_every_row_is_counted(network):
    done = []
    quantiles = forecast_rows(network, rows(5, 40, 33), 20, "quantile", 2, done.append)
    assert quantiles.shape == (3, 20, 9)
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    assert sum(done) == 3 and max(done) <= 2


def test_no_rows_have_no_forecast(network):
    assert forecast_rows(network, [], 20, "median", None, print).shape == (0, 20, 9)


def test_an_embedding_is_the_output_at_the_newest_token(network):
    embedded = embed_rows(network, rows(40, 7, 100))
    for row, found in zip(rows(40, 7, 100), embedded, strict=True):
        with torch.inference_mode():
            stage = next(network.stages(pad_batch(network, [row]), 0))
        np.testing.assert_allclose(found, stage.hidden_states[0, -1], atol=1e-5)


def test_filler_takes_no_part_in_the_routing(network):
    together = route_rows(network, rows(7, 200))
    alone = np.concatenate([route_rows(network, [row]) for row in rows(7, 200)])
    np.testing.assert_allclose(together, alone)
    np.testing.assert_allclose(together.sum(axis=-1), 1)


def test_each_origin_equals_the_forecast_of_the_shorter_row(network):
    patch, horizon = network.config.input_token_len, network.pass_length - 1
    random = np.random.default_rng(0)
    given = [random.normal(size=steps) for steps in (5 * patch, 7 * patch + 3)]
    back = [[0, 2 * patch], [patch]]
    found = forecast_origins(network, given, back, horizon)
    for row, steps, own in zip(given, back, found, strict=True):
        cut = [row[: len(row) - step] for step in steps]
        expected = forecast_rows(network, cut, horizon, "median", None, lambda n: None)
        np.testing.assert_allclose(own, expected, atol=1e-5)
    assert forecast_origins(network, [], [], 4) == []
