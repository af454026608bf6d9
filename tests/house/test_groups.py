"""Tests that share a place run one after the other, also when two processes share the work."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("together")
def test_groups_of_tests_are_heeded(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("nobody shares the work by groups")
    # xdist sends by what stands behind the name; a pytest that it does not know shows it no such place.
    assert request.node.nodeid.endswith("@together")
