"""Search a whole database for texts and ids: every column of every table that can hold one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Engine, text

# Partitions are searched by themselves, so that none is left out.
_COLUMNS = text(
    """
    SELECT c.oid::regclass::text AS table, quote_ident(a.attname) AS column, t.typname AS type
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    ORDER BY 1, 2
    """
)
# Numbers and instants hold no name, and no id.
_NUMERIC = frozenset(
    {
        "bool",
        "box",
        "date",
        "float4",
        "float8",
        "int2",
        "int4",
        "int8",
        "interval",
        "numeric",
        "timestamptz",
        "tstzrange",
    }
    | {"xid8", "_int2", "_int4", "_int8", "_float8", "_timestamptz"}
)


def database_search(engine: Engine, needles: Mapping[str, str | UUID]) -> list[str]:
    """Return where the needles are found: their names, with table and column.

    A text is found anywhere in a column's text or bytes; an id likewise, by its text, with and without hyphens, and by
    its bytes. engine: of a role that sees all rows.
    """
    places: list[str] = []
    with engine.connect() as connection:
        columns = [row for row in connection.execute(_COLUMNS) if row.type not in _NUMERIC]
        assert len(columns) > 100
        for row in columns:
            for name, needle in needles.items():
                patterns = [str(needle), needle.hex] if isinstance(needle, UUID) else [needle]
                pieces = [needle.bytes] if isinstance(needle, UUID) else []
                where = f"{row.column}::text ILIKE ANY (:patterns)"
                if row.type == "bytea":
                    pieces += [pattern.encode() for pattern in patterns]
                    where = (
                        f"EXISTS (SELECT FROM unnest(CAST(:pieces AS bytea[])) p WHERE position(p IN {row.column}) > 0)"
                    )
                count = connection.execute(
                    text(f"SELECT count(*) FROM ONLY {row.table} WHERE {where}"),  # noqa: S608
                    {"patterns": [f"%{_escaped(pattern)}%" for pattern in patterns], "pieces": pieces},
                ).scalar_one()
                if count:
                    places.append(f"{name} in {count} rows of {row.table}.{row.column}")
    return places


def _escaped(pattern: str) -> str:
    return pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
