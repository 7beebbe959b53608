"""Runs on a small Ray: their answers, what they leave, and what a second run does."""

import os
import signal

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.failures import SeriesWarning
from timer_forecaster.ray import forecast, running, sample_paths
from timer_forecaster.ray.running import Way, allows_gpus, run
from timer_forecaster.ray.worker import ERROR
from timer_forecaster.scale import ForecastTask, SeriesColumns
from timer_forecaster.scale.folder import RunFolder

NAMES = {"id_column": "shop", "time_column": "day", "target_columns": "sold"}
TINY = {"checkpoint": "timer-s1-test"}
SORTED = ["shop", "target", "day"]

# Ray leaves processes that it starts to themselves.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def written(output, order=SORTED):
    return pd.read_parquet(output / "forecast").sort_values(order, ignore_index=True)


def assert_close(table, expected, order=SORTED):
    expected = expected.sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(table, expected, rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def expected(sales):
    pipeline = ForecastPipeline.from_pretrained("timer-s1-test")
    with pytest.warns(SeriesWarning):
        return pipeline.predict_frame(sales, 5, on_error="nan", **NAMES).dropna()


@pytest.mark.filterwarnings("ignore::timer_forecaster.failures.SeriesWarning")
def test_a_stopped_run_goes_on_and_equals_the_pipeline(local_ray, files, tmp_path, expected, capfd):
    out = tmp_path / "out"
    asked = {**NAMES, **TINY, "workers": 2, "partitions": 5, "output": out}
    totals = forecast(files, 5, **asked)
    assert_close(written(out), expected)
    assert (totals.series, totals.rejected) == (40, 1)
    assert totals.forecast_rows == len(expected)
    (bad,) = pd.read_parquet(out / "rejected").to_numpy().tolist()
    assert bad == ["shop 7", "sold", "has no value"]
    assert "Execution plan" not in "".join(capfd.readouterr())

    times = {path.name: path.stat().st_mtime_ns for path in (out / "forecast").iterdir()}
    (out / "finished" / "part-000003.json").unlink()  # as if stopped before its end
    assert forecast(files, 5, **asked) == totals
    assert_close(written(out), expected)
    changed = {
        path.name
        for path in (out / "forecast").iterdir()
        if path.stat().st_mtime_ns != times[path.name]
    }
    assert changed == {"part-000003.parquet"}
    with pytest.raises(ValueError, match="another run: horizon was 5, is 6"):
        forecast(files, 6, **asked)


def test_a_worker_that_dies_is_replaced(local_ray, sales, tmp_path, expected):
    class Dying(ForecastTask):
        """A forecast whose process is killed the first time, after it has done the work."""

        def answer(self, pipeline, frame):
            found = super().answer(pipeline, frame)
            try:
                (tmp_path / "killed").touch(exist_ok=False)
            except FileExistsError:
                return found
            os.kill(os.getpid(), signal.SIGKILL)

    task = Dying(SeriesColumns("day", "shop", ["sold"]), 5)
    pipeline = ForecastPipeline.from_pretrained("timer-s1-test")
    out, way = tmp_path / "out", Way(workers=1, partitions=4, gpus=False, progress=False)
    data = local_ray.data.from_pandas(sales)
    with pytest.warns(SeriesWarning, match="1 series of 40 ids"):
        run(data, None, pipeline, task, out, way)
    assert (tmp_path / "killed").exists()
    assert_close(written(out), expected)
    assert [path for path in out.rglob("*") if path.name.startswith(".")] == []


@pytest.mark.filterwarnings("ignore::timer_forecaster.failures.SeriesWarning")
def test_another_future_is_another_run(local_ray, sales, files, tmp_path):
    last = sales.groupby("shop")["day"].max()
    for name, days in {"near": 3, "far": 5}.items():
        steps = pd.timedelta_range("1D", periods=days)
        rows = [(shop, day + step, 1.0) for shop, day in last.items() for step in steps]
        pd.DataFrame(rows, columns=["shop", "day", "price"]).to_parquet(
            tmp_path / f"{name}.parquet"
        )
    sales.assign(price=1.0).to_parquet(tmp_path / "sales.parquet")
    asked = {**NAMES, **TINY, "known_columns": "price", "partitions": 1, "output": tmp_path / "out"}
    forecast(tmp_path / "sales.parquet", 3, future=tmp_path / "near.parquet", **asked)
    with pytest.raises(ValueError, match=r"another run: future was .*near\.parquet"):
        forecast(tmp_path / "sales.parquet", 3, future=tmp_path / "far.parquet", **asked)


def test_paths_beside_a_frame_of_the_future(local_ray, sales, tmp_path):
    sales = sales[sales["shop"].isin([f"shop {n}" for n in range(6)])]
    sales = sales.assign(price=np.arange(len(sales)) % 5)
    days = sales.groupby("shop")["day"].max()
    future = pd.concat(
        pd.DataFrame({"shop": shop, "day": pd.date_range(day, periods=4)[1:], "price": 1})
        for shop, day in days.items()
    )
    out = tmp_path / "out"
    beside = {"known_columns": ["price"], "covariates": "always"}
    data, later = map(local_ray.data.from_pandas, (sales, future))
    asked = {"random_state": 1, "output": out, "workers": 1, "progress": False}
    totals = sample_paths(data, 3, 8, future=later, **asked, **beside, **NAMES, **TINY)
    order = ["shop", "path", "day"]
    pipeline = ForecastPipeline.from_pretrained("timer-s1-test")
    frames = {"future_frame": future, "random_state": 1}
    expected = pipeline.sample_paths_frame(
        sales.sort_values(["shop", "day"]), 3, 8, **frames, **beside, **NAMES
    )
    assert_close(written(out, order), expected, order)
    assert totals.forecast_rows == 6 * 8 * 3


def test_the_error_of_a_task_is_the_error_of_the_run(tmp_path, monkeypatch):
    ray, pa = pytest.importorskip("ray"), pytest.importorskip("pyarrow")
    pytest.importorskip("ray.data")
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})

    class Groups:
        """A dataset whose workers report an error about the second of two partitions."""

        def materialize(self):
            return self

        def map_batches(self, *_, **__):
            return self

        def iter_batches(self, **_):
            return [pa.table({ERROR: [None, "target 'sold' holds text"]})]

    monkeypatch.setattr(running, "_grouped", lambda *_: Groups())
    task, way = ForecastTask(SeriesColumns("day", "shop", ["sold"]), 5), Way(1, 2, False, False)
    folder = RunFolder.begin(tmp_path / "out", {})
    with pytest.raises(ValueError, match=r"^target 'sold' holds text$"):
        running._answer(None, None, task, folder, way, 2, ())
    assert folder.finished("part-000000") is None


@pytest.mark.parametrize(("device", "gpus"), [("auto", True), ("cpu", False)])
def test_a_device_is_chosen_by_the_cluster(device, gpus):
    pipeline = ForecastPipeline.from_pretrained("timer-s1-test")
    assert allows_gpus(pipeline, device) is gpus


def test_eight_bits_compute_on_cores(int8_kernel):
    pipeline = ForecastPipeline.from_pretrained("timer-s1-test", quantization="int8")
    assert not allows_gpus(pipeline, "auto")
