"""What tells checkpoints of TinyTimeMixer apart."""

import json

import pytest

from timer_forecaster.models.ttm import TTMArchitecture
from timer_forecaster.models.ttm.adaptation import parameter_shapes
from timer_forecaster.models.ttm.identity import computed_by, told_apart_by

SIZES = TTMArchitecture()


@pytest.mark.parametrize(
    "same",
    [
        {"dropout": 0.5},
        {"loss": "mae"},
        {"scaling": True},
        {"extras": {"preferred_rollout": "median"}},
        {"point_extra_weight": 2},
    ],
)
def test_settings_of_training_tell_nothing(same):
    assert computed_by(TTMArchitecture(**same)) == computed_by(SIZES)


@pytest.mark.parametrize(
    "other",
    [
        {"scaling": "mean"},
        {"gate_mode": "sigmoid"},
        {"norm_eps": 1e-3},
        {"prediction_filter_length": 8},
        {"minimum_scale": 1e-3},
        {"context_length": 72},
    ],
)
def test_other_ways_to_compute_do(other):
    assert computed_by(TTMArchitecture(**other)) != computed_by(SIZES)


def test_the_values_are_plain():
    assert json.dumps(computed_by(SIZES))


def test_all_tensors_count_and_norms_as_a_whole():
    names = parameter_shapes(TTMArchitecture(multi_quantile_head=True))
    found = told_apart_by(names)
    assert list(found) == sorted(names)
    assert {name for name, whole in found.items() if whole} == {
        name for name in names if "norm" in name or name.startswith("multi_quantile_head_block.")
    }
