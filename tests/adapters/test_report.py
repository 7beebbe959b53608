"""The report of a finetuning says how it went, and survives being stored."""

import dataclasses
import json

import pytest

from timer_forecaster.adapters.report import TuningReport


@pytest.fixture
def report():
    return TuningReport(
        status="improved",
        message="The validation loss fell",
        target="router",
        n_parameters=1234,
        steps=20,
        best_step=10,
        seconds=1.25,
        loss_before=0.5,
        loss_after=0.4,
        training=[(10, 0.6), (20, 0.5)],
        validation=[(0, 0.5), (10, 0.4), (20, 0.45)],
        expert_use_before=[[0.5, 0.5], [0.9, 0.1]],
        expert_use_after=[[0.4, 0.6], [0.8, 0.2]],
        n_series=3,
        n_windows=17,
    )


def test_its_text_has_the_result_and_the_sizes(report):
    assert str(report).splitlines() == [
        "The validation loss fell",
        "validated loss 0.5 -> 0.4 (-20.0 %) on 17 windows",
        "router: 1,234 parameters, 20 steps, best at 10, 3 series, 1.2 s",
    ]


def test_a_loss_of_zero_has_no_relative_change(report):
    perfect = dataclasses.replace(report, loss_before=0.0, loss_after=0.0)
    assert "0 -> 0 (+0.0 %)" in str(perfect)


@pytest.mark.parametrize("status", ["not improved", "collapsed", "diverged", "not finite"])
def test_only_improved_weights_were_kept(report, status):
    assert report.improved
    assert not dataclasses.replace(report, status=status).improved


def test_it_is_stored_as_json(report):
    again = TuningReport(**json.loads(json.dumps(dataclasses.asdict(report))))
    assert str(again) == str(report)


def test_it_draws_its_losses_and_the_use_of_the_experts(report):
    pytest.importorskip("matplotlib")
    figure = report.plot()
    assert len(figure.axes) >= 2
