"""Ten jobs with the real mysql adaptor against a real MariaDB."""

from __future__ import annotations

from typing import Any

import pytest

from systems.job_run import RunJob
from systems.mariadb import DATABASE, PASSWORD, USER, MariaDb

pytestmark = pytest.mark.network

TABLES = """
DROP TABLE IF EXISTS patients, visits, samples, village_report;
CREATE TABLE patients (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL, village VARCHAR(40), age INT);
CREATE TABLE visits (id INT AUTO_INCREMENT PRIMARY KEY, patient INT NOT NULL, day DATE, kg DECIMAL(4,1));
CREATE TABLE samples (id INT PRIMARY KEY, note TEXT, taken DATETIME, amount DECIMAL(8,2), big BIGINT, flag INT);
INSERT INTO patients VALUES (1, 'Amina', 'Lamu', 37), (2, 'Joseph', 'Kibiri', 50), (3, 'Fatuma', 'Lamu', 6), (4, 'Peter', 'Nyeri', 35);
"""


@pytest.fixture
def database(mariadb: MariaDb) -> MariaDb:
    """The server with fresh tables."""
    mariadb.execute(TABLES)
    return mariadb


def sign_in(database: MariaDb, password: str = PASSWORD, **state: Any) -> dict[str, Any]:
    """A state with the database's credential."""
    place = {"host": "127.0.0.1", "port": database.port, "database": DATABASE}
    return {"configuration": {**place, "user": USER, "password": password}, **state}


def test_rows_are_selected_with_values(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/01_select", sign_in(database))
    people = [{"id": 1, "name": "Amina", "age": 37}, {"id": 3, "name": "Fatuma", "age": 6}]
    assert outcome.state == {"people": people, "columns": ["id", "name", "age"]}


def test_a_row_is_inserted(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/02_insert", sign_in(database, newcomer={"id": 5, "name": "Grace O'Neil"}))
    assert outcome.state == {"rows": 1}
    assert database.execute("SELECT * FROM patients WHERE id = 5") == [["5", "Grace O'Neil", "Nyeri", "4"]]


def test_an_upsert_changes_or_adds_and_quotes_what_it_gets(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/03_upsert", sign_in(database))
    assert outcome.state == {"changed": 2, "added": 1}
    assert database.execute("SELECT id, name, age FROM patients WHERE id IN (1, 9) ORDER BY id") == [
        ["1", "Amina Otieno", "38"],
        ["9", "Ng'ang'a; DROP TABLE patients", "1"],
    ]


def test_a_list_is_upserted_at_once(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/04_upsert_many", sign_in(database, rows=[[4, "Peter K.", "Nyeri", 36], [6, "Rehema", "Lamu", 2]]))
    assert outcome.state == {"info": "Records: 2  Duplicates: 1  Warnings: 0", "affected": 3}
    assert database.execute("SELECT COUNT(*) FROM patients") == [["5"]]


def test_a_report_table_is_made_and_read(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/05_table_and_report", sign_in(database))
    assert outcome.state == {
        "report": [
            {"village": "Kibiri", "people": 1, "mean_age": "50.00"},
            {"village": "Lamu", "people": 2, "mean_age": "21.50"},
            {"village": "Nyeri", "people": 1, "mean_age": "35.00"},
        ]
    }


def test_forms_are_inserted_one_by_one(run: RunJob, database: MariaDb) -> None:
    forms = [{"patient": 1, "day": "2026-01-05", "kg": 61.5}, {"patient": 3, "day": "2026-01-05", "kg": 18}]
    outcome = run("mysql/06_each_insert", sign_in(database, forms=forms))
    assert outcome.state == {"receipts": [1, 2]}
    assert database.execute("SELECT patient, day, kg FROM visits ORDER BY id") == [["1", "2026-01-05", "61.5"], ["3", "2026-01-05", "18.0"]]


def test_a_statement_can_be_prepared_and_not_run(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/07_prepared_only", sign_in(database, limit=40))
    deletion = "DELETE FROM patients WHERE age > 40"
    assert outcome.state == {"queries": [deletion, deletion, "SELECT COUNT(*) AS people FROM patients"], "people": 4}


def test_values_come_back_as_they_went_in(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/08_values", sign_in(database))
    note = "Mtoto wa Amina – أمينة – 👶🏾"
    row = {"id": 1, "note": note, "taken": "2026-01-05T08:30", "amount": "12.50", "big": "9007199254740993", "flag": None}
    assert outcome.state == {"row": row}


def test_a_duplicate_is_caught(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/09_error", sign_in(database))
    assert outcome.state == {"duplicate": ["ER_DUP_ENTRY", "23000"]}
    assert database.execute("SELECT name FROM patients WHERE id = 1") == [["Amina"]]


def test_a_missing_table_ends_the_job(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/11_missing_table", sign_in(database))
    error = outcome.state["errors"]["job-1"]
    assert (outcome.exit_code, error["name"], error["severity"]) == (0, "AdaptorError", "fail")
    assert "Table '****.nowhere' doesn't exist" in error["message"]  # the database's name stands in the credential


def test_a_refused_password_is_an_error_that_does_not_show_it(run: RunJob, database: MariaDb) -> None:
    outcome = run("mysql/10_wrong_password", sign_in(database, password="not-this-one"))
    assert "never" not in outcome.state
    assert "Unable to connect to database." in outcome.state["errors"]["job-1"]["message"]
    assert "not-this-one" not in outcome.log
