"""The Python of docs/samay.md runs."""

import re
import shutil

from places import ROOT

DOCS = (ROOT / "docs" / "samay.md").read_text(encoding="utf-8")


def test_the_page_runs(tmp_path, monkeypatch, recwarn):
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "bike_sharing.csv", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL):
        exec(block, names)  # noqa: S102
    assert names["preds"].shape == names["trues"].shape == (89, 2, 24)
    assert names["model"].trained
    assert 0 < names["avg_loss"] < 2
    assert not recwarn.list


def test_every_argument_is_explained():
    import dataclasses
    import inspect

    from timer_forecaster.samay import TinyTimeMixerDataset
    from timer_forecaster.samay.settings import ModelSettings

    names = [field.name for field in dataclasses.fields(ModelSettings)]
    names += inspect.signature(TinyTimeMixerDataset).parameters
    assert [name for name in names if f"`{name}`" not in DOCS] == []
