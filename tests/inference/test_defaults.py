"""Torch's defaults, which users may set for the rest of their program, change no forecast."""

import numpy as np
import pytest
import torch

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.inference import convert_checkpoint
from timer_forecaster.models.timer_s1.layouts.int8_kernel import activation_steps

MODEL = "timer-s1-test"
WIDE = {  # enough for weights to be packed
    "hidden_size": 256,
    "intermediate_size": 256,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 2,
    "num_mtp_tokens": 1,
}


@pytest.fixture(params=["dtype", "device"])
def set_default(request):
    """Set one of the defaults; networks and what is known of the kernels are found out anew."""

    def set_it():
        release()
        activation_steps.cache_clear()
        if request.param == "dtype":
            torch.set_default_dtype(torch.float64)
        else:
            torch.set_default_device("meta")  # what is put there by mistake cannot be read

    yield set_it
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    release()


def forecasts(name, **options):
    rng = np.random.default_rng(0)
    series = [rng.normal(size=n).cumsum() for n in (300, 40, 7)]
    pipe = ForecastPipeline.from_pretrained(name, device="cpu", **options)
    rollouts = [pipe.predict(series, 120, rollout=r).quantiles for r in ("median", "quantile")]
    return np.stack(rollouts)


@pytest.mark.parametrize("quantization", [None, "int8"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", [MODEL, None])
def test_forecasts_are_the_same(name, dtype, quantization, set_default, int8_kernel):
    options = {"dtype": dtype, "quantization": quantization}
    if name is None:
        options["config"] = WIDE
    expected = forecasts(name, **options)
    set_default()
    np.testing.assert_array_equal(forecasts(name, **options), expected)


def test_conversions_are_the_same(tmp_path, set_default, int8_kernel):
    expected = forecasts(convert_checkpoint(MODEL, tmp_path / "before"))
    set_default()
    found = forecasts(convert_checkpoint(MODEL, tmp_path / "after"))
    np.testing.assert_array_equal(found, expected)
    for file in ("model-00001.safetensors", "config.json"):
        assert (tmp_path / "before" / file).read_bytes() == (tmp_path / "after" / file).read_bytes()


def test_embeddings_are_the_same(set_default):
    series = np.random.default_rng(0).normal(size=(3, 100))

    def embed():
        return ForecastPipeline.from_pretrained(MODEL, device="cpu").embed(series)

    expected = embed()
    set_default()
    np.testing.assert_array_equal(embed(), expected)
