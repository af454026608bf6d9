"""Jobs that were compiled elsewhere: their errors are told at the place of the author's text, which the step's source map knows."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping

from kivuko.engines.run import RunError, RunResult
from kivuko.language.sourcemap import Segment, read_mappings
from kivuko.runtime.rescue import with_error
from kivuko.value import replace, value
from kivuko.workflow import Job

__all__ = ["SourcePlaces", "in_source"]

_FRAME = re.compile(r"(?<=vm:module\(0\):)(\d+):(\d+)")


@value
class SourcePlaces:
    """Places of the compiled text and where they come from: ``lines`` of segments, and ``sources`` as lines of the authors' texts."""

    lines: tuple[tuple[Segment, ...], ...]
    sources: tuple[tuple[str, ...], ...]

    def find(self, line: int | None, column: int | None) -> tuple[int | None, int | None, str | None]:
        """Line, column (both from 1) and text of the author's line for a place of the compiled text; three None when it has none."""
        if line is None or not 0 < line <= len(self.lines):
            return None, None, None
        segments = self.lines[line - 1]
        at = bisect_right(segments, (column or 1) - 1, key=lambda segment: segment.column) - 1
        if at < 0:
            return None, None, None
        found = segments[at]
        text = self.sources[found.source] if found.source < len(self.sources) else ()
        return found.line + 1, None if column is None else found.source_column + 1, text[found.line] if found.line < len(text) else None

    def told(self, error: RunError) -> RunError:
        """An error at its place in the author's text; one without a place stays as it is."""
        if error.line is None:
            return error
        line, column, src = self.find(error.line, error.column)
        place = {"line": line, "column": column, **({} if src is None else {"src": src})}
        report = {**error.report, "pos": place} if "pos" in error.report else error.report
        return replace(error, line=line, column=column, src=src, report=report, stack=_FRAME.sub(self._frame, error.stack))

    def _frame(self, found: re.Match[str]) -> str:
        line, column, _ = self.find(int(found[1]), int(found[2]))
        return found[0] if line is None else f"{line}:{column}"


def in_source(result: RunResult, job: Job, scrub: Callable[[RunError], RunError]) -> RunResult:
    """The result of a Run that failed, its error told where the author's text has it; as it is when the step's source map is unreadable.

    ``scrub`` takes secrets out of what came from the map.
    """
    places = _places_of(job.source_map)
    if places is None or result.error is None:
        return result
    error = scrub(places.told(result.error))
    state = with_error(result.state, job.id, error.report) if result.state is not None and error.report else result.state
    return replace(result, error=error, state=state)


def _places_of(given: object) -> SourcePlaces | None:
    mappings = given.get("mappings") if isinstance(given, Mapping) else None
    contents = given.get("sourcesContent") if isinstance(given, Mapping) else None
    texts = [text if isinstance(text, str) else "" for text in contents] if isinstance(contents, list) else []
    try:
        lines = read_mappings(mappings) if isinstance(mappings, str) else None
    except ValueError:
        return None
    return None if lines is None else SourcePlaces(lines, tuple(tuple(re.split(r"\r\n|[\n\r\u2028\u2029]", text)) for text in texts))
