"""Bring a database to the newest schema, roles and functions included. Safe to run from several hosts at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from migrations.function_files import functions_apply
from runtime.large_objects import large_objects_close

# Revisions from before the initial schema were numbers alone.
_BEFORE_INITIAL: Final = re.compile(r"\d{4}")
# The first minor version of each major one with the fix of CVE-2024-10976.
_VERSIONS_MIN: Final = {15: 9, 16: 5, 17: 1}
ROLES = ("argus_api", "argus_ingest", "argus_pipeline")
# Of transactions for callers who are confined to a part of the plant; the API's role becomes it (graph/walk/scopes.py).
SCOPED_ROLE = "argus_scoped"
_POWERLESS = "NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT"
_IS_MEMBER = text(
    "SELECT 1 FROM pg_auth_members WHERE roleid = CAST(:role AS regrole) AND member = CAST(:member AS regrole)"
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('argus.migrate'))")


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did.

    revision_before: of the schema, None for an empty database. revision: since then. left: the statements that are
    left to a superuser (`runtime.large_objects`).
    """

    revision_before: str | None
    revision: str | None
    left: Sequence[str]


class SchemaRefusedError(Exception):
    """The database has a schema that cannot be brought to the newest one; the message says what to do."""


def migrate(owner_url: str, role_passwords: Mapping[str, str]) -> Migrated:
    """Create the missing roles, set their passwords, run every migration not yet run, and apply functions that changed.

    owner_url: connects as the role that owns the tables; it needs CREATEROLE unless the four roles exist, and argus_api
    is a member of argus_scoped.
    role_passwords: role name to password; a role without one keeps the password it has.
    Raises SchemaRefusedError, and sqlalchemy.exc.SQLAlchemyError where the database refuses; nothing is changed then.
    """
    engine = create_engine(owner_url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            _version_check(connection)
            connection.execute(_LOCK)
            before = _revision_of(connection)
            _roles_ensure(connection, role_passwords)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            functions_apply(connection)
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101  (the pool's contract, for the type checker)
            return Migrated(
                before, MigrationContext.configure(connection).get_current_revision(), large_objects_close(raw)
            )
    finally:
        engine.dispose()


def _version_check(connection: Connection) -> None:
    """Raise SchemaRefusedError for a PostgreSQL that may apply one role's policies to another role's plan."""
    number = int(connection.scalar(text("SHOW server_version_num")) or 0)
    least = _VERSIONS_MIN.get(number // 10_000, 0)
    if number % 10_000 < least:
        major = number // 10_000
        msg = (
            f"PostgreSQL {major}.{number % 10_000} is not safe for row-level security under changing roles "
            f"(CVE-2024-10976), which Argus relies on. Nothing was changed. Update it to {major}.{least} or newer."
        )
        raise SchemaRefusedError(msg)


def _revision_of(connection: Connection) -> str | None:
    """Return the revision of the database, None for an empty one.

    Raises SchemaRefusedError where this version of Argus does not know it.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None or revision in {
        known.revision for known in ScriptDirectory.from_config(_config()).walk_revisions()
    }:
        return revision
    if _BEFORE_INITIAL.fullmatch(revision):
        msg = (
            f"The database has the schema of a development version of Argus (revision {revision}), which is older than "
            "the initial schema and cannot be upgraded. Nothing was changed. Start with a new data directory or an "
            "empty database; to take data along, export it with the version that wrote it (argus export graph) and "
            "import it here (argus import)."
        )
    else:
        msg = (
            f"The database has a schema that this version of Argus does not know (revision {revision}): a newer "
            "version has migrated it. Nothing was changed. Run that version, or restore a backup from before."
        )
    raise SchemaRefusedError(msg)


def is_current(connection: Connection) -> bool:
    """Return whether the database is at the newest migration."""
    latest = set(ScriptDirectory.from_config(_config()).get_heads())
    return set(MigrationContext.configure(connection).get_current_heads()) == latest


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _roles_ensure(connection: Connection, role_passwords: Mapping[str, str]) -> None:
    for role in ROLES:
        if not _role_exists(connection, role):
            connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN {_POWERLESS}")
        if role in role_passwords:
            # PASSWORD takes no parameter: the driver quotes the literal.
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101  (the pool's contract, for the type checker)
            with raw.cursor() as cursor:
                cursor.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(role_passwords[role]))
                )
    if not _role_exists(connection, SCOPED_ROLE):
        connection.exec_driver_sql(f"CREATE ROLE {SCOPED_ROLE} NOLOGIN {_POWERLESS}")
    # The API's role inherits nothing (NOINHERIT): it has these rights, and no others, while it is that role.
    if not connection.scalar(_IS_MEMBER, {"member": "argus_api", "role": SCOPED_ROLE}):
        connection.exec_driver_sql(f"GRANT {SCOPED_ROLE} TO argus_api")


def _role_exists(connection: Connection, role: str) -> bool:
    return connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}) is not None
