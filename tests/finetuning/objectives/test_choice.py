"""The objective of a network is that of its family."""

from timer_forecaster.finetuning.objectives import timer_s1, ttm
from timer_forecaster.finetuning.objectives.choice import Objective, objective_of


def test_the_family_decides(pipe, ttm_points):
    assert objective_of(pipe.network) is timer_s1
    assert objective_of(ttm_points.network) is ttm
    assert objective_of(ttm_points.network).expert_use is None


def test_both_families_have_all_functions():
    for module in (timer_s1, ttm):
        missing = [name for name in Objective.__annotations__ if not hasattr(module, name)]
        assert missing == []
