"""The configuration of transformers has the fields and the checks of the architecture."""

import dataclasses
import pickle

import pytest

from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Config, pretrained


def test_the_configuration_has_the_defaults_of_the_architecture():
    config, sizes = TimerS1Config(), TimerS1Architecture()
    for field in dataclasses.fields(TimerS1Architecture):
        assert getattr(config, field.name) == getattr(sizes, field.name)


def test_the_configuration_checks_its_fields():
    with pytest.raises(ValueError, match="num_attention_heads"):
        TimerS1Config(hidden_size=32, num_attention_heads=5)


def test_the_name_of_remote_code_is_dropped():
    config = TimerS1Config(auto_map={"AutoConfig": "configuration.Config"})
    assert not hasattr(config, "auto_map")


def test_the_former_home_of_the_class_has_its_name():
    config = TimerS1Config(hidden_size=64)
    home = b"timer_forecaster.models.timer_s1."
    now = pickle.dumps(config, protocol=0)
    then = now.replace(home + b"configuration", home + b"pretrained")
    assert then != now
    assert pickle.loads(then).hidden_size == 64  # noqa: S301
    assert pretrained.TimerS1Config is TimerS1Config
