"""Operations on both databases."""

from clockwork.fixtures import migrated_file, migrated_server, own_server, world

__all__ = ["migrated_file", "migrated_server", "own_server", "world"]
