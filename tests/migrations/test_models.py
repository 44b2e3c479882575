"""Migrations and models describe the same database, as PostgreSQL's own catalogue has it."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from domain.tables import metadata_complete

# Each yields a name and what it is, in words of PostgreSQL's own.
_TABLES = "c.relnamespace = 'public'::regnamespace AND c.relname <> ALL ('{alembic_version, schema_functions}') AND NOT c.relispartition"
# ruff: noqa: S608  (constants)
CATALOGUE = {
    "tables": f"""
        SELECT c.relname AS name, concat_ws(' ', c.relkind, pg_get_partkeydef(c.oid)) AS what
        FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm') AND {_TABLES}""",
    "columns": f"""
        SELECT c.relname || '.' || a.attname AS name,
            concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                concat('identity=', a.attidentity), concat('generated=', a.attgenerated),
                concat('collation=', a.attcollation::regcollation), pg_get_expr(d.adbin, d.adrelid)) AS what
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind IN ('r', 'p') AND {_TABLES}""",
    # PostgreSQL 18 has a constraint for each NOT NULL, named by itself; the columns say it already. Triggers have one
    # too, and no model.
    "constraints": f"""
        SELECT c.relname || '.' || k.conname AS name, pg_get_constraintdef(k.oid) AS what
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype NOT IN ('n', 't') AND {_TABLES}""",
    "indexes": f"""
        SELECT i.relname AS name, pg_get_indexdef(i.oid) AS what
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
        WHERE {_TABLES}""",
    "sequences": """
        SELECT sequencename AS name, concat_ws(' ', data_type, start_value, min_value, max_value, increment_by,
            cycle, cache_size) AS what FROM pg_sequences WHERE schemaname = 'public'""",
}  # fmt: skip


@pytest.mark.parametrize("part", CATALOGUE)
def test_migrations_and_models_are_the_same(part: str, migrated: Connection, modelled: Connection) -> None:
    query = text(CATALOGUE[part])
    from_migrations = {row.name: row.what for row in migrated.execute(query)}
    from_models = {row.name: row.what for row in modelled.execute(query)}
    assert from_models == from_migrations
    assert len(from_models) >= 3


def test_every_table_has_a_model(migrated: Connection) -> None:
    names = migrated.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
    )
    assert set(names) == {*metadata_complete().tables, "alembic_version", "schema_functions"}
