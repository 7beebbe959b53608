"""The log of a run, and its sums."""

import types

import pytest
import torch

from timer_forecaster.pretraining.records import TERMS, Meter, RunLog


def test_records_come_back_in_order(tmp_path):
    log = RunLog(tmp_path / "log.jsonl")
    assert log.last() == {}
    for step in (10, 20, 30):
        log.append({"step": step, "loss": step / 7})
    assert log.last() == {"step": 30, "loss": 30 / 7}


def test_records_after_a_step_are_dropped(tmp_path):
    log = RunLog(tmp_path / "log.jsonl")
    for step in (10, 20, 30):
        log.append({"step": step})
    log.cut(20)
    assert log.last() == {"step": 20}
    log.append({"step": 30, "again": True})
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 3


def test_a_line_that_was_cut_off_is_ignored_and_replaced(tmp_path):
    log = RunLog(tmp_path / "log.jsonl")
    log.append({"step": 10})
    with log.path.open("a") as file:
        file.write('{"step": 2')
    assert log.last() == {"step": 10}
    log.cut(10)
    log.append({"step": 20})
    assert log.last() == {"step": 20}


def test_a_meter_sums_terms_tokens_and_the_time_of_drawing():
    batches = types.SimpleNamespace(device=torch.device("cpu"), seconds=5.0)
    meter = Meter(batches)
    for _ in range(3):
        meter.add(torch.arange(1.0, 1 + len(TERMS)), 256)
        batches.seconds += 0.5
    assert (meter.steps, meter.tokens) == (3, 768)
    assert meter.sums.tolist() == [3.0, 6.0, 9.0, 12.0]
    elapsed, drawing = meter.read()
    assert elapsed >= 0
    assert drawing == pytest.approx(1.5)
