import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.engine import threads
from timer_forecaster.inference.engine.timer_s1 import forecast_rows
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.network import TimerS1Network

WIDE = TimerS1Architecture(
    hidden_size=512,
    intermediate_size=256,
    num_hidden_layers=1,
    num_mtp_tokens=1,
    num_attention_heads=8,
    num_experts=8,
)
PATIENCE = 60  # seconds to wait for another thread; a test that waits so long fails


@pytest.fixture(autouse=True)
def all_helpers_end():
    """See that none waits for ever, and that none works on into the next test after an error."""
    called = []
    submit = ThreadPoolExecutor.submit

    def noted(pool, function):
        called.append(submit(pool, function))
        return called[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", noted)
        yield
        assert wait(called, PATIENCE).not_done == set()


@pytest.fixture
def set_threads():
    """Set the number of torch's threads, for the time of a test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test")


@pytest.fixture
def meeting(monkeypatch):
    """Make the first calls of a method wait until they are made in as many threads at once.

    Gives a function that arms a method, and returns the numbers of torch's threads found by every
    call, by thread.
    """

    def arm(owner, name, n_threads):
        found, barrier = {}, threading.Barrier(n_threads)
        original = getattr(owner, name)

        def met(*arguments, **options):
            here = threading.get_ident()
            if here not in found and len(found) < n_threads:
                found[here] = []
                barrier.wait(PATIENCE)
            found[here].append(torch.get_num_threads())
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, met)
        return found

    return arm


def mixed_rows(n=12):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(steps).cumsum() for steps in rng.integers(20, 700, n)]


def found_in_new_thread():
    numbers = []
    thread = threading.Thread(target=lambda: numbers.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return numbers[0]


def helpers():
    return [t for t in threading.enumerate() if t.name.startswith("timer-forecaster")]


@pytest.mark.parametrize("rollout", ["quantile", "median", "multiscale"])
def test_forecasts_are_bit_identical_whatever_the_threads(pipe, set_threads, rollout):
    forecasts = []
    for n_threads in (1, 2, 4):
        set_threads(n_threads)
        forecasts.append(pipe.predict(mixed_rows(6), 60, rollout=rollout, batch_size=2).quantiles)
    for forecast in forecasts[1:]:
        np.testing.assert_array_equal(forecast, forecasts[0])


def test_embeddings_and_routing_are_bit_identical_whatever_the_threads(pipe, set_threads):
    rows = mixed_rows(60)
    found = []
    for n_threads in (1, 4):
        set_threads(n_threads)
        found.append((pipe.embed(rows), pipe.routing(rows).shares))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_batches_are_worked_off_by_threads_of_one_openmp_thread_each(pipe, set_threads, meeting):
    set_threads(2)
    found = meeting(TimerS1Network, "forecast_pass", 2)
    pipe.predict(mixed_rows(), 5, batch_size=1)
    assert threading.get_ident() in found
    assert len(found) == 2
    assert sum(map(len, found.values())) == 12
    assert {number for numbers in found.values() for number in numbers} == {1}


def test_an_operation_of_a_helper_starts_no_openmp_threads(set_threads):
    if not os.path.isdir("/proc/self/task"):
        pytest.skip("counts threads in /proc")
    set_threads(2)
    square = torch.ones(700, 700)
    counts = []

    def multiply():
        before = len(os.listdir("/proc/self/task"))
        square.sin() @ square
        counts.append(len(os.listdir("/proc/self/task")) - before)

    with threads.thread_team(torch.device("cpu"), 2, share_experts=False) as team:
        assert len(list(team.map(lambda _: multiply(), range(2)))) == 2
    assert counts == [0, 0]


@pytest.mark.parametrize("n_threads", [2, 3])
def test_settings_are_left_as_found(pipe, set_threads, monkeypatch, n_threads):
    set_threads(n_threads)
    meanwhile = []
    forecast_pass = TimerS1Network.forecast_pass

    def looking(*arguments):
        meanwhile.append(found_in_new_thread())
        return forecast_pass(*arguments)

    monkeypatch.setattr(TimerS1Network, "forecast_pass", looking)
    before = torch.__config__.parallel_info()  # OpenMP's and MKL's numbers as well
    pipe.predict(mixed_rows(4), 5, batch_size=1)
    assert torch.__config__.parallel_info() == before
    assert meanwhile == [n_threads] * 4
    assert torch.get_num_threads() == n_threads
    assert found_in_new_thread() == n_threads
    assert not torch.is_inference_mode_enabled()


def test_settings_are_left_as_found_by_an_error(pipe, set_threads, monkeypatch):
    set_threads(2)
    monkeypatch.setattr(TimerS1Network, "forecast_pass", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pipe.predict(mixed_rows(4), 5, batch_size=1)
    assert torch.get_num_threads() == 2
    assert not torch.is_inference_mode_enabled()


def test_with_one_thread_everything_runs_in_the_calling_thread(pipe, set_threads, meeting):
    set_threads(1)
    before = set(threading.enumerate())
    found = meeting(TimerS1Network, "forecast_pass", 1)
    pipe.predict(mixed_rows(), 5, batch_size=1)
    assert list(found) == [threading.get_ident()]
    assert set(threading.enumerate()) <= before


def test_an_error_of_a_helper_reaches_the_caller(pipe, set_threads, monkeypatch):
    set_threads(2)
    failed, caller = threading.Event(), threading.get_ident()
    forecast_pass = TimerS1Network.forecast_pass

    def fail_in_helper(*arguments):
        if threading.get_ident() != caller:
            failed.set()
            raise FloatingPointError("by a helper")
        assert failed.wait(PATIENCE)
        return forecast_pass(*arguments)

    monkeypatch.setattr(TimerS1Network, "forecast_pass", fail_in_helper)
    with pytest.raises(FloatingPointError, match="by a helper"):
        pipe.predict(mixed_rows(4), 5, batch_size=1)
    monkeypatch.undo()
    assert np.isfinite(pipe.predict(mixed_rows(4), 5).quantiles).all()


def test_progress_is_told_in_the_calling_thread(pipe, set_threads):
    set_threads(2)
    told = []
    forecast_rows(
        pipe.network,
        mixed_rows(),
        5,
        "quantile",
        2,
        lambda n_rows: told.append((n_rows, threading.get_ident())),
    )
    assert told == [(2, threading.get_ident())] * 6


def test_an_interrupt_ends_the_forecast_and_leaves_the_next_one_to_run(pipe, set_threads):
    def interrupt(_):
        raise KeyboardInterrupt

    set_threads(2)
    with pytest.raises(KeyboardInterrupt):
        forecast_rows(pipe.network, mixed_rows(), 5, "quantile", 1, interrupt)
    assert torch.get_num_threads() == 2
    assert np.isfinite(pipe.predict(mixed_rows(), 5, batch_size=1).quantiles).all()


def test_an_interrupt_while_helpers_are_called_leaves_none_of_them_waiting(
    pipe, set_threads, monkeypatch
):
    set_threads(3)
    called = []
    submit = ThreadPoolExecutor.submit

    def interrupted(pool, function):
        called.append(submit(pool, function))
        if len(called) == 2:
            raise KeyboardInterrupt
        return called[-1]

    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pipe.predict(mixed_rows(4), 5, batch_size=1)
    assert wait(called, PATIENCE).not_done == set()
    monkeypatch.undo()
    assert np.isfinite(pipe.predict(mixed_rows(4), 5, batch_size=1).quantiles).all()


def test_many_callers_share_few_helpers(pipe, set_threads):
    set_threads(4)
    rows = mixed_rows()
    expected = pipe.predict(rows, 5, batch_size=1).quantiles
    forecasts = []

    def call():
        forecasts.append(pipe.predict(rows, 5, batch_size=1).quantiles)

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE)
    assert len(forecasts) == 8
    for forecast in forecasts:
        np.testing.assert_array_equal(forecast, expected)
    assert len(helpers()) <= os.cpu_count()


def wide_pipeline():
    return ForecastPipeline.from_pretrained(None, device="cpu", config=WIDE)


def test_a_single_row_of_a_wide_network_has_its_experts_shared(set_threads, meeting, monkeypatch):
    row = [np.sin(np.arange(900.0))]
    set_threads(1)
    expected = wide_pipeline().predict(row, 20).quantiles
    set_threads(2)
    expert = wide_pipeline().network.model.layers[0].ffn_layer.experts[0]
    found = meeting(type(expert), "forward", 2)
    forecast_pass = TimerS1Network.forecast_pass

    def late(*arguments):
        time.sleep(0.3)  # lets the helper come, which is asked only if it has nothing to do
        return forecast_pass(*arguments)

    monkeypatch.setattr(TimerS1Network, "forecast_pass", late)
    forecast = wide_pipeline().predict(row, 20).quantiles
    assert {number for numbers in found.values() for number in numbers} == {1}
    np.testing.assert_array_equal(forecast, expected)


def test_experts_of_a_narrow_network_run_where_their_batch_runs(pipe, set_threads, monkeypatch):
    set_threads(2)
    caller, helper_is_done, elsewhere = threading.get_ident(), threading.Event(), []
    in_pass = threading.local()
    forecast_pass, forward = TimerS1Network.forecast_pass, Expert.forward

    def marked(*arguments):
        in_pass.begun = True
        if threading.get_ident() == caller:
            assert helper_is_done.wait(PATIENCE)
        forecast = forecast_pass(*arguments)
        in_pass.begun = False
        helper_is_done.set()
        return forecast

    def slow(expert, hidden_states):
        if threading.get_ident() == caller:
            time.sleep(0.05)  # while the helper has nothing to do
        if not in_pass.begun:
            elsewhere.append(threading.get_ident())
        return forward(expert, hidden_states)

    monkeypatch.setattr(TimerS1Network, "forecast_pass", marked)
    monkeypatch.setattr(Expert, "forward", slow)
    pipe.predict(mixed_rows(2), 5, batch_size=1)
    assert elsewhere == []


def test_several_rows_of_a_wide_network_share_batches_and_experts(set_threads):
    rows = mixed_rows(5)
    forecasts = []
    for n_threads in (1, 4):
        set_threads(n_threads)
        forecasts.append(wide_pipeline().predict(rows, 20, batch_size=1).quantiles)
    np.testing.assert_array_equal(*forecasts)


@pytest.mark.parametrize("autocast", [False, True])
def test_every_thread_computes_in_the_networks_own_types(pipe, set_threads, meeting, autocast):
    rows = mixed_rows(4)
    set_threads(1)
    expected = pipe.predict(rows, 5, batch_size=1).quantiles
    set_threads(2)
    meeting(TimerS1Network, "forecast_pass", 2)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        forecast = pipe.predict(rows, 5, batch_size=1).quantiles
    np.testing.assert_array_equal(forecast, expected)


trees = st.recursive(st.integers(), lambda tree: st.lists(tree, max_size=4), max_leaves=30)


@given(trees, st.integers(1, 4))
def test_jobs_may_hand_out_jobs(tree, n_threads):
    def total(part):
        return part if isinstance(part, int) else sum(team.map(total, part))

    def expected(part):
        return part if isinstance(part, int) else sum(map(expected, part))

    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        with threads.thread_team(torch.device("cpu"), 4, share_experts=True) as team:
            assert total(tree) == expected(tree)
    finally:
        torch.set_num_threads(before)


def test_results_come_in_order_and_an_unfinished_map_ends_with_the_team(set_threads):
    set_threads(3)
    with threads.thread_team(torch.device("cpu"), 9, share_experts=False) as team:
        slow_first = team.map(lambda n: time.sleep(0.01 * (9 - n)) or n, range(9))
        assert list(slow_first) == list(range(9))
        next(team.map(abs, range(100)))
    with threads.thread_team(torch.device("cpu"), 9, share_experts=False) as team:
        assert list(team.map(abs, range(3))) == [0, 1, 2]


def test_an_error_of_the_caller_waits_for_the_results_before_it(set_threads):
    set_threads(2)
    begun, failed = threading.Event(), threading.Event()

    def job(number):
        if number == 0:  # always the caller's
            assert begun.wait(PATIENCE)  # leaves the next job to the helper
        elif number == 1:
            begun.set()
            assert failed.wait(PATIENCE)
        else:
            failed.set()
            raise FloatingPointError("by the last job")
        return number

    with threads.thread_team(torch.device("cpu"), 3, share_experts=False) as team:
        results = team.map(job, range(3))
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(FloatingPointError, match="by the last job"):
            next(results)


def test_an_interrupt_of_the_caller_waits_for_nothing(set_threads):
    set_threads(2)
    begun, over, caller = threading.Event(), threading.Event(), threading.get_ident()
    interrupted = []

    def job(number):
        if threading.get_ident() != caller:
            begun.set()
            assert over.wait(PATIENCE)
        else:
            assert begun.wait(PATIENCE)
            if number > 0:
                interrupted.append(number)
                raise KeyboardInterrupt

    with threads.thread_team(torch.device("cpu"), 9, share_experts=False) as team:
        results = team.map(job, range(9))
        with pytest.raises(KeyboardInterrupt):
            list(results)
        over.set()
    assert len(interrupted) == 1


IN_A_PROCESS_OF_ITS_OWN = """
import os, signal, threading, time
import numpy as np, torch
from timer_forecaster import ForecastPipeline
from timer_forecaster.models.timer_s1.network import TimerS1Network

signal.signal(signal.SIGINT, signal.default_int_handler)  # shells' background jobs ignore it
torch.set_num_threads(2)
pipe = ForecastPipeline.from_pretrained("timer-s1-test")
rows = [np.sin(np.arange(n, n + 100.0)) for n in range(6)]
expected = pipe.predict(rows, 5, batch_size=1).quantiles
def same():
    return np.array_equal(pipe.predict(rows, 5, batch_size=1).quantiles, expected)

if hasattr(os, "fork"):
    child = os.fork()
    if child == 0:
        names = [thread.name for thread in threading.enumerate()] if same() else []
        os._exit(0 if "timer-forecaster_0" in names else 1)
    assert os.waitpid(child, 0)[1] == 0, "after a fork"

forecast_pass = TimerS1Network.forecast_pass
def slow(*arguments):
    if threading.current_thread() is not threading.main_thread():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    return forecast_pass(*arguments)
TimerS1Network.forecast_pass = slow
try:
    while True:
        pipe.predict(rows, 5, batch_size=1)
except KeyboardInterrupt:
    pass
TimerS1Network.forecast_pass = forecast_pass
assert torch.get_num_threads() == 2
assert same(), "after an interrupt"

import atexit
atexit.register(lambda: print("after the end", same()))
print("done")
"""


def test_forks_interrupts_and_the_end_of_the_interpreter():
    answer = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
    )
    assert answer.stdout.split("\n")[:2] == ["done", "after the end True"], answer.stderr
    assert answer.returncode == 0
    assert answer.stderr == ""
