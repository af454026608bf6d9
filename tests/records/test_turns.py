"""The process's lock for SQLite: first come, first served."""

from __future__ import annotations

import threading

import pytest

from kivuko.records.turns import FifoLock


def test_waiters_are_served_in_the_order_they_came() -> None:
    lock, served = FifoLock(), []
    threads = []
    with lock:
        for number in range(20):
            waiting = len(lock._waiting)
            threads.append(threading.Thread(target=lambda number=number: _serve(lock, served, number)))
            threads[-1].start()
            while len(lock._waiting) == waiting:
                threading.Event().wait(0.0005)
    for thread in threads:
        thread.join(10)
    assert served == list(range(20))


def _serve(lock: FifoLock, served: list[int], number: int) -> None:
    with lock:
        served.append(number)


def test_only_one_is_inside() -> None:
    lock, inside, most = FifoLock(), [0], [0]

    def work() -> None:
        for _ in range(300):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == [1]


def test_a_thread_that_would_wait_for_itself_is_told() -> None:
    lock = FifoLock()
    with lock:
        assert lock.held_here
        with pytest.raises(RuntimeError, match="already writes"):
            lock.acquire()
    assert not lock.held_here
    with pytest.raises(RuntimeError, match="does not have the lock"):
        lock.release()


def test_another_threads_lock_is_not_ours() -> None:
    lock, seen = FifoLock(), []
    with lock:
        thread = threading.Thread(target=lambda: seen.append(lock.held_here))
        thread.start()
        thread.join()
    assert seen == [False]
