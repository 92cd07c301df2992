"""The tables of the store, and how those of an older version become those of this one.

Both databases understand these statements, but for the type of bytes. The table `version` has one row with the number
of migrations that were made.
"""

from __future__ import annotations

from collections.abc import Sequence

MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """CREATE TABLE record (
            id TEXT PRIMARY KEY, request_id TEXT NOT NULL, received_us BIGINT NOT NULL, state TEXT NOT NULL,
            status INTEGER NOT NULL, error TEXT, key_name TEXT, face TEXT NOT NULL, path TEXT NOT NULL,
            backend TEXT NOT NULL, model TEXT NOT NULL, row_name TEXT, outcome TEXT NOT NULL, finish_reason TEXT,
            stream INTEGER NOT NULL, attempts INTEGER NOT NULL, calls INTEGER NOT NULL, pieces BIGINT NOT NULL,
            bytes_in BIGINT NOT NULL, bytes_out BIGINT NOT NULL, tok_in BIGINT, tok_out BIGINT, tok_reasoning BIGINT,
            sent_us BIGINT, first_byte_us BIGINT, first_word_us BIGINT, total_us BIGINT,
            worker TEXT NOT NULL, has_text INTEGER NOT NULL, tried TEXT NOT NULL)""",
        "CREATE TABLE record_code (record_id TEXT NOT NULL, seq INTEGER NOT NULL, code TEXT NOT NULL,"
        " detail TEXT NOT NULL, PRIMARY KEY (record_id, seq))",
        # the body comes last, so that whoever sums up `stored` need not read it
        "CREATE TABLE record_text (record_id TEXT NOT NULL, kind TEXT NOT NULL, encoding TEXT NOT NULL,"
        " size BIGINT NOT NULL, truncated INTEGER NOT NULL, stored BIGINT NOT NULL, borders BYTES NOT NULL,"
        " body BYTES NOT NULL, PRIMARY KEY (record_id, kind))",
        "CREATE INDEX record_code_code ON record_code (code, record_id)",
        "CREATE INDEX record_model ON record (model, id)",
        "CREATE INDEX record_key ON record (key_name, id)",
        "CREATE INDEX record_request ON record (request_id)",
        "CREATE INDEX record_open ON record (worker) WHERE state = 'open'",
    ),
    # sessions of the inspector from which somebody logged out, until their cookies are too old anyway
    ("CREATE TABLE ended_session (id TEXT PRIMARY KEY, until_us BIGINT NOT NULL)",),
)
"""Each migration is a list of statements. One that was released is never changed: another is put behind it.

`BYTES` stands for the database's own type of bytes. `stored` is how many bytes a text takes here.
"""

LOCK = 0x647261676F6D616E
"""Number of the lock under which PostgreSQL is migrated: "dragoman" in ASCII."""

VERSION_TABLE = "CREATE TABLE IF NOT EXISTS version (version INTEGER NOT NULL)"
