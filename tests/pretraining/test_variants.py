"""Networks of the three objectives have the same blocks and forecast through the same engine."""

import dataclasses

import numpy as np
import pytest
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.network import TimeMoEBlock
from timer_forecaster.pretraining import build_network, load_pipeline, remove_serial_blocks
from timer_forecaster.pretraining.variants import export_network

SIZES = TimerS1Architecture(
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=2,
    num_mtp_tokens=3,
    num_attention_heads=2,
    num_experts=4,
    initializer_range=0.2,
)
SERIES = np.sin(np.arange(100) / 5)


@pytest.fixture
def saved(tmp_path):
    def save(objective, **sizes):
        torch.manual_seed(0)
        network = build_network(dataclasses.replace(SIZES, **sizes), objective)
        export_network(network, network.state_dict(), tmp_path / objective, torch.float32)
        return tmp_path / objective

    return save


@pytest.mark.parametrize(("objective", "steps"), [("stp", 64), ("ntp", 16), ("mtp", 64)])
def test_objectives_have_equal_blocks(objective, steps):
    network = build_network(SIZES, objective)
    assert sum(isinstance(part, TimeMoEBlock) for part in network.modules()) == 5
    assert network.pass_length == steps
    network.set_expert_strategy("dense")
    network.set_attention_kernel("eager")


@pytest.mark.parametrize("objective", ["stp", "ntp", "mtp"])
def test_checkpoints_of_all_objectives_forecast_and_roll_out(saved, objective):
    pipe = load_pipeline(saved(objective), "cpu")
    forecast = pipe.predict([SERIES, SERIES[:50]], 100)
    assert np.isfinite(forecast.quantiles).all()
    near = pipe.predict([SERIES], 16)
    np.testing.assert_allclose(forecast.quantiles[0, :16], near.quantiles[0], atol=1e-5)


def test_a_folder_with_parallel_heads_that_has_changed_is_loaded_again(saved):
    pipe = load_pipeline(saved("mtp"), "cpu")
    before = pipe.predict(SERIES, 16).median
    saved("mtp", initializer_range=0.4)
    after = pipe.predict(SERIES, 16).median
    assert not np.allclose(before, after)
    np.testing.assert_array_equal(
        load_pipeline(saved("mtp"), "cpu").predict(SERIES, 16).median, before
    )


def test_parallel_heads_read_the_main_blocks_alone():
    network = build_network(SIZES, "mtp").eval()
    patches = torch.randn(2, 6, 32)
    last = torch.tensor([5, 3])
    before = network.forecast_pass(patches, 4, last).unflatten(-1, (4, 16))
    with torch.no_grad():
        network.mtp_modules[0].output_layer.weight.add_(1.0)
    after = network.forecast_pass(patches, 4, last).unflatten(-1, (4, 16))
    changed = [not torch.equal(before[:, :, j], after[:, :, j]) for j in range(4)]
    assert changed == [False, True, False, False]  # in a serial chain all that follow would change


def test_a_parallel_checkpoint_is_not_taken_for_a_timer_s1(saved):
    with pytest.raises(ValueError, match="'Timer-S1-MTP'; expected 'Timer-S1'"):
        ForecastPipeline.from_pretrained(saved("mtp"))


@pytest.mark.parametrize("hidden_size", [16, 256])  # a wide one is packed to forecast
def test_without_serial_blocks_the_next_patch_is_the_same_and_the_rest_is_rolled_out(
    saved, tmp_path, hidden_size
):
    sizes = {"hidden_size": hidden_size, "initializer_range": hidden_size**-0.5}
    whole = load_pipeline(saved("stp", **sizes), "cpu")
    bare = load_pipeline(remove_serial_blocks(tmp_path / "stp", tmp_path / "bare"), "cpu")
    assert bare.network.config == dataclasses.replace(SIZES, num_mtp_tokens=0, **sizes)
    one, other = (pipe.predict([SERIES], 40).quantiles[0] for pipe in (whole, bare))
    np.testing.assert_allclose(one[:16], other[:16], atol=1e-5)
    assert np.abs(one[16:] - other[16:]).max() > 1e-3


def test_a_checkpoint_of_another_family_has_no_serial_blocks(tmp_path):
    with pytest.raises(ValueError, match="'ttm-test' is no Timer-S1"):
        remove_serial_blocks("ttm-test", tmp_path)
