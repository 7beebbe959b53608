"""Time, calls and memory are measured as documented."""

import sys

import numpy as np
import pytest

from benchmarks.measuring import count_calls, forget_peak, in_turns, measure, measure_cpu, memory


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_memory_knows_the_peak():
    forget_peak()
    before = memory()
    held = np.ones(25_000_000)
    during = memory()
    del held
    assert during["anonymous"] - before["anonymous"] > 0.15
    assert memory()["peak"] - before["now"] > 0.15
    forget_peak()
    assert memory()["peak"] < during["peak"] - 0.1


def test_medians_are_taken_over_rounds_in_turns():
    answers = iter([1.0, 10.0, 3.0, 30.0, 2.0, 20.0])
    ways = {name: lambda: {"seconds": next(answers)} for name in ("one", "two")}
    assert in_turns(ways, 3) == {"one": {"seconds": 2.0}, "two": {"seconds": 20.0}}


def test_a_sleeping_call_takes_wall_time_only():
    def sleep():
        import time

        time.sleep(0.2)

    assert measure(sleep) >= 0.2
    assert measure_cpu(sleep) < 0.1
    assert measure_cpu(lambda: sum(range(100_000))) > 0


def test_calls_are_counted_and_the_functions_restored():
    class Owner:
        def double(self, value):
            return 2 * value

    original = Owner.double
    found = []
    calls = count_calls(lambda: found.extend(map(Owner().double, range(3))), (Owner, "double"))
    assert calls == [3]
    assert found == [0, 2, 4]
    assert Owner.double is original
