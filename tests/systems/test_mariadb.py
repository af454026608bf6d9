"""The MariaDB of the tests: a private server, and one sentence where there is none."""

from __future__ import annotations

import pytest

from systems import mariadb
from systems.mariadb import DATABASE, MariaDb, MariaDbMissingError, missing_program, need_mariadb


def test_a_server_starts_in_a_folder_of_its_own_and_ends() -> None:
    need_mariadb()
    with MariaDb() as server:
        server.execute("CREATE TABLE t (a INT); INSERT INTO t VALUES (3), (4)")
        assert server.execute("SELECT a FROM t ORDER BY a") == [["3"], ["4"]]
        assert server.execute("SELECT DATABASE()") == [[DATABASE]]
    assert not server.socket.exists()


def test_without_mariadb_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb, "_program", lambda name: None)
    assert "apt-get install -y mariadb-server" in missing_program()
    with pytest.raises(MariaDbMissingError, match="apt-get install"):
        MariaDb()
