"""Tensors of Darts to rows and back: no value is rounded on the way."""

import numpy as np
import pytest
import torch
from darts import TimeSeries
from darts_cases import (
    TRAINING,
    elsewhere,
    make,
    make_series,
    tuned,
    values,
    without_chatter,
)

from timer_forecaster.darts.tensors import (
    delay,
    fold_components,
    own_precision,
    unfold_components,
)

__all__ = ["elsewhere", "without_chatter"]  # fixtures

pytestmark = TRAINING


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scale_of_a_float64_series_is_kept(scale):
    series = make_series()
    expected = make().fit(series).predict(24).values()
    forecast = make().fit(series * scale).predict(24).values()
    np.testing.assert_allclose(forecast / scale, expected, rtol=1e-6)


def test_level_of_a_float64_series_is_kept():
    series = make_series()
    expected = make().fit(series).predict(24).values()
    forecast = make().fit(series + 1e9).predict(24).values()  # float32 knows multiples of 64 here
    np.testing.assert_allclose(forecast - 1e9, expected, atol=1e-4)


def test_infinite_values_are_refused():
    array = values(64)
    array[10] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        make().fit(TimeSeries.from_values(array)).predict(24)


def test_infinite_values_are_refused_after_a_window_too():
    array = values(40)
    array[-1] = np.inf
    with pytest.raises(ValueError, match="infinite somewhere"):
        tuned().fit(TimeSeries.from_values(array))


# --- the functions --------------------------------------------------------------------------


def test_components_become_rows_and_come_back():
    batch = torch.arange(2 * 5 * 3, dtype=torch.float32).reshape(2, 5, 3)
    rows = fold_components(batch)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows[4], batch[1, :, 1])  # the second of three components
    back = unfold_components(rows[..., None], batch)
    assert back.dtype == torch.float32
    torch.testing.assert_close(back[..., 0], batch)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rows_of_half_precision_are_refused(dtype):
    with pytest.raises(ValueError, match=rf"arrives as {dtype}: half precision would round"):
        fold_components(torch.ones(1, 4, 1, dtype=dtype))


def test_a_delay_is_missing():
    np.testing.assert_array_equal(delay(np.ones((1, 2)), 1), [[np.nan, 1, 1]])


def test_tensors_made_under_inference_mode_and_autocast_are_plain():
    weight = torch.ones(2, 2)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert (weight @ weight).dtype == torch.bfloat16
        with own_precision(weight.device, gradients=True):
            product = weight @ weight.requires_grad_()
    assert product.dtype == torch.float32
    assert product.requires_grad and not product.is_inference()
