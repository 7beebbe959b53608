import dataclasses
import json

import numpy as np
import pytest

from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.finetuning.config import LEARNING_RATES, TARGETS


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"target": "everything"}, ValueError),
        ({"steps": 0}, ValueError),
        ({"steps": 1.5}, TypeError),
        ({"steps": True}, TypeError),
        ({"learning_rate": 0.0}, ValueError),
        ({"learning_rate": float("nan")}, ValueError),
        ({"learning_rate": "high"}, TypeError),
        ({"batch_size": 0}, ValueError),
        ({"context_length": 1}, ValueError),
        ({"target": ["head"]}, ValueError),
        ({"horizon": 0}, ValueError),
        ({"validation": 0.0}, ValueError),
        ({"validation": 1.0}, ValueError),
        ({"patience": 0}, ValueError),
        ({"balance_loss": -1e-3}, ValueError),
        ({"router_kl": float("inf")}, ValueError),
        ({"weight_decay": None}, TypeError),
        ({"lora_rank": 0}, ValueError),
        ({"target": "lora", "hot_experts": 1.5}, ValueError),
        ({"seed": -1}, ValueError),
        ({"seed": 2**63}, ValueError),
        *[({"learning_rate": v}, ValueError) for v in (0.0, -1.0, float("nan"), float("inf"))],
        *[({"weight_decay": v}, ValueError) for v in (-1.0, float("nan"), float("inf"))],
        *[({"validation": v}, ValueError) for v in (-0.1, float("nan"), float("inf"))],
        ({"steps": 2.5}, TypeError),
        ({"steps": True}, TypeError),
        ({"batch_size": float("nan")}, TypeError),
    ],
)
def test_bad_settings_are_named(settings, error):
    *_, name = settings
    with pytest.raises(error, match=name):
        FinetuneConfig(**settings)


@pytest.mark.parametrize("settings", [{"hot_experts": 0.5}, {"lora_rank": 4}])
def test_settings_of_lora_are_refused_elsewhere(settings):
    with pytest.raises(ValueError, match="applies to target='lora', not to 'head'"):
        FinetuneConfig(target="head", **settings)


def test_numbers_of_numpy_become_plain_ones():
    config = FinetuneConfig(steps=np.int64(3), learning_rate=np.float32(0.5), seed=np.uint8(1))
    assert json.loads(json.dumps(dataclasses.asdict(config))) == dataclasses.asdict(config)
    assert config == FinetuneConfig(steps=3, learning_rate=0.5, seed=1)


def test_each_target_has_a_learning_rate_of_its_own():
    assert {FinetuneConfig(target=target).peak_learning_rate for target in TARGETS} == set(
        LEARNING_RATES.values()
    )
    assert FinetuneConfig(learning_rate=0.5).peak_learning_rate == 0.5


def test_windows_per_step_follow_their_length():
    config = FinetuneConfig()
    assert config.windows_per_step(1) == 64
    assert config.windows_per_step(10**6) == 4
    assert FinetuneConfig(batch_size=7).windows_per_step(1) == 7
