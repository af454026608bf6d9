"""Durations in OpenFn's form."""

from __future__ import annotations

import pytest

from kivuko.runtime.logs import duration_text


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (0, "0ms"),
        (0.4, "0ms"),
        (8, "8ms"),
        (999.4, "999ms"),
        (999.6, "1s"),
        (1533, "1.533s"),
        (1500, "1.5s"),
        (59_999, "59.999s"),
        (60_000, "1m 0s"),
        (119_990, "2m 0s"),
        (123_500, "2m 3.5s"),
        (3_600_000, "60m 0s"),
    ],
)
def test_durations_read_as_in_openfn(duration_ms: float, text: str) -> None:
    assert duration_text(duration_ms) == text
