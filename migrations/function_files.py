"""Keep the functions and triggers of the database as `migrations/functions` has them.

A version (`migrations/versions`) changes tables, once. A function or a trigger has one text, its present one, which is
applied after the versions whenever it, or what the catalogue has, is not what was applied last.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import Final

from sqlalchemy import Connection, text

from migrations.catalogue import functions_and_triggers

# In order: a function in SQL is checked when it is created, and calls only what is there.
FILES: Final = (
    "tenancy",
    "texts",
    "authentication",
    "graph",
    "scopes",
    "partitions",
    "retention",
    "ingest_accounting",
    "invalidation",
    "suppression",
    "work",
    "event_updates",
    "organizations",
    "erasures",
    "monitoring",
)
_APPLIED = text("SELECT text_hash, catalogue_hash FROM schema_functions")
# Functions are dropped before they are created: one that returns something else cannot be replaced, and one that is no
# longer in the files is to go. What policies, indexes, triggers and other functions depend on stays, and is replaced.
_DROP = """
DO $$
DECLARE
    signature text;
BEGIN
    FOR signature IN SELECT p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
            AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = p.oid AND x.deptype = 'e') LOOP
        BEGIN
            EXECUTE 'DROP FUNCTION ' || signature;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END LOOP;
END $$;
"""
_REMEMBER = text(
    "INSERT INTO schema_functions (text_hash, catalogue_hash) VALUES (:text, :catalogue)"
    " ON CONFLICT (is_only) DO UPDATE SET text_hash = excluded.text_hash,"
    " catalogue_hash = excluded.catalogue_hash, applied_at = clock_timestamp()"
)


def functions_apply(connection: Connection) -> bool:
    """Create or replace every function and trigger, drop other functions; return False where nothing had changed.

    Where nothing has changed it reads the catalogue and locks nothing. Otherwise it locks the tables that have triggers
    until the transaction ends. At most four statements beside the files.
    """
    statements = "\n".join(
        files("migrations").joinpath("functions", f"{name}.sql").read_text("utf-8") for name in FILES
    )
    applied = connection.execute(_APPLIED).one_or_none()
    if applied is not None and tuple(applied) == (_hash(statements), _hash(functions_and_triggers(connection))):
        return False
    raw = connection.connection.driver_connection
    assert raw is not None  # noqa: S101  (the pool's contract, for the type checker)
    raw.execute((_DROP + statements).encode())
    connection.execute(_REMEMBER, {"text": _hash(statements), "catalogue": _hash(functions_and_triggers(connection))})
    return True


def _hash(content: str) -> str:
    return sha256(content.encode()).hexdigest()
