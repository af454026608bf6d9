"""The SQL of the index: FTS5 without contents in a file of its own, or a table with tsvector.

``?`` stands for values. Where a statement of SQLite ends in ``IN`` or ``VALUES``, lists of values are set behind it.
"""

from __future__ import annotations

__all__ = ["POSTGRESQL", "SQLITE"]

SQLITE = {
    "schema": """
CREATE TABLE IF NOT EXISTS search_entry (
    number INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    project_id BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    owner_id BLOB NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    UNIQUE (kind, subject_id, first)
) STRICT;
CREATE INDEX IF NOT EXISTS search_entry_of_owner ON search_entry (project_id, kind, owner_id);
CREATE TABLE IF NOT EXISTS search_progress (name TEXT PRIMARY KEY, mark BLOB NOT NULL) STRICT;
CREATE VIRTUAL TABLE IF NOT EXISTS search_words USING fts5(
    words, content='', contentless_delete=1, detail=none, tokenize='ascii'
);
""",
    "drop": "DROP TABLE search_words;\nDROP TABLE search_entry;\nDROP TABLE search_progress;",
    "known": "SELECT number FROM search_entry WHERE (kind, subject_id, first) IN",
    "last": "SELECT coalesce(max(number), 0) FROM search_entry",
    "add": "INSERT INTO search_entry (number, kind, project_id, subject_id, owner_id, first, last) VALUES",
    "add_words": "INSERT INTO search_words (rowid, words) VALUES",
    "drop_words": "DELETE FROM search_words WHERE rowid = ?",
    "drop_entry": "DELETE FROM search_entry WHERE number = ?",
    "of_owner": "SELECT number FROM search_entry WHERE project_id = ? AND kind = ? AND owner_id = ?",
    "before": """SELECT number FROM search_entry WHERE project_id = ? AND kind = ? AND owner_id < ? ORDER BY owner_id LIMIT ?""",
    "merge": "INSERT INTO search_words (search_words, rank) VALUES ('merge', ?)",
    "places": "SELECT owner_id, first FROM search_entry WHERE project_id = ? AND kind = ? AND owner_id IN",
    "mark": "SELECT mark FROM search_progress WHERE name = ?",
    "set_mark": "INSERT INTO search_progress (name, mark) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET mark = excluded.mark",
    "find": """SELECT subject_id, owner_id, first, last FROM search_words JOIN search_entry ON search_entry.number = search_words.rowid
        WHERE search_words MATCH ? AND project_id = ? AND kind = ? AND (subject_id < ? OR (subject_id = ? AND first < ?))
        ORDER BY subject_id DESC, first DESC LIMIT ?""",
}

POSTGRESQL = {
    "schema": """
CREATE TABLE IF NOT EXISTS search_entry (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind smallint NOT NULL,
    project_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    words tsvector NOT NULL,
    UNIQUE (kind, subject_id, first)
);
CREATE INDEX IF NOT EXISTS search_entry_of_owner ON search_entry (project_id, kind, owner_id);
CREATE INDEX IF NOT EXISTS search_entry_words ON search_entry USING gin (words) WITH (fastupdate = on);
CREATE TABLE IF NOT EXISTS search_progress (name text PRIMARY KEY, mark bytea NOT NULL);
""",
    "drop": "DROP TABLE search_entry;\nDROP TABLE search_progress;",
    "add": """INSERT INTO search_entry (kind, project_id, subject_id, owner_id, first, last, words)
        SELECT kind, project_id, subject_id, owner_id, first, last, array_to_tsvector(string_to_array(words, ' '))
        FROM unnest(?::smallint[], ?::uuid[], ?::uuid[], ?::uuid[], ?::bigint[], ?::bigint[], ?::text[])
            AS entry (kind, project_id, subject_id, owner_id, first, last, words)
        ON CONFLICT (kind, subject_id, first) DO UPDATE SET last = excluded.last, words = excluded.words""",
    "of_owner": SQLITE["of_owner"],
    "before": SQLITE["before"],
    "drop_entry": SQLITE["drop_entry"],
    "places": "SELECT owner_id, first FROM search_entry WHERE project_id = ? AND kind = ? AND owner_id = ANY(?::uuid[])",
    "mark": SQLITE["mark"],
    "set_mark": SQLITE["set_mark"],
    "find": """SELECT subject_id, owner_id, first, last FROM search_entry
        WHERE words @@ ?::tsquery AND project_id = ? AND kind = ? AND (subject_id < ? OR (subject_id = ? AND first < ?))
        ORDER BY subject_id DESC, first DESC LIMIT ?""",
}
