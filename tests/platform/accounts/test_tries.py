"""Guesses of passwords are counted: those of one client, and those of all."""

from __future__ import annotations

import pytest

from kivuko.platform.accounts.tries import SignInTries, Tries


def test_tries_come_back_one_by_one() -> None:
    now = [0.0]
    tries = Tries(at_once=3, every_s=60, now_s=lambda: now[0])
    assert [tries.take("a") for _ in range(4)] == [True, True, True, False]
    assert tries.take("b")
    now[0] = 59
    assert not tries.take("a")
    now[0] = 61
    assert [tries.take("a"), tries.take("a")] == [True, False]
    tries.forget("a")
    assert [tries.take("a") for _ in range(4)] == [True, True, True, False]
    tries.forget("unknown")
    tries.give_back("unknown")


def test_a_try_that_is_given_back_counts_no_more_and_those_before_it_do() -> None:
    tries = Tries(at_once=2, now_s=lambda: 0.0)
    assert [tries.take("a"), tries.take("a"), tries.take("a")] == [True, True, False]
    tries.give_back("a")
    assert [tries.take("a"), tries.take("a")] == [True, False]


def test_names_are_not_kept_without_end() -> None:
    tries = Tries(at_once=1, now_s=lambda: 0.0)
    assert tries.take("first")
    for n in range(10_000):
        tries.take(str(n))
    assert tries.take("first")


def guesses(at_once: int = 2, of_all: int = 5) -> SignInTries:
    """Bounds that are soon met."""
    return SignInTries(Tries(at_once, now_s=lambda: 0.0), Tries(of_all, now_s=lambda: 0.0))


def test_one_client_meets_its_own_bound_and_nobody_elses() -> None:
    tries = guesses()
    assert [tries.take("a@example.org", "192.0.2.1") for _ in range(30)] == [True, True, *[False] * 28]
    assert tries.take("a@example.org", "192.0.2.2")
    assert tries.take("b@example.org", "192.0.2.1")


def test_many_clients_together_meet_the_bound_of_the_address() -> None:
    tries = guesses()
    assert [tries.take("a@example.org", f"192.0.2.{n}") for n in range(7)] == [True] * 5 + [False] * 2
    assert tries.take("b@example.org", "192.0.2.1")


def test_who_was_right_has_all_tries_again_and_leaves_the_others_what_they_used() -> None:
    tries = guesses()
    for n in range(4):
        assert tries.take("a@example.org", f"192.0.2.{n}")
    for _ in range(10):
        assert tries.take("a@example.org", "198.51.100.1")
        tries.succeeded("a@example.org", "198.51.100.1")
    assert [tries.take("a@example.org", f"192.0.2.{n}") for n in range(10, 12)] == [True, False]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "", True),
        ("unix", "192.0.2.1", False),
    ],
    ids=["network", "networks", "mapped", "mapped others", "unknown", "no address"],
)
def test_a_client_is_an_address_or_a_network(one: str, other: str, same: bool) -> None:
    tries = guesses(at_once=1)
    assert tries.take("a@example.org", one)
    assert tries.take("a@example.org", other) is not same


def test_the_usual_bounds_let_a_person_mistype_and_a_clinic_behind_one_address_sign_in() -> None:
    tries = SignInTries()
    assert [tries.take("a@example.org", "192.0.2.1") for _ in range(6)] == [True] * 5 + [False]
    assert all(tries.take(f"{n}@example.org", "192.0.2.1") for n in range(200))
    # One client alone never meets the bound of all.
    assert all(tries.take("a@example.org", f"198.51.100.{n}") for n in range(90))
