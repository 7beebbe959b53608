"""What a run of Timer-S1 does in each step."""

from timer_forecaster.pretraining import PretrainingConfig
from timer_forecaster.pretraining.timer_s1 import TimerS1Family


def test_depth_is_drawn_for_serial_blocks_alone(settings):
    family = TimerS1Family(PretrainingConfig.from_mapping(settings))
    depths = [family.depth(step) for step in range(14)]
    assert set(depths) == {1, 2}
    assert depths == [TimerS1Family(family.config).depth(step) for step in range(14)]
    assert {family.depth(step) for step in range(14, 24)} == {2}
    parallel = PretrainingConfig.from_mapping(settings | {"objective": "mtp"})
    assert {TimerS1Family(parallel).depth(step) for step in range(14)} == {2}


def test_windows_are_sized_by_stage_and_pool(config):
    family = TimerS1Family(config)
    assert [family.size(0, pool) for pool in (0, 1)] == [(16, 128), (16, 128)]
    assert [family.size(14, pool) for pool in (0, 1, 2)] == [(16, 128), (8, 256), (16, 128)]
    assert family.units(14) == 128
    assert family.held_out_steps() == (8 + 3) * 16


def test_validation_runs_all_serial_blocks(config):
    family = TimerS1Family(config)
    assert family.arguments(14) == ("inverse_sqrt", 2)
    assert family.arguments_of_validation() == ("equal", 2)
    assert family.leaves_out_parameters()
