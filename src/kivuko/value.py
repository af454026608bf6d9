"""Frozen values: what ``dataclass(frozen=True)`` gives, without writing and compiling code at import.

The standard library's decorator costs about 0.3 ms of CPU for each class, and the import of ``inspect``: with the ninety value types that a
job on the command line meets, a quarter of its start-up (docs/decisions). Type checkers see a dataclass (PEP 681).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform

__all__ = ["fields", "fresh", "replace", "value"]

T = TypeVar("T")


class _Fresh:
    """Marks a field whose default is made anew for each value."""

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make


def fresh(*, factory: Callable[[], T]) -> T:
    """The default of a field that each value gets an own copy of: ``names: dict[str, int] = fresh(factory=dict)``."""
    return _Fresh(factory)  # type: ignore[return-value]  # a marker that @value replaces


@dataclass_transform(frozen_default=True, field_specifiers=(fresh,))
def value(cls: type[T]) -> type[T]:
    """Makes a class of annotated fields a frozen value: made from its fields, equal and hashed by them, never changed.

    Annotations must be texts (``from __future__ import annotations``). Fields take their defaults from the class body.
    ``__post_init__`` is called when there is one. Making a value raises TypeError for fields that are missing, unknown or given twice;
    changing one raises AttributeError.
    """
    own = cls.__dict__.get("__annotations__", {})  # noqa: RUF063  # inspect is what this module is there to avoid
    names = (*_inherited(cls), *(name for name, kind in own.items() if not str(kind).startswith("ClassVar")))
    defaults = {**_defaults_of(cls), **{name: cls.__dict__[name] for name in names if name in cls.__dict__}}
    makers = {name: default.make for name, default in defaults.items() if isinstance(default, _Fresh)}
    plain = {name: default for name, default in defaults.items() if name not in makers}
    post_init = getattr(cls, "__post_init__", None)

    def __init__(self: Any, *positional: object, **named: object) -> None:  # noqa: N807
        held = self.__dict__
        held.update(plain)
        held.update(zip(names, positional, strict=False))
        held.update(named)
        for name in makers:
            if name not in held:
                held[name] = makers[name]()
        twice = positional and named and not named.keys().isdisjoint(names[: len(positional)])
        if twice or len(held) != len(names) or len(positional) > len(names):
            raise TypeError(_complaint(cls.__name__, names, held, positional, named))
        if post_init is not None:
            post_init(self)

    frozen = {"__setattr__": _refuse, "__delattr__": _refuse}
    members = {"__init__": __init__, "__eq__": _equal, "__hash__": _hash, "__match_args__": names, **frozen}
    for name, member in members.items():
        setattr(cls, name, member)
    if cls.__repr__ is object.__repr__:
        cls.__repr__ = _repr  # type: ignore[method-assign]
    cls.__fields__ = names  # type: ignore[attr-defined]  # how `fields` and the values of derived classes find them
    cls.__field_defaults__ = defaults  # type: ignore[attr-defined]
    return cls


def fields(of: object) -> tuple[str, ...]:
    """The names of the fields of a value or its class, in order."""
    found: tuple[str, ...] = getattr(of, "__fields__")  # noqa: B009  # set by @value, unknown to type checkers
    return found


def replace(of: T, **changes: object) -> T:
    """A copy of a value with some fields changed. Raises TypeError for unknown fields."""
    return type(of)(**{**of.__dict__, **changes})


def _inherited(cls: type) -> tuple[str, ...]:
    return next((base.__fields__ for base in cls.__mro__[1:] if hasattr(base, "__fields__")), ())


def _defaults_of(cls: type) -> dict[str, object]:
    return next((base.__field_defaults__ for base in cls.__mro__[1:] if hasattr(base, "__field_defaults__")), {})


def _equal(self: Any, other: object) -> bool:
    return other.__class__ is self.__class__ and bool(self.__dict__ == other.__dict__)


def _hash(self: Any) -> int:
    return hash(tuple(self.__dict__[name] for name in self.__fields__))


def _repr(self: Any) -> str:
    return f"{type(self).__name__}({', '.join(f'{name}={self.__dict__[name]!r}' for name in self.__fields__)})"


def _refuse(self: Any, name: str, *_: object) -> None:
    raise AttributeError(f"{type(self).__name__} is a frozen value: {name} cannot be changed")


def _complaint(kind: str, names: tuple[str, ...], held: dict[str, object], positional: tuple[object, ...], named: dict[str, object]) -> str:
    unknown = [name for name in named if name not in names]
    twice = [name for name in named if name in names[: len(positional)]]
    missing = [name for name in names if name not in held]
    if unknown:
        return f"{kind} has no field {', '.join(unknown)}"
    if twice or len(positional) > len(names):
        return f"{kind} got {', '.join(twice) or 'more values than it has fields'} twice" if twice else f"{kind} got too many values"
    return f"{kind} needs {', '.join(missing)}"
