"""Locks are free in a forked process, whoever held them."""

import os
import threading
import time

import pytest

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import cache
from timer_forecaster.inference import memo
from timer_forecaster.locks import RenewedLock


def in_child(act):
    """Return the exit status of a forked process that runs a function, or None if it hangs."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    for _ in range(300):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


def test_a_lock_is_held_by_one_thread_at_a_time():
    lock, inside, most = RenewedLock(), [], []

    def work():
        for _ in range(50):
            with lock:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert not lock.locked()


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@forks
def test_a_lock_that_another_thread_holds_is_free_in_a_child():
    lock, held, done = RenewedLock(), threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert in_child(lambda: lock.__enter__()) == 0
        assert lock.locked()  # here it is held as before
    finally:
        done.set()
        thread.join()


@forks
def test_a_child_that_is_forked_inside_a_lock_leaves_it():
    lock = RenewedLock()

    def act():
        lock.__exit__(None, None, None)
        with lock:
            pass

    with lock:
        assert in_child(act) == 0


@forks
@pytest.mark.parametrize("held", ["loading", "networks", "memo"])
def test_a_child_forecasts_while_another_thread_of_the_parent_is_inside(monkeypatch, held):
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    release()  # the network is loaded anew
    inside, done = threading.Event(), threading.Event()

    def wait(*arguments):
        inside.set()
        done.wait()

    def hold():
        if held == "loading":
            return cache.get_network(pipe.key)
        with {"networks": cache._lock, "memo": memo._lock}[held]:
            return wait()

    load, parent = cache.load_network, os.getpid()
    if held == "loading":
        monkeypatch.setattr(
            cache, "load_network", lambda key: (os.getpid() == parent and wait(), load(key))[1]
        )
    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    inside.wait()
    try:
        assert in_child(lambda: memo.predict(pipe, [[1.0, 2.0, 3.0]], 2)) == 0
    finally:
        done.set()
        thread.join()
