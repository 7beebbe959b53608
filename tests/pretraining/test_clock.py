"""The clock of a run, on a time that the test sets."""

import pytest

from timer_forecaster.pretraining import clock


@pytest.fixture
def now(monkeypatch):
    times = [100.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: times[0])
    return times


def test_without_bounds_time_has_no_influence(now):
    unset = clock.Clock(None, None)
    now[0] = 1e9
    assert not (unset.is_set or unset.is_over or unset.checkpoint_is_due)


def test_a_run_is_over_after_its_time(now):
    running = clock.Clock(10.0, None)
    now[0] = 109.9
    assert running.is_set and not running.is_over
    now[0] = 110.0
    assert running.is_over and not running.checkpoint_is_due


def test_a_checkpoint_is_due_some_time_after_the_last(now):
    running = clock.Clock(None, 5.0)
    now[0] = 106.0
    assert running.checkpoint_is_due
    running.saved()
    assert not running.checkpoint_is_due
    now[0] = 111.0
    assert running.checkpoint_is_due and not running.is_over


@pytest.mark.parametrize("seconds", [0.0, float("nan")])
def test_a_time_must_be_positive(seconds):
    with pytest.raises(ValueError, match="checkpoint_seconds="):
        clock.Clock(None, seconds)
