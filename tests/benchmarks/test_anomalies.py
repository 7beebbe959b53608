"""The comparison of detectors, on few series and a network of random weights."""

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from benchmarks import anomalies
from benchmarks.anomaly_cases import SEASONS, SPIKES, Case


def test_a_row_for_each_detector(capsys, monkeypatch):
    pytest.importorskip("darts")
    monkeypatch.setattr(anomalies, "CONTEXT", 40)
    few = list(anomalies.cases(0, 1, 100, 60))[:3]
    monkeypatch.setattr(anomalies, "cases", lambda *unused: few)
    anomalies.main(["--checkpoint", "timer-s1-test", "--steps", "100", "--start", "60"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(anomalies.detectors("timer-s1-test", 60))
    assert {line.count("|") for line in lines} == {9}


def test_flags_are_counted_from_the_start_on():
    odd = np.zeros(anomalies.STEPS, bool)
    odd[500] = True
    flags = odd.copy()
    flags[[10, 450, 501]] = True
    counts = anomalies.counted([Case(SPIKES, "", odd * 1.0, odd)], [flags], anomalies.START)
    assert counts[:3] == (1, 1, 2)
    assert counts.precision == pytest.approx(1 / 3)
    assert counts.recall == 1
    odd[500:524] = True
    counts = anomalies.counted([Case(SEASONS, "", odd * 1.0, odd)], [flags], anomalies.START)
    assert counts[:3] == (1, 1, 1)  # the flag soon after it is neither right nor wrong


def test_the_rolling_score_sees_the_past_alone():
    values = np.random.default_rng(0).normal(size=100)
    values[80] = 9
    (flags,) = anomalies.by_rolling_scores([values], 0.999)
    assert np.flatnonzero(flags).tolist() == [80]
