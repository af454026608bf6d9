"""Cron expressions of five fields: which minutes of a calendar they name. Time zones are ``workflow.schedules``' matter."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from kivuko.errors import InputError

__all__ = ["CronExpression", "read_cron_expression"]

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, ["", *_MONTHS]),
    ("day of week", 0, 7, _WEEKDAYS),
)
_LONGEST_GAP_YEARS = 8
"""29 February comes every four years, and not in 2100: eight years at most."""


@dataclass(frozen=True)
class CronExpression:
    """What an expression names. ``weekdays`` counts from Sunday = 0.

    ``either_day`` is true when day of month and day of week are both restricted: then one of them is enough (crontab(5)).
    ``at_fixed_times`` is true when neither minute nor hour begins with ``*``: such a job belongs to a wall-clock time.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    at_fixed_times: bool

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The named minutes later than ``moment``, in order; naive times of one calendar without summer time."""
        day = moment.date()
        last = day.replace(year=min(day.year + _LONGEST_GAP_YEARS, date.max.year), day=min(day.day, 28))
        while day <= last:
            if self._names_day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = datetime.combine(day, time(hour, minute))
                        if found > moment:
                            yield found
                            last = day.replace(year=min(day.year + _LONGEST_GAP_YEARS, date.max.year), day=min(day.day, 28))
            day += timedelta(days=1)

    def _names_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_month = day.day in self.days
        by_week = day.isoweekday() % 7 in self.weekdays
        return (by_month or by_week) if self.either_day else (by_month and by_week)


def read_cron_expression(text: str) -> CronExpression:
    """An expression as a person wrote it: five fields, or ``@hourly`` and its like. Raises InputError with what is wrong."""
    words = _ALIASES.get(text.strip().lower(), text).split()
    if text.strip().startswith("@") and text.strip().lower() not in _ALIASES:
        raise _refused(text, f"{text.strip()} is not supported", f"Use one of {', '.join(_ALIASES)}, or five fields.")
    if len(words) != len(_FIELDS):
        raise _refused(
            text,
            f"it has {len(words)} fields, not 5",
            "Write minute, hour, day of month, month and day of week; seconds are not supported.",
        )
    minutes, hours, days, months, weekdays = (_read_field(text, word, *field) for word, field in zip(words, _FIELDS, strict=True))
    either_day = not words[2].startswith("*") and not words[4].startswith("*")
    if not either_day and min(days) > max(calendar.monthrange(2024, month)[1] for month in months):
        raise _refused(text, "no month it names has that day", "Correct the day of month or the month: it would never fire.")
    return CronExpression(
        text=" ".join(words),
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=either_day,
        at_fixed_times=not words[0].startswith("*") and not words[1].startswith("*"),
    )


def _read_field(text: str, word: str, name: str, low: int, high: int, names: list[str]) -> set[int]:
    found: set[int] = set()
    for part in word.split(","):
        term, slash, step = part.partition("/")
        first, dash, last = term.partition("-")
        if term == "*":
            start, end = low, high
        else:
            start = _read_number(text, first, name, low, high, names)
            # "5/15" means from 5 on; "5" alone means 5.
            end = _read_number(text, last, name, low, high, names) if dash else (high if slash else start)
        if end < start:
            raise _refused(text, f"in the {name}, {term} runs backwards", "Write the smaller number first, or two ranges with a comma.")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            raise _refused(text, f"in the {name}, /{step} is no step", "Write a whole number above 0 after the slash.")
        found.update(range(start, end + 1, int(step) if slash else 1))
    return found


def _read_number(text: str, word: str, name: str, low: int, high: int, names: list[str]) -> int:
    if word and word.upper() in names:
        return names.index(word.upper())
    if not (word.isascii() and word.isdigit()):
        raise _refused(text, f"in the {name}, {word!r} is no number", "Numbers, names, * , - and / are understood; L, W, # and ? are not.")
    if not low <= int(word) <= high:
        raise _refused(text, f"in the {name}, {word} is not between {low} and {high}", "Correct the number.")
    return int(word)


def _refused(text: str, reason: str, fix: str) -> InputError:
    return InputError(f"the cron expression {text!r} cannot be used: {reason}", fix=fix)
