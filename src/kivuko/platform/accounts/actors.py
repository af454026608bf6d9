"""Who does something: a person, by the browser or a token, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass

from kivuko.records import Id

__all__ = ["SYSTEM", "Actor"]


@dataclass(frozen=True)
class Actor:
    """Who acts. ``user_id`` is None for the system; ``token_id`` says which token spoke; ``address`` is where the request came from."""

    user_id: Id | None
    email: str = ""
    name: str = ""
    is_superuser: bool = False
    token_id: Id | None = None
    address: str | None = None

    @property
    def kind(self) -> str:
        """For the audit trail: ``user``, ``token`` or ``system``."""
        return "system" if self.user_id is None else "token" if self.token_id else "user"


SYSTEM = Actor(None, name="system")
"""What happens without a person: start-up, project files, the clock."""
