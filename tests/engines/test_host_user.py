"""Whether hosts can be another user is tried out before they are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.engines import find_node
from kivuko.engines.host_user import HOST_PROGRAM, named_user, reason_against
from kivuko.errors import InputError

NOBODY = (65534, 65534)
only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may look into; pytest's own are closed."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_user_is_known_by_name_or_by_numbers() -> None:
    assert named_user("root") == (0, 0)
    assert named_user("1001:1002") == (1001, 1002)


@pytest.mark.parametrize("text", ["no-such-user-here", "1001", "1001:", ":5", "-1:5", "a:b"])
def test_a_user_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="there is no user"):
        named_user(text)


def test_where_everything_can_be_read_nothing_speaks_against_it(folder: Path) -> None:
    assert reason_against(NOBODY, find_node(), (HOST_PROGRAM, folder)) is None


@only_root
def test_a_folder_that_the_user_cannot_read_is_named(folder: Path) -> None:
    folder.chmod(0o700)
    reason = reason_against(NOBODY, find_node(), (HOST_PROGRAM, folder))
    assert reason is not None
    assert "EACCES: permission denied" in reason
    assert str(folder) in reason


@only_root
def test_a_node_that_the_user_cannot_start_is_a_reason(folder: Path) -> None:
    node = folder / "closed" / "node"
    node.parent.mkdir(mode=0o700)
    node.symlink_to(find_node())
    reason = reason_against(NOBODY, node, (HOST_PROGRAM,))
    assert reason is not None
    assert "ermission denied" in reason


def test_no_process_and_no_descriptor_is_left(folder: Path) -> None:
    reason_against(NOBODY, find_node(), (HOST_PROGRAM, folder))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        reason_against(NOBODY, find_node(), (HOST_PROGRAM, folder / "missing"))
    assert len(os.listdir("/proc/self/fd")) == before
