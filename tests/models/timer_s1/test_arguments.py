"""`generate` accepts arrays, and refuses by name what it cannot use."""

import numpy as np
import pandas as pd
import pytest
import torch

from timer_forecaster.models.timer_s1 import TimerS1Config, TimerS1ForPrediction

SERIES = 20 + 5 * np.sin(np.arange(120).reshape(3, 40))
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
    "num_attention_heads": 2,
    "num_experts": 2,
    "initializer_range": 0.2,
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return TimerS1ForPrediction(TimerS1Config(**SIZES)).eval()


ARRAYS = {
    "float64": SERIES,
    "float32": SERIES.astype(np.float32),
    "float16": SERIES.astype(np.float16),
    "big-endian": SERIES.astype(">f8"),
    "every second": np.repeat(SERIES, 2, axis=1)[:, ::2],
    "reversed": SERIES[::-1][::-1],
    "read-only": np.frombuffer(SERIES.tobytes()).reshape(SERIES.shape),
    "lists": SERIES.tolist(),
    "tuples": tuple(map(tuple, SERIES.tolist())),
    "list of arrays": list(SERIES),
    "list of tensors": list(torch.from_numpy(SERIES)),
    "masked without a mask": np.ma.masked_array(SERIES),
    "values of a frame": pd.DataFrame(SERIES).to_numpy(),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_forecast_as_tensors_do(model, kind):
    expected = model.generate(torch.from_numpy(SERIES), 20)
    found = model.generate(ARRAYS[kind], 20)
    tolerance = 2e-2 if kind == "float16" else 1e-5
    torch.testing.assert_close(found.double(), expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8])
def test_integers_are_their_float64_values(model, dtype):
    whole = torch.from_numpy(SERIES).round()
    assert torch.equal(model.generate(whole.to(dtype), 20), model.generate(whole, 20))
    assert torch.equal(model.generate(whole.to(dtype).numpy(), 20), model.generate(whole, 20))


def test_large_integers_are_not_rounded_to_float32(model):
    whole = torch.from_numpy(SERIES).round().long()
    high = model.generate(whole + 10**12, 20) - 10**12
    assert (high - model.generate(whole, 20)).abs().max() < 1e-2


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (SERIES[0], ValueError, r"inputs has shape \(40,\).*inputs\[None\]"),
        (SERIES[None], ValueError, "inputs has shape"),
        (1.5, ValueError, "inputs has shape"),
        ([], ValueError, "inputs has shape"),
        (np.empty((0, 40)), ValueError, "inputs has shape"),
        (torch.empty(3, 0), ValueError, "inputs has shape"),
        (np.where(SERIES > 24, np.nan, SERIES), ValueError, "inputs holds NaN"),
        (torch.full((1, 9), torch.inf), ValueError, "inputs holds NaN or infinite"),
        (np.ma.masked_greater(SERIES, 24), ValueError, "inputs has masked values"),
        ([[1.0, 2.0], [3.0]], ValueError, "inputs must be rows of equally many numbers"),
        (SERIES.astype(complex), TypeError, "inputs must hold real numbers"),
        (torch.ones(2, 9, dtype=torch.complex64), TypeError, "inputs must hold real numbers"),
        ([["1", "2"]], TypeError, "inputs must hold real numbers"),
        ([[1.0, None]], TypeError, "inputs must hold real numbers"),
        (None, TypeError, "inputs must hold real numbers"),
        (SERIES.astype("timedelta64[D]"), TypeError, "inputs must hold real numbers"),
        (SERIES.astype("datetime64[D]"), TypeError, "inputs must hold real numbers"),
        (pd.DataFrame(SERIES), TypeError, "inputs is a frame"),
    ],
)
def test_inputs_that_are_no_series_are_refused(model, inputs, error, message):
    with pytest.raises(error, match=message):
        model.generate(inputs, 20)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"num_beams": 4}, ValueError),
        ({"do_sample": True}, ValueError),
        ({"num_return_sequences": 3}, ValueError),
        ({"return_dict_in_generate": True}, ValueError),
        ({"attention_mask": np.ones((3, 39))}, ValueError),
        ({"attention_mask": torch.ones(40)}, ValueError),
        ({"attention_mask": np.arange(120).reshape(3, 40) > 5}, ValueError),
        ({"revin": "no"}, TypeError),
        ({"temperature": 0.5}, TypeError),
        ({"top_k": 5}, TypeError),
        ({"max_length": 50}, TypeError),
        ({"horizon": 5}, TypeError),
        ({"generation_config": None}, TypeError),
    ],
)
def test_options_that_cannot_be_used_are_refused_by_name(model, options, error):
    with pytest.raises(error, match=next(iter(options))):
        model.generate(SERIES, 20, **options)


@pytest.mark.parametrize("steps", [0, -1, 2.5, "20", None, True, np.nan, [20]])
def test_numbers_of_steps_that_cannot_be_meant_are_refused(model, steps):
    with pytest.raises((TypeError, ValueError), match="max_new_tokens"):
        model.generate(SERIES, steps)


def test_options_that_ask_for_nothing_are_accepted(model):
    expected = model.generate(SERIES, 20)
    found = model.generate(
        SERIES,
        max_new_tokens=np.uint8(20),
        attention_mask=torch.ones(3, 40, dtype=torch.long),
        do_sample=False,
        num_beams=1,
        use_cache=True,
    )
    assert torch.equal(found, expected)


@pytest.mark.parametrize("name", ["input_ids", "attention_mask", "output_attentions", "steps"])
def test_forward_refuses_arguments_of_other_models(model, name):
    with pytest.raises(TypeError, match=name):
        model(torch.zeros(1, 32), **{name: torch.ones(1, 32)})


def test_a_network_in_training_mode_makes_no_random_forecast():
    model = TimerS1ForPrediction(TimerS1Config(**SIZES)).train()
    with pytest.raises(ValueError, match=r"eval\(\)"):
        model.generate(SERIES, 20)
    assert model.eval().generate(SERIES, 20).shape == (3, 9, 20)
    without = TimerS1ForPrediction(TimerS1Config(**SIZES, dropout_rate=0.0)).train()
    assert without.generate(SERIES, 20).shape == (3, 9, 20)


def test_weights_that_are_not_finite_make_no_forecast(model):
    broken = TimerS1ForPrediction(TimerS1Config(**SIZES)).eval()
    torch.nn.init.constant_(broken.model.norm.weight, torch.nan)
    with pytest.raises(ValueError, match="not finite"):
        broken.generate(SERIES, 20)
