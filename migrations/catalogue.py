"""The schema of a database as PostgreSQL's catalogue has it, as text: the same on every version that Argus supports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, text

# ruff: noqa: S608  (constants)
# What belongs to an extension, and what Alembic keeps, is not ours. Partitions are made while Argus runs.
_TABLE: Final = (
    "c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version' AND NOT c.relispartition"
    " AND c.relkind IN ('r', 'p')"
)
# Privileges of others than the owner. 0 is PUBLIC. The owner's are all.
_GRANTS: Final = """(
    SELECT string_agg(what || ' TO ' || who, '; ' ORDER BY who) FROM (
        SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END AS who,
            string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) AS what
        FROM aclexplode({acl}) g WHERE g.grantee <> {owner} GROUP BY 1
    ) g)"""

_TABLES: Final = f"""
    SELECT c.relname AS owner, concat_ws(' ', 'TABLE', c.relname,
        CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
        'PARTITION BY ' || pg_get_partkeydef(c.oid),
        'WITH (' || array_to_string(c.reloptions, ', ') || ')',
        CASE WHEN c.relrowsecurity THEN 'ROW SECURITY' END) AS line
    FROM pg_class c WHERE {_TABLE}"""
_COLUMNS: Final = f"""
    SELECT c.relname AS owner, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END,
        CASE WHEN a.attnotnull THEN 'NOT NULL' END,
        CASE a.attidentity WHEN 'a' THEN 'ALWAYS AS IDENTITY' WHEN 'd' THEN 'BY DEFAULT AS IDENTITY' END,
        CASE a.attgenerated WHEN '' THEN 'DEFAULT ' ELSE 'GENERATED ALWAYS AS ' END || pg_get_expr(d.adbin, d.adrelid),
        CASE WHEN a.attstattarget > 0 THEN 'STATISTICS ' || a.attstattarget END) AS line
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE {_TABLE}"""
# PostgreSQL 18 has a constraint for each NOT NULL: the columns say it already. A constraint trigger is a trigger.
_CONSTRAINTS: Final = f"""
    SELECT c.relname AS owner, concat_ws(' ', 'CONSTRAINT', k.conname, pg_get_constraintdef(k.oid)) AS line
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype NOT IN ('n', 't') AND {_TABLE}"""
_INDEXES: Final = f"""
    SELECT c.relname AS owner, replace(pg_get_indexdef(x.indexrelid), 'ON ONLY public.', 'ON public.') AS line
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
    WHERE {_TABLE} AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype <> 'f')"""
_POLICIES: Final = f"""
    SELECT c.relname AS owner, concat_ws(' ', 'POLICY', p.policyname, p.permissive, 'FOR', p.cmd, 'TO',
        (SELECT string_agg(r, ', ' ORDER BY r) FROM unnest(p.roles) r),
        'USING ' || p.qual, 'WITH CHECK ' || p.with_check) AS line
    FROM pg_policies p JOIN pg_class c ON c.relname = p.tablename WHERE p.schemaname = 'public' AND {_TABLE}"""
_RIGHTS: Final = f"""
    SELECT c.relname AS owner,
        'GRANT ' || unnest(string_to_array({_GRANTS.format(acl="c.relacl", owner="c.relowner")}, '; ')) AS line
    FROM pg_class c WHERE {_TABLE}
    UNION ALL
    SELECT c.relname, 'GRANT (' || a.attname || ') '
        || unnest(string_to_array({_GRANTS.format(acl="a.attacl", owner="c.relowner")}, '; '))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped WHERE {_TABLE}"""
_TRIGGERS: Final = f"""
    SELECT c.relname AS owner, pg_get_triggerdef(t.oid) AS line
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND {_TABLE}"""
_SEQUENCES: Final = f"""
    SELECT concat_ws(' ', 'SEQUENCE', s.sequencename, s.data_type, 'START', s.start_value, 'INCREMENT', s.increment_by,
        'CACHE', s.cache_size, 'GRANT ' || {_GRANTS.format(acl="c.relacl", owner="c.relowner")}) AS line
    FROM pg_sequences s JOIN pg_class c ON c.relname = s.sequencename AND c.relkind = 'S'
    WHERE s.schemaname = 'public' AND c.relnamespace = 'public'::regnamespace"""
_FUNCTION: Final = """p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = p.oid AND x.deptype = 'e')"""
_FUNCTION_GRANTS: Final = _GRANTS.format(acl="coalesce(p.proacl, acldefault('f', p.proowner))", owner="p.proowner")
_FUNCTIONS: Final = f"""
    SELECT concat_ws(E'\\n', pg_get_functiondef(p.oid), 'GRANT ' || {_FUNCTION_GRANTS}) AS line
    FROM pg_proc p WHERE {_FUNCTION}"""
_SIGNATURES: Final = f"""
    SELECT concat_ws(' ', 'FUNCTION', p.oid::regprocedure, 'RETURNS', pg_get_function_result(p.oid), l.lanname,
        CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
        CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END, 'SET ' || array_to_string(p.proconfig, ' SET '),
        'MD5 ' || md5(pg_get_functiondef(p.oid)), 'GRANT ' || {_FUNCTION_GRANTS}) AS line
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE {_FUNCTION}"""
_EXTENSIONS: Final = "SELECT 'EXTENSION ' || extname AS line FROM pg_extension WHERE extname <> 'plpgsql'"


def functions_and_triggers(connection: Connection) -> str:
    """Return every function and trigger with its whole text."""
    triggers = connection.execute(text(_TRIGGERS))
    return "\n".join([*_sorted(connection, _FUNCTIONS), *sorted(f"{row.owner} {row.line}" for row in triggers)])


def schema_text(connection: Connection) -> str:
    """Return the whole schema: a paragraph for each table, then sequences, functions and extensions, all sorted.

    Of a function it has the signature and a hash of its definition; the text is in `migrations/functions`.
    """
    owned: dict[str, list[str]] = {}
    for query in (_TABLES, _COLUMNS, _CONSTRAINTS, _INDEXES, _TRIGGERS, _POLICIES, _RIGHTS):
        for owner, line in sorted(map(tuple, connection.execute(text(query)))):
            owned.setdefault(owner, []).append(line if query is _TABLES else f"    {' '.join(line.split())}")
    tables = ["\n".join(lines) for _, lines in sorted(owned.items())]
    rest = ["\n".join(_sorted(connection, query)) for query in (_SEQUENCES, _SIGNATURES, _EXTENSIONS)]
    return "\n\n".join([*tables, *rest]) + "\n"


def _sorted(connection: Connection, query: str) -> Iterable[str]:
    return sorted(connection.execute(text(query)).scalars())
