"""The program generates series, and its workers note what they do."""

import json

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.ray.partitions import numbered
from timer_forecaster.ray.worker import Job
from timer_forecaster.scale import ForecastTask, SeriesColumns
from timer_forecaster.scale.folder import RunFolder

pa = pytest.importorskip("pyarrow")
pytest.importorskip("ray")
ray_scale = pytest.importorskip("benchmarks.ray_scale")


@pytest.fixture
def series(tmp_path):
    ray_scale.generate(tmp_path / "series", 12)
    return tmp_path / "series"


def test_series_have_mixed_lengths_and_their_rows_no_order(series):
    frame = pd.read_parquet(series)
    lengths = frame.groupby("id").size()
    assert len(lengths) == 12
    assert lengths.nunique() > 6
    assert lengths.between(20, 180).all()
    assert not frame["id"].is_monotonic_increasing
    assert len(list(series.iterdir())) == ray_scale.FILES


def test_a_watched_worker_notes_its_memory_and_loads(series, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ray_scale.cache, "load_network", ray_scale.cache.load_network)
    folder = RunFolder.begin(tmp_path / "out", {})
    pipeline = ForecastPipeline.from_pretrained("timer-s1-test")
    task = ForecastTask(SeriesColumns("day", "id", ["value"], "D"), 3)
    worker = ray_scale.WatchedWorker(Job(pipeline, task, folder.path, gpu=False))
    worker(numbered(pa.Table.from_pandas(pd.read_parquet(series), preserve_index=False), "id", 3))
    ((process, notes),) = ray_scale.log_of(folder.path).items()
    assert process.isdigit()
    assert notes[0]["ids"] == 12
    assert notes[0]["loads"] <= 1
    assert json.dumps(notes)
    asked = ["--work", str(tmp_path), "--series", "12", "--horizon", "3"]
    ray_scale.compare(ray_scale.parse_arguments(asked), series, folder.path)
    printed = capsys.readouterr().out
    assert "every id exactly once: True; ids, targets and times equal: True" in printed
    assert "within 1e-6 + 1e-6 of each value: True" in printed
    assert np.isfinite(ray_scale.memory("RssAnon"))


def test_throughput_counts_the_time_in_which_all_workers_are_at_work():
    early = [
        {"start": 0, "stop": 4, "cpu": 4, "ids": 8},
        {"start": 4, "stop": 8, "cpu": 2, "ids": 8},
    ]
    late = [{"start": 2, "stop": 6, "cpu": 4, "ids": 4}]
    assert ray_scale.at_once([early, late]) == (4, 8, 2 + 1 + 4, 4 + 4 + 4)
    assert ray_scale.at_once([early]) == (8, 8, 6, 16)
