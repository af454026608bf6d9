"""What a worker does again and again."""

from __future__ import annotations

import threading

from kivuko.worker.pulse import keep_doing


def test_what_fails_once_is_done_again() -> None:
    ended = threading.Event()
    done: list[int] = []

    def chore() -> None:
        done.append(len(done))
        if len(done) == 1:
            raise ValueError("once")
        ended.set()

    keep_doing(chore, ended, 0.001)
    assert done == [0, 1]


def test_after_the_end_nothing_is_done() -> None:
    ended = threading.Event()
    done: list[int] = []
    ended.set()
    keep_doing(lambda: done.append(1), ended, 0.001)
    assert done == []
