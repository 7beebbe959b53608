"""The parameters of `TinyTimeMixerModel`."""

import doctest
import inspect

import pytest
from darts_cases import UNAVOIDABLE, elsewhere, without_chatter

from timer_forecaster.checkpoints.registry import TTM_MINI
from timer_forecaster.darts import TimerS1Model, TinyTimeMixerModel

__all__ = ["elsewhere", "without_chatter"]  # fixtures

pytestmark = UNAVOIDABLE


def test_parameters_are_those_of_the_other_family_but_for_the_checkpoint():
    ours = inspect.signature(TinyTimeMixerModel.__init__).parameters
    other = inspect.signature(TimerS1Model.__init__).parameters
    assert list(ours) == list(other)
    differ = [name for name in ours if ours[name].default != other[name].default]
    assert differ == ["hub_model_name"]
    assert ours["hub_model_name"].default == TTM_MINI


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_chunk_length": 0}, "output_chunk_length=0"),
        ({"hub_model_name": "nonsense"}, "'nonsense' is neither a registry name"),
        ({"rollout": "mean"}, "rollout='mean' is unknown"),
        ({"nonsense": 1}, "has no args/kwargs"),
    ],
)
def test_unusable_parameters_are_refused(arguments, message):
    usable = {"input_chunk_length": 64, "output_chunk_length": 8, "hub_model_name": "ttm-test"}
    with pytest.raises(ValueError, match=message):
        TinyTimeMixerModel(**usable | arguments)


def test_docstring_examples():
    tests = doctest.DocTestFinder(recurse=False).find(TinyTimeMixerModel, "it")
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0
