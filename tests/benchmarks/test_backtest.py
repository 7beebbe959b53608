"""The overhead of a backtest at tiny sizes."""

import pytest

from benchmarks import backtest

SIZES = ["--series", "3", "--steps", "60", "--windows", "2", "--horizon", "5", "--repeats", "2"]


@pytest.mark.parametrize("name", ["timer-s1-test", "ttm-test"])
def test_a_backtest_is_one_call_of_the_network(capsys, name):
    backtest.main(["--checkpoint", name, *SIZES])
    first, _, *rows, last = capsys.readouterr().out.splitlines()
    assert first == f"{name}: 3 series of 60 steps, 2 windows of 5, 1 thread(s)"
    for row in rows:
        whole, network, calls, ratio = map(float, row.split())
        assert calls == (1 if name == "timer-s1-test" else calls)
        assert ratio == pytest.approx(whole / network, rel=0.2)
    assert last.startswith("median ratio ")
