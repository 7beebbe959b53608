"""A run does not change in silence how its initial checkpoint is read."""

import dataclasses
import json
import re
import warnings

import numpy as np
import pytest
import torch
import yaml
from places import ROOT

from timer_forecaster import ForecastPipeline
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.ttm import TTMArchitecture
from timer_forecaster.pretraining import (
    PretrainingConfig,
    TTMPretrainingConfig,
    build_network,
    pretrain,
)
from timer_forecaster.pretraining.continuity import check_continuity
from timer_forecaster.pretraining.variants import export_network

MINI = "timer-s1-mini"
SHIPPED = TimerS1Architecture.from_config_file(find_checkpoint(MINI) / "config.json")
GROWN = dataclasses.asdict(SHIPPED) | {"num_hidden_layers": 5, "quantiles": list(SHIPPED.quantiles)}


def run(settings, folder, initial, architecture):
    stage = settings["stages"][0] | {"steps": 1, "warmup_steps": 0, "window_patches": 12}
    settings |= {"stages": [stage], "initial_checkpoint": initial, "architecture": architecture}
    return pretrain(PretrainingConfig.from_mapping(settings), folder, device="cpu")


@pytest.mark.parametrize("initial", [{"grow": MINI}, MINI], ids=["grown", "plain"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("preferred_rollout", "'quantile' .* has 'multiscale'; write preferred_rollout: multisc"),
        ("transforms_series", "False .* has True; write transforms_series: true in the archi"),
        ("interior_masks", "False .* has True; write interior_masks: true"),
    ],
)
def test_a_field_that_was_left_out_is_refused_by_name(settings, tmp_path, initial, name, message):
    left = {key: value for key, value in GROWN.items() if key != name}
    if initial == MINI:
        left["num_hidden_layers"] = SHIPPED.num_hidden_layers
    with pytest.raises(ValueError, match=rf"{name}={message}"):
        run(settings, tmp_path, initial, left)


@pytest.mark.parametrize(
    "change", [{"max_context_length": 512}, {"preferred_rollout": "median"}], ids=str
)
def test_another_value_is_named_in_a_warning(change):
    ((name, value),) = change.items()
    with pytest.warns(UserWarning, match=f"{name}={value!r} .* which has"):
        check_continuity(MINI, dataclasses.replace(SHIPPED, **change))


@pytest.mark.parametrize(
    ("change", "written"),
    [
        ({"quantiles": (0.02, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.98)}, r"quantiles: \[0.02, "),
        ({"rope_theta": 500000.0}, "rope_theta: 500000.0"),
    ],
    ids=["quantiles", "rope_theta"],
)
def test_weights_are_not_read_by_other_levels_or_positions(settings, tmp_path, change, written):
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
    sizes |= {"num_hidden_layers": 1, "num_mtp_tokens": 1, "num_experts": 2}
    whole = TimerS1Architecture(**sizes, **change)
    network = build_network(whole, "stp")
    export_network(network, network.state_dict(), tmp_path / "first", torch.float32)
    check_continuity(tmp_path / "first", whole)
    with pytest.raises(ValueError, match=f"write {written}"):
        run(settings, tmp_path / "second", str(tmp_path / "first"), sizes)


@pytest.mark.parametrize(
    ("change", "written"),
    [
        ({"quantile_levels": (0.05, 0.5, 0.95)}, r"quantile_levels: \[0.05, 0.5, 0.95\]"),
        ({"scaling": "mean"}, "scaling: mean"),
        ({"mq_q50_type": "mean"}, "mq_q50_type: mean"),
        ({"prediction_filter_length": 8}, "prediction_filter_length: 8"),
        ({"norm_eps": 1e-6}, "norm_eps: 1.0e-06"),
        ({"gate_groups": 4}, "gate_groups: 4"),
        ({"fft_ignore_dc": True}, "fft_ignore_dc: true"),
    ],
    ids=str,
)
def test_a_tinytimemixer_is_read_as_its_checkpoint(tmp_path, change, written):
    before = TTMArchitecture(multi_quantile_head=True, **change)
    (tmp_path / "config.json").write_text(json.dumps(before.to_dict()))
    check_continuity(tmp_path, before)
    with pytest.raises(ValueError, match=f"write {written}"):
        check_continuity(tmp_path, TTMArchitecture(multi_quantile_head=True))


def test_a_tinytimemixer_goes_on_as_its_checkpoint_forecasts(tmp_path):
    stage = {"name": "all", "steps": 1, "windows_per_step": 2, "learning_rate": 1e-9}
    settings = {"model": "ttm", "initial_checkpoint": "ttm-mini", "stages": [stage]}
    settings |= {"data": {"families": {"clean_periodic": 1}}, "validation_rows": 2}
    settings |= {"log_every": 1, "checkpoint_every": 1, "pool_steps": 1, "bfloat16": False}
    size = {"size": "tiny", "preferred_rollout": "multiscale"}
    left = TTMPretrainingConfig.from_mapping(settings | {"architecture": size})
    with pytest.raises(ValueError, match="write transforms_series: true in the architecture"):
        pretrain(left, tmp_path, device="cpu")
    whole = settings | {"architecture": size | {"transforms_series": True}}
    pretrain(TTMPretrainingConfig.from_mapping(whole), tmp_path, device="cpu")
    day = np.tile(np.arange(24.0), 20)
    found, expected = (
        ForecastPipeline.from_pretrained(name, device="cpu").predict(day, 200).median
        for name in (tmp_path, "ttm-mini")
    )
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_sizes_losses_and_a_longer_context_may_change():
    larger = {"num_hidden_layers": 9, "training_loss": "wql", "max_context_length": 8192}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_continuity(MINI, dataclasses.replace(SHIPPED, **larger))


def test_the_example_of_the_manual_can_grow_the_embedded_checkpoint():
    text = (ROOT / "docs" / "pretraining.md").read_text(encoding="utf-8")
    example = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_continuity(MINI, PretrainingConfig.from_mapping(example).architecture)


def test_heads_of_another_objective_are_read_too(tmp_path):
    sizes = dataclasses.replace(SHIPPED, hidden_size=16, num_attention_heads=2)
    network = build_network(sizes, "mtp")
    export_network(network, network.state_dict(), tmp_path, torch.float32)
    check_continuity(tmp_path, sizes)
    with pytest.raises(ValueError, match="write transforms_series: true"):
        check_continuity(tmp_path, dataclasses.replace(sizes, transforms_series=False))


def test_a_run_that_was_begun_without_them_resumes(settings, tmp_path, monkeypatch):
    left = GROWN | {"preferred_rollout": "quantile"}
    with monkeypatch.context() as patch:
        patch.setattr("timer_forecaster.pretraining.timer_s1.check_continuity", lambda *_: None)
        run(settings, tmp_path, {"grow": MINI}, left)
    assert run(settings, tmp_path, {"grow": MINI}, left).metrics["step"] == 1
