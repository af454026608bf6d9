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


def mapping_text(size: int) -> str:
    """A job of at least that many bytes as real projects have them: a large mapping table in the text, and operations that use it."""
    rows, length = [], 0
    while length < size:
        number = len(rows)
        rows.append(
            f"  'ke-{number:06d}': {{ code: 'F{number:05d}', name: 'Facility {number}', county: 'Kiambu', level: {number % 6},"
            f" dhis2: {{ orgUnit: 'Ou{number:09d}', dataSet: 'mPtBwP3{number % 7}' }}, active: {str(number % 3 > 0).lower()} }},"
        )
        length += len(rows[-1]) + 1
    table = "\n".join(rows)
    return f"const facilities = {{\n{table}\n}};\n" + job_text(60) + "fn(state => ({ ...state, unit: facilities[state.data.facility] }));\n"


def job_text(lines: int) -> str:
    """A job as implementers write them, of at least that many lines."""
    once = OPERATION.count("\n")
    return "".join(OPERATION.format(n=number) for number in range(-(-lines // once)))


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """CPU of compiling, in ms."""
    small = job_text(300)
    mapping, dense = mapping_text(1_800_000), job_text(int(1_800_000 / len(small) * 300) + 20)
    times = 1 if quick else 5
    ordinary, table, code = (_cpu_ms(source, count) for source, count in ((small, 30 if quick else 200), (mapping, times), (dense, times)))
    per_line = (code / dense.count("\n")) / (ordinary / small.count("\n"))
    return [
        Figure(f"compile a job of {small.count(chr(10))} lines", ordinary, "ms CPU", None, "≤ 10 ms (aim 2)", ordinary <= 10),
        Figure(f"compile a job of {len(mapping) / 1e6:.1f} MB: a mapping table", table, "ms CPU", None, "≤ 1000 ms", table <= 1000),
        Figure(
            f"compile a job of {len(dense) / 1e6:.1f} MB: {dense.count(chr(10))} lines of operations",
            code,
            "ms CPU",
            None,
            "≤ 1000 ms",
            code <= 1000,
        ),
        Figure("per line, large against small", per_line, "times", None, "near 1: linear"),
    ]


def _cpu_ms(source: str, times: int) -> float:
    return statistics.median(_ms(lambda: compile_job(source, [HTTP])) for _ in range(times))


def _ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000
