"""How long the job language takes: a job of 300 lines, and one of 1.8 MB."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from figures import Figure
from kivuko.language import AdaptorNames, compile_job

__all__ = ["job_text", "measure"]

HTTP = AdaptorNames("@openfn/language-http", ("get", "post", "put", "del", "each", "fn", "dataValue", "fields", "field", "combine", "map"))
OPERATION = """
// Visit {n}: what the clinic recorded, and where it goes.
get(`encounters/${{$.data.visits[{n}].id}}`, {{ query: {{ page: {n}, clinic: $.clinic }} }})
  .then(state => ({{ ...state, visit{n}: state.data }}))
  .catch((error, state) => {{
    console.log('visit {n}', error.message);
    return {{ ...state, missing: [...(state.missing ?? []), {n}] }};
  }});
each(
  '$.visit{n}.observations[*]',
  post('observations', {{
    code: $.data.code,
    value: $.data.value ?? null,
    taken: dataValue('taken_at'),
    patient: $.references[0].id,
  }})
);
fn(state => {{
  const {{ visit{n}, ...rest }} = state;
  return {{ ...rest, done: (rest.done ?? 0) + (visit{n} ? 1 : 0) }};
}});
"""


def job_text(lines: int) -> str:
    """A job as implementers write them, of at least that many lines."""
    once = OPERATION.count("\n")
    return "".join(OPERATION.format(n=number) for number in range(-(-lines // once)))


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """CPU of compiling, in ms."""
    small = job_text(300)
    large = job_text(int(1_800_000 / len(small) * 300) + 20)
    figures = [
        _figure(f"compile a job of {small.count(chr(10))} lines", small, 30 if quick else 200, 10, 2),
        _figure(f"compile a job of {len(large) / 1e6:.1f} MB", large, 1 if quick else 5, 1000, 1000),
    ]
    per_line = [figure.value / text.count("\n") for figure, text in zip(figures, (small, large), strict=True)]
    return [*figures, Figure("per line, large against small", per_line[1] / per_line[0], "times", None, "near 1: linear")]


def _figure(name: str, source: str, times: int, most_ms: float, aim_ms: float) -> Figure:
    value = statistics.median(_ms(lambda: compile_job(source, [HTTP])) for _ in range(times))
    aim = f" (aim {aim_ms:g})" if aim_ms < most_ms else ""
    return Figure(name, value, "ms CPU", None, f"≤ {most_ms:g} ms{aim}", value <= most_ms)


def _ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000
