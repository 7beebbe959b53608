"""Programs written for version 0.1 find checkpoints by this module."""

from timer_forecaster.checkpoints import registry
from timer_forecaster.models import checkpoints


def test_the_names_of_version_0_1_are_the_present_functions():
    for name in checkpoints.__all__:
        assert getattr(checkpoints, name) is getattr(registry, name)


def test_a_checkpoint_is_found():
    assert (checkpoints.find_checkpoint("timer-s1-test") / "config.json").is_file()
