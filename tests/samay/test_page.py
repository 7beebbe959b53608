"""The snippets of Samay's page run with only their imports changed."""

import re
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from places import ROOT

import timer_forecaster.samay.model as model_module
from timer_forecaster.samay import TinyTimeMixerModel, training

PAGE = (ROOT / "tests" / "data" / "samay" / "page.txt").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)

pytestmark = [
    pytest.mark.filterwarnings("ignore:the weights of this model are random"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # torch's, of quantize_dynamic
    pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor"),
    pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning"),
]


def run_page(folder, monkeypatch, table, changes=()):
    """Run all snippets, one after the other, on files of one table."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    monkeypatch.chdir(folder)
    (folder / "data").mkdir()
    for name in ("ETTh1", "new_domain", "multivariate"):
        table.to_csv(folder / "data" / f"{name}.csv", index=False)
    names = {}
    for snippet in SNIPPETS:
        code = snippet.replace("from samay.", "from timer_forecaster.samay.")
        for pattern, text in changes:
            code = re.sub(pattern, text, code)
        exec(code, names)  # noqa: S102
        pyplot.close("all")
    return names


def test_all_snippets_run(tmp_path, monkeypatch, capsys):
    """With fewer epochs and other boundaries, as the file is shorter than the page's."""
    bikes = pd.read_csv(ROOT / "examples" / "bike_sharing.csv", nrows=1240)
    table = bikes[["time", "rentals", "temp"]].rename(columns={"time": "date"})
    changes = [(r"epochs=\d+", "epochs=1"), (r"\[0, 10000, 15000\]", "[0, 900, 1200]")]
    assert len(SNIPPETS) == 23
    names = run_page(tmp_path, monkeypatch, table, changes)
    assert names["finetuned_model"].trained
    assert names["preds"].shape == names["trues"].shape == (29, 2, 96)
    assert names["histories"].shape == (29, 2, 512)
    assert np.isfinite(names["preds"]).all()
    assert isinstance(names["loaded_model"], TinyTimeMixerModel)
    last = table[["rentals", "temp"]].to_numpy()[-96:].T
    np.testing.assert_array_equal(names["trues"][-1], last)
    printed = capsys.readouterr().out
    assert re.search(r"^MAPE: \d+\.\d{4}%$", printed, flags=re.MULTILINE)
    assert "Predictions shape: (" in printed


@pytest.mark.slow
def test_all_snippets_run_as_they_are_written(tmp_path, monkeypatch):
    """On a file as long as the page's boundaries need, with two batches in each training."""
    batches = training._batches
    monkeypatch.setattr(training, "_batches", lambda *given: islice(batches(*given), 2))
    monkeypatch.setattr(model_module, "check_integer", lambda name, value, *rest: min(value, 1))
    steps = np.arange(15_100)
    wave = 10 * np.sin(2 * np.pi * steps / 24) + np.random.default_rng(0).normal(size=len(steps))
    dates = pd.date_range("2016-07-01", periods=len(steps), freq="h").astype(str)
    names = run_page(tmp_path, monkeypatch, pd.DataFrame({"date": dates, "OT": wave}))
    assert names["preds"].shape == (445, 1, 96)
