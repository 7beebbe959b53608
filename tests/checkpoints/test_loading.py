import multiprocessing
import warnings
from concurrent.futures import ProcessPoolExecutor

import pytest

from timer_forecaster.checkpoints import loading
from timer_forecaster.checkpoints.key import NetworkKey


def loading_warns(large):
    """Warnings of two loads by a process where networks of so many parameters are large."""
    usual = loading._LARGE
    loading._LARGE = large
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for dtype in ("float32", "float64"):
                loading.load_network(NetworkKey.resolve("timer-s1-test", None, "cpu", dtype))
    finally:
        loading._LARGE = usual
    return [(warning.category, str(warning.message)) for warning in caught]


def in_loky(function, argument):
    joblib = pytest.importorskip("joblib")
    # with one job joblib would stay in this process
    return joblib.Parallel(n_jobs=2, backend="loky")([joblib.delayed(function)(argument)])[0]


def in_spawned_pool(function, argument):
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, argument).result()


@pytest.mark.parametrize("in_worker", [in_loky, in_spawned_pool])
def test_a_worker_of_a_pool_warns_once_of_its_copy_of_a_large_network(in_worker):
    assert in_worker(loading_warns, loading._LARGE) == []
    [(category, message)] = in_worker(loading_warns, 1)
    assert category is UserWarning
    assert "'timer-s1-test' has" in message
    assert "own copy" in message
    assert "backend=None or backend='threading'" in message


def test_the_main_process_does_not_warn_of_copies():
    assert loading_warns(1) == []
