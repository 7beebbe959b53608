"""The objective of a network is that of its family."""

from timer_forecaster.finetuning.objectives import timer_s1, ttm
from timer_forecaster.finetuning.objectives.choice import objective_of


def test_the_family_decides(pipe, ttm_points):
    assert objective_of(pipe.network).make_windows is timer_s1.make_windows
    assert objective_of(ttm_points.network).make_windows is ttm.make_windows
    assert objective_of(ttm_points.network).expert_use is None
