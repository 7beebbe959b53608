"""Series of mixed lengths, and one Ray for all tests that need it."""

import os

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.ray.cluster import start_ray

NAMES = {"id_column": "shop", "time_column": "day", "target_columns": "sold"}
CHECKPOINT = "timer-s1-test"
PATIENT = {
    "RAY_idle_worker_killing_time_threshold_ms": "600000",  # each worker starts for seconds
    "RAY_worker_niceness": "0",  # 15 by itself, which a busy machine starves
    "RAY_worker_register_timeout_seconds": "300",  # 60 by itself
}
"""Settings of Ray for a slow machine."""


def pytest_collection_modifyitems(config, items):
    """Leave out the tests that need no Ray where those that start it run alone."""
    if "RAY_TESTS" in os.environ:
        left_out = [item for item in items if "local_ray" not in item.fixturenames]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if "local_ray" in item.fixturenames]


@pytest.fixture(scope="session")
def sales():
    """Rows of 40 series of mixed lengths in random order; one series has no value."""
    random = np.random.default_rng(0)
    series = []
    for number in range(40):
        days = pd.date_range("2024-01-01", periods=int(random.integers(20, 90)))
        sold = np.full(len(days), np.nan) if number == 7 else random.gamma(2.0, size=len(days))
        series.append(pd.DataFrame({"shop": f"shop {number}", "day": days, "sold": sold}))
    return pd.concat(series).sample(frac=1, random_state=0, ignore_index=True)


@pytest.fixture(scope="session")
def files(sales, tmp_path_factory):
    """A folder of two Parquet files, each with rows of all series."""
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("sales")
    half = len(sales) // 2
    sales[:half].to_parquet(folder / "a.parquet", index=False)
    sales[half:].to_parquet(folder / "b.parquet", index=False)
    return folder


@pytest.fixture(scope="session")
def local_ray():
    """Run a small Ray for the whole session: it takes seconds to start.

    Ray gives up on a machine whose cores are busy (`timer_forecaster.ray.cluster.start_ray`), as
    they are while other tests run. So these tests run alone, as `.ci/run` does; where Ray does not
    start even then, which says nothing about this package, they are skipped.
    """
    if "RAY_TESTS" not in os.environ:
        pytest.skip("RAY_TESTS=1 pytest -n 0 tests/ray starts Ray, which needs free cores")
    advice = "pip install 'timer-forecaster[ray]'"
    ray = pytest.importorskip("ray", reason=f"Ray is not installed: {advice}")
    pytest.importorskip("ray.data", reason=f"Ray Data is not installed: {advice}")
    os.environ.update({**PATIENT, **os.environ})
    place = {"address": "local", "num_cpus": 2, "object_store_memory": 200_000_000}
    try:
        start_ray(**({} if "RAY_ADDRESS" in os.environ else place))
    except RuntimeError as error:
        pytest.skip(str(error))
    yield ray
    ray.shutdown()
