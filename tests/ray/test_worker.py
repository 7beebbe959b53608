import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.ray.partitions import numbered
from timer_forecaster.ray.worker import Job, PartitionWorker
from timer_forecaster.scale import ForecastTask, SeriesColumns
from timer_forecaster.scale.folder import RunFolder, name_of

pa = pytest.importorskip("pyarrow")

TASK = ForecastTask(SeriesColumns("day", "shop", ["sold"]), 3)


@pytest.fixture
def job(tmp_path):
    folder = RunFolder.begin(tmp_path / "out", {})
    return Job(ForecastPipeline.from_pretrained("timer-s1-test"), TASK, folder.path, gpu=False)


def test_a_worker_loads_the_weights_once(job, sales, loads):
    worker = PartitionWorker(job)
    table = numbered(pa.Table.from_pandas(sales, preserve_index=False), "shop", 4)
    reports = [worker(table.filter(pa.compute.equal(table["__partition__"], n))) for n in range(4)]
    assert len(loads) == 1
    assert [report["partition"].to_pylist() for report in reports] == [[0], [1], [2], [3]]
    assert sum(report["ids"][0].as_py() for report in reports) == 40


def test_partitions_of_a_worker_are_the_forecast_of_the_frame(job, sales):
    PartitionWorker(job)(numbered(pa.Table.from_pandas(sales, preserve_index=False), "shop", 3))
    written = pd.read_parquet(job.output / "forecast").sort_values(["shop", "day"])
    names = {"time_column": "day", "id_column": "shop", "target_columns": ["sold"]}
    with pytest.warns(UserWarning, match="no forecast"):
        whole = job.pipeline.predict_frame(sales, 3, on_error="nan", **names)
    expected = whole.dropna().sort_values(["shop", "day"])
    pd.testing.assert_frame_equal(
        written.reset_index(drop=True), expected.reset_index(drop=True), rtol=0, atol=1e-6
    )
    assert pd.read_parquet(job.output / "rejected")["shop"].tolist() == ["shop 7"]


def test_a_partition_that_is_answered_twice_is_there_once(job, sales):
    table = numbered(pa.Table.from_pandas(sales, preserve_index=False), "shop", 1)
    file = job.output / "forecast" / f"{name_of(0)}.parquet"
    PartitionWorker(job)(table)
    first = file.read_bytes()
    PartitionWorker(job)(table.take(list(range(table.num_rows))[::-1]))
    assert file.read_bytes() == first
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_an_error_that_the_task_causes_is_reported(job, sales):
    table = numbered(pa.Table.from_pandas(sales.assign(sold="many")), "shop", 1)
    report = PartitionWorker(job)(table)
    assert "target 'sold'" in report["error"][0].as_py()
    assert not (job.output / "finished").exists()


def test_a_worker_that_does_not_see_the_output_says_so(job, tmp_path):
    other = Job(job.pipeline, job.task, tmp_path / "elsewhere", gpu=False)
    with pytest.raises(ValueError, match=r"elsewhere.*all machines of the cluster share"):
        PartitionWorker(other)
