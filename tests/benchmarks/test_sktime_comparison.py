"""Our side of the comparison with sktime's own class, whose side needs another environment."""

import importlib.util
import io
import json
import sys

import numpy as np
import pytest
from places import ROOT

from timer_forecaster import release
from timer_forecaster.checkpoints import cache
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Network

pytest.importorskip("sktime")

PROGRAM = ROOT / "benchmarks" / "sktime_comparison.py"
MODEL = str(find_checkpoint("timer-s1-test"))


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("sktime_comparison", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    sys.modules["sktime_comparison"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["sktime_comparison"]


@pytest.fixture
def uncounted(monkeypatch):
    """Take the program's counters out again, and forget every network and forecast."""
    release()
    monkeypatch.setattr(cache, "load_network", cache.load_network)
    monkeypatch.setattr(TimerS1Network, "forecast_pass", TimerS1Network.forecast_pass)


def test_a_fitted_estimator_is_small(program):
    assert program.pickled("ours", MODEL, 256) < 20_000


def test_four_metrics_over_five_folds_are_five_passes(program, uncounted):
    assert 1 <= program.passes("ours", MODEL) <= 5


@pytest.mark.parametrize("backend", [None, "threading"])
def test_a_grid_search_loads_once(program, uncounted, backend):
    assert program.loads("ours", MODEL, backend) == "1 in 1 process(es)"


def test_a_process_answers_questions(program, monkeypatch, capsys):
    questions = [
        ["quantiles", MODEL, {"horizon": 3, "n": 2}],
        ["panel", MODEL, {"seed": 1, "horizon": 3, "n": 2, "options": {}}],
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(map(json.dumps, questions))))
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # it takes another, for its own words
    program.answer_for("ours", program.QUESTIONS)
    quantiles, seconds = map(json.loads, capsys.readouterr().out.splitlines())
    assert np.shape(quantiles) == (6, 9)
    assert (np.diff(quantiles) >= 0).all()
    assert seconds > 0


def test_it_asks_for_the_other_environment(program, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sktime_comparison.py"])
    with pytest.raises(SystemExit):
        program.main()
    assert "--reference-python is needed" in capsys.readouterr().err
