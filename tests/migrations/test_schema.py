"""The schema as it is checked in, on each version of PostgreSQL, and functions that follow their text."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, text

from migrations.catalogue import schema_text
from migrations.export import SOURCE
from migrations.function_files import FILES, functions_apply
from migrations.run import ROLES, SchemaRefusedError, migrate
from testing.installation import PROJECT
from testing.servers import PASSWORD, TestDatabase

_FUNCTIONS = PROJECT / "migrations" / "functions"


def test_the_schema_is_the_one_that_is_checked_in(migrated: Connection) -> None:
    """Run `make schema` and look at the difference."""
    checked_in = (PROJECT / "migrations" / "schema.sql").read_text(encoding="utf-8")
    assert (SOURCE + schema_text(migrated)).splitlines() == checked_in.splitlines()


def test_every_file_of_functions_is_applied() -> None:
    assert {path.stem for path in _FUNCTIONS.iterdir()} == set(FILES)


def test_every_function_has_one_text_and_says_what_it_does(migrated: Connection) -> None:
    content = "\n".join(path.read_text(encoding="utf-8") for path in _FUNCTIONS.iterdir())
    names = re.findall(r"^-- .+\nCREATE OR REPLACE FUNCTION (\w+)\(", content, re.MULTILINE)
    there = migrated.scalars(
        text(
            "SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
    )
    assert sorted(names) == sorted(there)
    migrations = [*(PROJECT / "migrations" / "sql").iterdir(), *(PROJECT / "migrations" / "versions").glob("*.py")]
    assert not [path for path in migrations if re.search(r"CREATE.*(FUNCTION|TRIGGER)", path.read_text("utf-8"))]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER FUNCTION drop_partitions(text, timestamptz) SECURITY INVOKER",
        "GRANT EXECUTE ON FUNCTION batches_reopen(integer, bigint[], timestamptz[]) TO PUBLIC, argus_ingest",
        "DROP TRIGGER {deferred} ON entity_edges",
        "DROP TRIGGER {plain} ON entities",
        "CREATE OR REPLACE FUNCTION current_organization() RETURNS integer LANGUAGE sql STABLE RETURN 1",
        # As versions before had them: another result, other parameters, gone since.
        """DROP FUNCTION api_key_owner(bytea); CREATE FUNCTION api_key_owner(hash bytea, OUT organization_id integer)
            RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT 1'""",
        "CREATE FUNCTION batches_reopen(integer) RETURNS integer LANGUAGE sql RETURN $1",
        "CREATE FUNCTION retired() RETURNS integer LANGUAGE sql SECURITY DEFINER RETURN 1",
    ],
)
def test_functions_are_put_right_where_they_differ(migrated: Connection, statement: str) -> None:
    triggers = text(
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = CAST(:t AS regclass) AND tgdeferrable = :d"
    )
    [deferred, *_] = migrated.scalars(triggers, {"t": "entity_edges", "d": True})
    [plain, *_] = migrated.scalars(triggers, {"t": "entities", "d": False})
    before = schema_text(migrated)
    assert functions_apply(migrated) is False
    migrated.execute(text(statement.format(deferred=deferred, plain=plain)))
    assert schema_text(migrated) != before
    assert functions_apply(migrated) is True
    assert schema_text(migrated) == before
    assert functions_apply(migrated) is False


def test_no_lock_is_taken_without_changes(migrated: Connection) -> None:
    assert functions_apply(migrated) is False
    locks = migrated.scalars(
        text(
            "SELECT DISTINCT l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
            " WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'public'::regnamespace"
        )
    )
    assert set(locks) == {"AccessShareLock"}


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        ("0001", "older than the initial schema"),
        ("0039", "older than the initial schema"),
        ("0002_next", "newer version"),
    ],
)
def test_a_schema_that_is_unknown_is_refused(
    database: TestDatabase, engine: Callable[[str], Engine], revision: str, says: str
) -> None:
    with engine("owner").begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
        before = schema_text(connection)
    with pytest.raises(SchemaRefusedError, match=says) as refused:
        migrate(database.url("owner"), dict.fromkeys(ROLES, PASSWORD))
    assert f"revision {revision}" in str(refused.value)
    with engine("owner").connect() as connection:
        assert schema_text(connection) == before
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == revision
