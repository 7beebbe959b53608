import threading
import time

import numpy as np
import pytest
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.models.timer_s1.network import TimerS1Network


def want_of_memory_of_the_allocator():
    torch.empty(2**55, dtype=torch.uint8)  # more than there are addresses


def want_of_memory_of_a_gpu():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def want_of_memory_of_python():
    raise MemoryError


WANTS = [want_of_memory_of_the_allocator, want_of_memory_of_a_gpu, want_of_memory_of_python]


@pytest.fixture
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test")


@pytest.fixture
def limit(monkeypatch):
    """Let memory suffice for so many rows; gives the numbers of rows that entered the network."""

    def arm(most_rows, fail):
        entered = []
        forecast_pass = TimerS1Network.forecast_pass

        def limited(self, patches, *arguments, **options):
            entered.append(len(patches))
            if len(patches) > most_rows:
                fail()
            return forecast_pass(self, patches, *arguments, **options)

        monkeypatch.setattr(TimerS1Network, "forecast_pass", limited)
        return entered

    return arm


def rows(n=13):
    return np.random.default_rng(0).standard_normal((n, 200)).cumsum(axis=1)


def assert_close(forecast, expected):
    scale = expected.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(forecast / scale, expected / scale, atol=1e-5)


@pytest.mark.parametrize("fail", WANTS)
@pytest.mark.parametrize("horizon", [20, 100])
@pytest.mark.parametrize("most_rows", [1, 4])
def test_batches_are_halved_until_they_fit(pipe, limit, fail, horizon, most_rows):
    expected = pipe.predict(rows(), horizon, rollout="median").quantiles
    entered = limit(most_rows, fail)
    forecast = pipe.predict(rows(), horizon, rollout="median").quantiles
    assert_close(forecast, expected)
    assert entered[0] == 13
    assert max(entered[-2:]) <= most_rows


def test_a_batch_size_is_where_halving_begins(pipe, limit):
    entered = limit(2, want_of_memory_of_python)
    pipe.predict(rows(8), 20, batch_size=4)
    assert entered == [4, 2, 2, 4, 2, 2]


@pytest.mark.parametrize("fail", WANTS)
def test_batches_that_fit_one_at_a_time_stay_whole(pipe, monkeypatch, fail):
    both, under_way, entered = threading.Barrier(2), [], []
    forecast_pass = TimerS1Network.forecast_pass

    def limited(self, patches, *arguments):
        under_way.append(threading.get_ident())
        try:
            entered.append(len(patches))
            if len(entered) <= 2:
                both.wait(60)
                fail()
            time.sleep(0.05)  # for another batch to come, were it not kept out
            assert len(under_way) == 1
            return forecast_pass(self, patches, *arguments)
        finally:
            under_way.remove(threading.get_ident())

    expected = pipe.predict(rows(8), 20, batch_size=4).quantiles
    monkeypatch.setattr(TimerS1Network, "forecast_pass", limited)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        forecast = pipe.predict(rows(8), 20, batch_size=4).quantiles
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(forecast, expected)
    assert entered == [4, 4, 4, 4]


@pytest.mark.parametrize("fail", WANTS)
def test_what_is_too_large_for_a_single_row_says_what_would_help(pipe, limit, fail):
    limit(0, fail)
    with pytest.raises(MemoryError) as caught:
        pipe.predict(rows(3), 20)
    for word in ("context_length", "dtype='bfloat16'", "quantized", "set_num_threads(1)"):
        assert word in str(caught.value)
    assert isinstance(caught.value.__cause__, (MemoryError, RuntimeError))


def test_other_errors_are_not_tried_again(pipe, limit):
    def fail():
        raise RuntimeError("mat1 and mat2 must have the same dtype")

    entered = limit(0, fail)
    with pytest.raises(RuntimeError, match="same dtype"):
        pipe.predict(rows(), 20)
    assert entered == [13]
