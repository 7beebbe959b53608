"""The study of finetuning at tiny sizes: it cuts the data as documented, and goes on."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks.finetuning import study as study_of
from benchmarks.finetuning.__main__ import main
from benchmarks.finetuning.data import load
from benchmarks.finetuning.tables import by_data_set, by_target

SETTINGS = {"steps": 1, "context_length": 64, "batch_size": 2}
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
    data = load(folder, "sold__M")
    assert data.horizon == 12
    for series, target in zip(data.tuning, data.targets, strict=True):
        whole = np.r_[series, target]
        assert len(whole) in (150, 160, 170)
    assert [len(context) for context in data.contexts] == [138, 148, 158]


def study(folder, *extra):
    main(
        ["--data", str(folder), "--output", str(folder / "out.jsonl"), "--datasets", "sold__M",
         "load__H", "--targets", "head", "norms", "--checkpoint", "timer-s1-test",
         "--settings", json.dumps(SETTINGS), *extra]
    )  # fmt: skip


def test_a_study_goes_on_where_it_was_and_fills_its_page(folder, capsys, monkeypatch):
    page = folder / "page.md"
    page.write_text(PAGE)
    study(folder, "--seeds", "0")
    first = (folder / "out.jsonl").read_text()
    assert len(first.splitlines()) == 4
    capsys.readouterr()
    # A process that is new loads torch, and one is enough to show that it has the same numbers.
    monkeypatch.setattr(study_of, "ProcessPoolExecutor", lambda jobs, _: ThreadPoolExecutor(jobs))
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


def results(target, seed, name, ratio, status="improved"):
    return {
        "data": name,
        "target": target,
        "seed": seed,
        "crps": 0.2 * ratio,
        "zero_shot": 0.2,
        "status": status,
        "parameters": 20_000,
        "bytes": 80_000,
        "seconds": 12.0,
        "series": 3,
        "horizon": 48,
        "windows": 9,
    }


def test_tables_take_means_over_data_sets_and_spreads_over_seeds():
    rows = [
        results("norms", 0, "nn5__D", 0.9),
        results("norms", 0, "load__H", 0.4),
        results("norms", 1, "nn5__D", 1.0, "not improved"),
        results("norms", 1, "load__H", 0.64),
        results("head", 0, "nn5__D", 0.5),
    ]
    head, norms = by_target(rows)
    assert (head["target"], head["CRPS, zero-shot = 1"], head["gain"]) == (
        "head",
        "0.500",
        "50.0 %",
    )
    assert norms["CRPS, zero-shot = 1"] == "0.700 ± 0.141"  # of 0.6 and 0.8
    assert norms["worst data set"] == "0.950 (nn5)"
    assert norms["kept"] == "3 of 4"
    assert norms["gain per 10,000"] == "15.00 %"
    assert norms["adapter"] == "80 kB"
    nn5, load_ = by_data_set(rows)
    assert (nn5["data set"], nn5["head"], nn5["norms"]) == ("nn5__D", "0.500", "0.950 ± 0.071")
    assert (load_["head"], load_["zero-shot"]) == (None, 0.2)
