"""The fields of an outside document, taken one by one with the types that they must have."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.errors import PlanError

__all__ = ["Fields"]


class Fields:
    """A JSON object that is read key by key; what nobody took is the ``rest``.

    ``place`` names the object in messages. A value of the wrong type raises PlanError; null counts as absent.
    """

    def __init__(self, document: Mapping[str, object], place: str) -> None:
        self._document = document
        self._taken: set[str] = set()
        self.place = place

    @classmethod
    def of(cls, value: object, place: str) -> Fields:
        """The fields of ``value``. Raises PlanError unless it is an object."""
        if not isinstance(value, Mapping):
            raise PlanError(f"{place[0].upper()}{place[1:]} is not an object but {_kind(value)}", fix="Write it as a JSON object: {…}.")
        return cls({str(key): item for key, item in value.items()}, place)

    def __contains__(self, key: str) -> bool:
        return self._document.get(key) is not None

    def take(self, key: str, default: object = None) -> object:
        """The value under ``key`` as it is."""
        self._taken.add(key)
        value = self._document.get(key)
        return default if value is None else value

    def rest(self) -> dict[str, object]:
        """What has not been taken, as it is."""
        return {key: value for key, value in self._document.items() if key not in self._taken}

    def text(self, key: str) -> str | None:
        """A text. A number becomes its text, since YAML reads an unquoted id of digits as a number."""
        value = self.take(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(key, value, "a text")

    def truth(self, key: str) -> bool | None:
        """A boolean."""
        value = self.take(key)
        if value is None or isinstance(value, bool):
            return value
        raise self._wrong(key, value, "true or false")

    def whole_number(self, key: str) -> int | None:
        """A whole number that is not negative; one written as a text or with a fraction of zero counts."""
        value = self.take(key)
        if value is None:
            return None
        try:
            number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1.0
        except ValueError:
            number = -1.0
        if number < 0 or number != number // 1:
            raise self._wrong(key, value, "a whole number that is not negative")
        return int(number)

    def mapping(self, key: str) -> dict[str, object] | None:
        """An object."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, Mapping):
            return dict(value)
        raise self._wrong(key, value, "an object")

    def mapping_or_text(self, key: str) -> dict[str, object] | str | None:
        """An object or a text."""
        value = self.take(key)
        return value if isinstance(value, str) else self.mapping(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        value = self.take(key)
        if isinstance(value, str):
            return (value,)
        items = value if isinstance(value, list) else [] if value is None else [None]
        texts = tuple(item for item in items if isinstance(item, str))
        if len(texts) != len(items):
            raise self._wrong(key, value, "a list of texts" if isinstance(value, list) else "a text or a list of texts")
        return texts

    def _wrong(self, key: str, value: object, wanted: str) -> PlanError:
        return PlanError(f'"{key}" of {self.place} is {_kind(value)}, not {wanted}', fix=f'Write "{key}" as {wanted}, or leave it out.')


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object" if isinstance(value, Mapping) else type(value).__name__
