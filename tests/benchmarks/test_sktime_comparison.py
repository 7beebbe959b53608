"""Our side of the comparison with sktime's own class, whose side needs another environment."""

import io
import json
import sys

import numpy as np
import pytest

from benchmarks.places import MINI, TINY
from benchmarks.processes import answer_for
from benchmarks.sktime_comparison import __main__ as program
from benchmarks.sktime_comparison import questions, reports
from timer_forecaster import release
from timer_forecaster.checkpoints import cache
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Network

pytest.importorskip("sktime")

MODEL = str(find_checkpoint("timer-s1-test"))


@pytest.fixture
def uncounted(monkeypatch):
    """Remove the program's counters afterwards, and forget every network and forecast."""
    release()
    monkeypatch.setattr(cache, "load_network", cache.load_network)
    monkeypatch.setattr(TimerS1Network, "forecast_pass", TimerS1Network.forecast_pass)


def test_a_fitted_estimator_is_small():
    assert questions.pickled("ours", MODEL, 256) < 20_000


def test_four_metrics_over_five_folds_are_five_passes(uncounted):
    assert 1 <= questions.passes("ours", MODEL) <= 5


@pytest.mark.parametrize("backend", [None, "threading"])
def test_a_grid_search_loads_once(uncounted, backend):
    assert questions.loads("ours", MODEL, backend) == "1 in 1 process(es)"


def test_a_process_answers_questions(monkeypatch, capsys):
    asked = [
        ["quantiles", MODEL, {"horizon": 3, "n": 2}],
        ["panel", MODEL, {"seed": 1, "horizon": 3, "n": 2, "options": {}}],
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(map(json.dumps, asked))))
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # the program replaces it
    answer_for("ours", questions.QUESTIONS)
    quantiles, seconds = map(json.loads, capsys.readouterr().out.splitlines())
    assert np.shape(quantiles) == (6, 9)
    assert (np.diff(quantiles) >= 0).all()
    assert seconds > 0


def test_it_asks_for_the_other_environment(capsys):
    with pytest.raises(SystemExit):
        program.main([])
    assert "--reference-python is needed" in capsys.readouterr().err


def test_the_default_checkpoints_exist():
    for folder in (MINI, TINY):
        assert (folder / "config.json").exists()


class Ours:
    """Answers in this process."""

    def ask(self, question, *arguments, **details):
        return questions.QUESTIONS[question]("ours", *arguments, **details)

    def close(self):
        pass


class Theirs(Ours):
    """Stands in for sktime's class: forecasts half a standard deviation above ours."""

    def ask(self, question, *arguments, **details):
        if question == "quantiles":
            return np.add(super().ask(question, *arguments, **details), 0.5)
        return {"panel": 10.0, "pickled": 12_000_000, "passes": 20}[question]


def test_reports_print_both_sides(uncounted, monkeypatch, capsys):
    monkeypatch.setattr(reports, "BACKENDS", (None,))
    monkeypatch.setattr(reports, "Process", lambda *arguments: Ours())
    reports.report_loads({"ours": "python"}, MODEL)
    reports.report_panels(Theirs(), Ours(), MODEL, n=2, repeats=1)
    reports.report_sizes(Theirs(), Ours(), MODEL)
    loads, title, header, *panels, first, second, calls = capsys.readouterr().out.splitlines()
    assert loads == "loads in a 4 x 5 grid search, None: ours 1 in 1 process(es)"
    assert title == "fit and predict 2 series of 256 steps: CPU seconds, medians of 1"
    assert header.split()[:2] == ["horizon", "sktime"]
    assert [line.split()[0] for line in panels] == ["48", "96"]
    assert all(line.split()[-1] == "5.0e-01" for line in panels)
    assert first.startswith("pickle, fitted to 256 steps: sktime 12,000,000 bytes, ours ")
    assert second.startswith("pickle, fitted to 1024 steps: sktime 12,000,000 bytes, ours ")
    assert int(calls.rpartition(" ")[2]) <= 5
    assert calls.startswith("network calls for 4 metrics over 5 folds: sktime 20, ours ")
