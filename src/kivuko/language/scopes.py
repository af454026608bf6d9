"""Scopes of a job: which names are declared where (ECMA-262 block scoping)."""

from __future__ import annotations

__all__ = ["PROGRAM", "UNDECLARED", "Scopes"]

PROGRAM = 0
UNDECLARED = -1


class Scopes:
    """A tree of scopes, each an index; 0 is the program.

    ``hoists`` says where ``var`` of a scope goes. ``holders`` says which function, catch clause or program a scope belongs to: the
    reference knows no smaller scopes, and the protection of ``$`` follows it (jobs-and-runtime §1.9).
    """

    def __init__(self) -> None:
        self.parents = [UNDECLARED]
        self.starts = [0]
        self.hoists = [PROGRAM]
        self.holders = [PROGRAM]
        self._names: list[set[str]] = [set()]
        self._held: dict[int, set[str]] = {}

    def push(self, parent: int, start: int, *, hoists: bool = False, holds: bool = False) -> int:
        """A new scope inside ``parent``, beginning at byte ``start``."""
        index = len(self.parents)
        self.parents.append(parent)
        self.starts.append(start)
        self.hoists.append(index if hoists else self.hoists[parent])
        self.holders.append(index if holds else self.holders[parent])
        self._names.append(set())
        return index

    def declare(self, scope: int, name: str) -> None:
        """Notes that a name is declared in a scope."""
        self._names[scope].add(name)
        self._held.setdefault(self.holders[scope], set()).add(name)

    def resolve(self, scope: int, name: str) -> int:
        """The scope that declares a name as seen from ``scope``, or UNDECLARED."""
        while scope != UNDECLARED and name not in self._names[scope]:
            scope = self.parents[scope]
        return scope

    def is_held(self, scope: int, name: str) -> bool:
        """Whether an enclosing function or catch clause, not the program, declares a name anywhere in itself."""
        holder = self.holders[scope]
        while holder != PROGRAM:
            if name in self._held.get(holder, ()):
                return True
            holder = self.holders[self.parents[holder]]
        return False
