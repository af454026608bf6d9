"""Edges that can be decided without JavaScript."""

from __future__ import annotations

import pytest

from kivuko.runtime.conditions import decided_here, edges_to_ask
from kivuko.workflow import Edge, Trigger


def trigger(*edges: Edge) -> Trigger:
    return Trigger("t", edges=edges)


@pytest.mark.parametrize("state", [None, b"{}", b'{"data":{"errors_seen":1}}', b'{"errors":{"t":1}}'])
def test_constant_conditions_need_nothing(state: bytes | None) -> None:
    node = trigger(Edge("a"), Edge("b", False), Edge("c", "always"), Edge("d", "never"), Edge("e", " true "), Edge("f", disabled=True))
    assert decided_here(node, state) == ("a", "c", "e")


@pytest.mark.parametrize("word", ["on_job_success", "on_upstream_success"])
def test_success_is_plain_without_errors(word: str) -> None:
    assert decided_here(trigger(Edge("a", word)), b'{"data":{}}') == ("a",)


@pytest.mark.parametrize("word", ["on_job_failure", "on_upstream_fail"])
def test_failure_is_plain_without_errors(word: str) -> None:
    assert decided_here(trigger(Edge("a", word)), None) == ()


@pytest.mark.parametrize("state", [b'{"errors":{}}', b'{"data":{"errors":1}}', b'{"\\u0065rrors":{"t":1}}'])
def test_a_host_is_asked_where_errors_may_be(state: bytes) -> None:
    assert decided_here(trigger(Edge("a", "on_job_failure")), state) is None


def test_a_host_is_asked_for_expressions() -> None:
    assert decided_here(trigger(Edge("a"), Edge("b", "state.x")), b"{}") is None


def test_a_host_gets_what_may_be_followed_in_order() -> None:
    node = trigger(Edge("c", "\n state.x "), Edge("b", False), Edge("a"), Edge("d", "on_job_success"), Edge("e", "x", disabled=True))
    assert edges_to_ask(node) == (("c", "state.x"), ("a", True), ("d", "on_job_success"))
