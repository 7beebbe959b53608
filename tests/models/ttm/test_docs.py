"""The Python of docs/ttm.md runs."""

import re

import pytest
from places import ROOT

PAGE = (ROOT / "docs" / "ttm.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
FRAMEWORKS = ("sktime", "darts", "sklearn")

pytestmark = [
    pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]


def run(words, monkeypatch):
    """Run the block with these words."""
    monkeypatch.chdir(ROOT)
    (block,) = (block for block in BLOCKS if words in block)
    names = {}
    exec(block, names)  # noqa: S102
    return names


def test_there_is_no_other_block():
    assert len(BLOCKS) == 2 + len(FRAMEWORKS)


def test_frames(monkeypatch):
    assert len(run("predict_frame", monkeypatch)["week"]) == 168


def test_known_columns(monkeypatch):
    names = run("FinetuneConfig", monkeypatch)
    error = abs(names["forecast"].median[0] - names["sales"][-24:]).mean()
    assert error < 0.25 * names["sales"].std()


def test_sktime(monkeypatch):
    pytest.importorskip("sktime")
    assert len(run("TinyTimeMixerForecaster", monkeypatch)["forecaster"].predict()) == 24


def test_darts(monkeypatch):
    pytest.importorskip("darts")
    assert run("TinyTimeMixerModel", monkeypatch)["day"].n_components == 3


def test_sklearn(monkeypatch):
    pytest.importorskip("sklearn")
    assert run("TimerS1Regressor", monkeypatch)["tomorrow"].shape == (1, 24)
