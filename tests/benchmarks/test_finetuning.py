"""The studies of tuning at tiny sizes: that they measure what they say."""

import json
import sys

import finetuning
import finetuning_memory
import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

SETTINGS = {"steps": 1, "context_length": 64, "batch_size": 2}
TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_mtp_tokens": 1,
    "num_attention_heads": 2,
    "num_experts": 4,
}
PAGE = "".join(f"<!-- {name} -->\n<!-- end {name} -->\n" for name in ("targets", "data sets"))


@pytest.fixture
def folder(tmp_path):
    """Two data sets of three series."""
    random = np.random.default_rng(0)
    for name in ("sold__M", "load__H"):
        rows = [random.normal(size=n) + np.sin(np.arange(n)) for n in (150, 160, 170)]
        frame = pd.DataFrame({"item_id": ["a", "b", "c"], "target": [r.tolist() for r in rows]})
        frame.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_the_end_of_every_series_tests(folder):
    data = finetuning.load(folder, "sold__M")
    assert data.horizon == 12
    for series, target in zip(data.tuning, data.targets, strict=True):
        whole = np.r_[series, target]
        assert len(whole) in (150, 160, 170)
    assert [len(context) for context in data.contexts] == [138, 148, 158]


def study(folder, *extra):
    finetuning.main(
        ["--data", str(folder), "--output", str(folder / "out.jsonl"), "--datasets", "sold__M",
         "load__H", "--targets", "head", "norms", "--checkpoint", "timer-s1-test",
         "--settings", json.dumps(SETTINGS), *extra]
    )  # fmt: skip


def test_a_study_goes_on_where_it_was_and_fills_its_page(folder, capsys):
    page = folder / "page.md"
    page.write_text(PAGE)
    study(folder, "--seeds", "0")
    first = (folder / "out.jsonl").read_text()
    assert len(first.splitlines()) == 4
    capsys.readouterr()
    study(folder, "--seeds", "0", "1", "--page", str(page))
    both = (folder / "out.jsonl").read_text()
    assert both.startswith(first)
    rows = [json.loads(line) for line in both.splitlines()]
    assert len(rows) == 8
    assert {row["parameters"] > 0 and np.isfinite(row["crps"]) for row in rows} == {True}
    same = {row["zero_shot"] for row in rows if row["data"] == "load__H"}
    assert len(same) == 1
    with pytest.raises(ValueError, match="holds results of another checkpoint or settings"):
        study(folder, "--settings", "{}")
    text = page.read_text()
    assert "| head | " in text
    assert "| load__H | 3 | 48 | 3 |" in text


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_memory_is_measured_in_a_process_of_its_own(tmp_path, capsys):
    settings = {"steps": 2, "context_length": 64, "batch_size": 2}
    finetuning_memory.main(
        ["--work", str(tmp_path), "--sizes", json.dumps(TINY), "--settings", json.dumps(settings)]
    )
    header, _, line = capsys.readouterr().out.strip().splitlines()
    row = dict(zip(header.split(" | "), line.split(" | "), strict=True))
    head = 32 * 32 + 32 + 2 * (32 * 144 + 144)
    assert row["| trained"] == f"| {3 * 4 * 32 + head:,}"
    assert float(row["activations, GB"]) > 0
    own = float(row["most of it not of files, GB"])
    assert float(row["activations, GB"]) < own < float(row["most resident, GB"])
