"""Configurations are checked, and read in any form."""

import pytest
from places import ROOT

from timer_forecaster.models.timer_s1 import (
    TimerS1Architecture,
    TimerS1Config,
    TimerS1ForPrediction,
    as_architecture,
)

TINY = ROOT / "tests" / "data" / "parity" / "tiny"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 30}, "hidden_size=30"),
        ({"num_experts_per_token": 99}, "num_experts_per_token=99"),
        ({"hidden_act": "gelu"}, "hidden_act='gelu'"),
        ({"quantiles": [0.9, 0.1]}, "quantiles"),
        ({"training_loss": "mse"}, "training_loss='mse'"),
        ({"quantiles": [0.5]}, "two or more"),
        ({"max_context_length": 5}, "max_context_length=5"),
        ({"num_mtp_tokens": -1}, "num_mtp_tokens=-1"),
    ],
)
def test_configurations_that_cannot_work_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        TimerS1Config(**change)
    with pytest.raises(ValueError, match=message):
        TimerS1ForPrediction(TimerS1Config.from_pretrained(TINY, **change))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"num_experts": 2.0}, TypeError, r"num_experts=2\.0 must be an integer"),
        ({"num_hidden_layers": 0}, ValueError, "num_hidden_layers=0 must be at least 1"),
        (
            {"serial_weighting": "flat"},
            ValueError,
            "serial_weighting='flat' is unknown; use one of",
        ),
        ({"preferred_rollout": "best"}, ValueError, "preferred_rollout='best' is unknown"),
        ({"quantiles": [0.1, 1.0]}, ValueError, r"inside \(0, 1\)"),
        ({"quantiles": [0.1, 0.1]}, ValueError, "distinct"),
        ({"quantiles": ["0.1", "0.5"]}, ValueError, "two or more, ascending"),
    ],
)
def test_fields_are_named_in_errors(change, error, message):
    with pytest.raises(error, match=message):
        TimerS1Architecture(**change)


def test_a_file_is_read_without_entries_of_transformers(tmp_path):
    found = TimerS1Architecture.from_config_file(TINY / "config.json")
    assert found == as_architecture(TimerS1Config.from_pretrained(TINY))
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ValueError, match="model_type 'llama'; expected 'Timer-S1'"):
        TimerS1Architecture.from_config_file(tmp_path / "config.json")


def test_any_form_of_a_configuration_gives_the_same_architecture():
    changes = {"hidden_size": 64, "quantiles": [0.1, 0.9]}
    expected = TimerS1Architecture(**changes)
    assert expected.quantiles == (0.1, 0.9)
    for config in (expected, changes, changes | {"use_cache": True}, TimerS1Config(**changes)):
        assert as_architecture(config) == expected
    with pytest.raises(ValueError, match=r"unknown fields \['width'\]"):
        as_architecture({"width": 7})
    with pytest.raises(TypeError, match="config is of type int"):
        as_architecture(7)
