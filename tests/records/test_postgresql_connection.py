"""A connection to PostgreSQL: what is sent without waiting, and what goes wrong meanwhile."""

from __future__ import annotations

import pytest

from kivuko.errors import RecordsUnavailable
from kivuko.records import new_id
from kivuko.records.database import Connection
from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.records.rows import ClaimShare
from records.own_postgresql import OwnServer

pytestmark = pytest.mark.postgres


def _write(connection: Connection) -> None:
    # What is sent without waiting may fail as late as by the commit.
    connection.write([ClaimShare(new_id(), 1, 0)])
    connection.commit()


def test_answers_find_their_questions_behind_many_that_nobody_waits_for(postgresql: PostgresqlDatabase) -> None:
    connection = postgresql.connect()
    try:
        for _ in range(3):
            connection.begin()
            for _ in range(400):
                connection.change("message_counted", id=new_id(), run_count=1)
            assert connection.fetch("shares", ids=[new_id()]) == []
            assert connection.now_us() > 0
            connection.commit()
    finally:
        connection.close()


def test_a_server_that_may_not_be_written_to_is_away(own_server: OwnServer, postgresql: PostgresqlDatabase) -> None:
    connection = PostgresqlDatabase(f"{own_server.address} options='-c default_transaction_read_only=on'").connect()
    try:
        connection.begin()
        with pytest.raises(RecordsUnavailable, match="read-only"):
            _write(connection)
    finally:
        connection.rollback()
        connection.close()


def test_options_of_the_address_hold_beside_our_own(own_server: OwnServer) -> None:
    connection = PostgresqlDatabase(f"{own_server.address} options='-c search_path=elsewhere'").connect()
    try:
        assert connection.query("SELECT current_setting('search_path'), current_setting('enable_seqscan')") == [("elsewhere", "off")]
    finally:
        connection.close()


def test_what_writers_ask_of_the_server(postgresql: PostgresqlDatabase) -> None:
    connection = postgresql.connect()
    try:
        wished = {"jit": "off", "synchronous_commit": "on", "enable_seqscan": "off", "plan_cache_mode": "force_generic_plan"}
        assert {name: connection.query(f"SHOW {name}")[0][0] for name in wished} == wished
    finally:
        connection.close()


def test_a_connection_that_was_cut_is_away_when_a_transaction_begins(postgresql: PostgresqlDatabase) -> None:
    connection, other = postgresql.connect(), postgresql.connect()
    try:
        ((pid,),) = connection.query("SELECT pg_backend_pid()")
        other.query("SELECT pg_terminate_backend(?)", pid)
        with pytest.raises(RecordsUnavailable):
            connection.fetch("shares", ids=[new_id()])
        with pytest.raises(RecordsUnavailable):
            connection.begin()
    finally:
        connection.close()
        other.close()
