"""PostgreSQL's large objects: closed to the roles of Argus, as they belong to no organization."""

from __future__ import annotations

from typing import Final

import psycopg

_FUNCTIONS: Final = """
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
        AND (p.proname LIKE 'lo\\_%' OR p.proname IN ('loread', 'lowrite'))
        AND has_function_privilege('public', p.oid, 'EXECUTE')
    ORDER BY 1
"""


def large_objects_close(connection: psycopg.Connection) -> list[str]:
    """Revoke the functions for large objects from PUBLIC in the connection's database, where they belong to its role.

    Row-level security does not reach large objects: tenants would meet there. Return the statements that are left to
    a superuser; none where all is closed.
    """
    statements = [
        f"REVOKE EXECUTE ON FUNCTION pg_catalog.{signature} FROM PUBLIC"
        for (signature,) in connection.execute(_FUNCTIONS).fetchall()
    ]
    if not statements:
        return []
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row is None or not row[0]:
        return statements
    for statement in statements:
        # A signature as PostgreSQL writes it, quoted where that is needed.
        connection.execute(statement.encode())
    return []
