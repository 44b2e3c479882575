"""Bring a database to the newest schema, roles included. Safe to run from several hosts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from runtime.large_objects import large_objects_close

ROLES = ("argus_api", "argus_ingest", "argus_pipeline")
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


def migrate(owner_url: str, role_passwords: Mapping[str, str], *, revision: str = "head") -> Migrated:
    """Create the roles that are missing, set their passwords and run every migration not yet run.

    owner_url: connects as the role that owns the tables; it needs CREATEROLE unless the three roles exist.
    role_passwords: role name to password; a role without one keeps the password it has. revision: up to which.
    Raises sqlalchemy.exc.SQLAlchemyError where the database refuses; nothing is changed then.
    """
    engine = create_engine(owner_url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(_LOCK)
            _roles_ensure(connection, role_passwords)
            config = _config()
            config.attributes["connection"] = connection
            before = MigrationContext.configure(connection).get_current_revision()
            command.upgrade(config, revision)
            after = MigrationContext.configure(connection).get_current_revision()
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101  (the pool's contract, told to the type checker)
            return Migrated(before, after, large_objects_close(raw))
    finally:
        engine.dispose()


def is_current(connection: Connection) -> bool:
    """Tell whether the database stands at the newest migration."""
    heads = set(ScriptDirectory.from_config(_config()).get_heads())
    return set(MigrationContext.configure(connection).get_current_heads()) == heads


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _roles_ensure(connection: Connection, role_passwords: Mapping[str, str]) -> None:
    for role in ROLES:
        exists = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
        if exists is None:
            connection.exec_driver_sql(
                f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT"
            )
        if role in role_passwords:
            # PASSWORD takes no parameter: the driver quotes the literal.
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101  (the pool's contract, told to the type checker)
            with raw.cursor() as cursor:
                cursor.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(role_passwords[role]))
                )
