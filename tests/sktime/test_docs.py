"""The Python of docs/sktime.md runs."""

import re

import numpy as np
import pytest
from places import ROOT

DOCS = (ROOT / "docs" / "sktime.md").read_text(encoding="utf-8")

datasets = pytest.importorskip("sktime.datasets")


# A few steps on a few months: the page shows how to finetune, and may gain nothing.
@pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning")
def test_the_page_for_sktime_users_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    airline = datasets.load_airline()
    names = {"y": airline[:132], "y_new": airline[132:]}
    first, *others = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    exec(first, names)  # noqa: S102
    assert str(names["forecaster"].cutoff[0]) == "1960-12"
    assert len(names["forecaster"].predict()) == 24
    for block in others:
        exec(block, names)  # noqa: S102
    assert names["pretrained"].get_pretrained_params()
    assert (tmp_path / "my-adapter").is_dir()
    results = names["results"]
    assert len(results) == 3
    assert np.isfinite(results["test_MeanAbsolutePercentageError"]).all()
