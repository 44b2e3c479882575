"""Delete an organization with all that is its own: done by the tables' owner, table by table.

What may be large, and nothing refers to, goes first, page by page, each in a transaction of its own; the rest follows
in one, after which there is no such organization. One that was interrupted is continued by beginning again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from graph.locks import CHANGE_LOCK, INGEST_LOCK, ORGANIZATION_LOCK
from graph.tables import organizations

PAGE_ROWS: Final = 20_000
# Tables whose rows bear the number of an organization: partitions each for themselves, for only these can be read by
# page. is_partition: it may be dropped by retention meanwhile.
_TABLES: Final = text(
    """
    SELECT c.relname AS name, c.relispartition AS is_partition,
        EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f') AS is_referred_to,
        EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 8 = 8)
            AS has_triggers
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    ORDER BY c.relname
    """
)
_REFERENCES: Final = text(
    """
    SELECT DISTINCT f.conrelid::regclass::text AS source, f.confrelid::regclass::text AS target
    FROM pg_constraint f WHERE f.contype = 'f' AND f.conrelid <> f.confrelid
    """
)
_LOCK: Final = text("SELECT pg_advisory_xact_lock(:lock, :organization_id)")


@dataclass(frozen=True, slots=True)
class OrganizationTable:
    """A table with rows of organizations. is_free: nothing refers to it, so that it can be emptied by page."""

    name: str
    is_partition: bool
    is_free: bool


def organization_tables(session: Session) -> list[OrganizationTable]:
    """Return the tables with rows of organizations: each before those that it refers to.

    Where the deletion of a row writes rows of other tables, its table comes first.
    """
    rows = {row.name: row for row in session.execute(_TABLES)}
    refers = {(row.source, row.target) for row in session.execute(_REFERENCES)}
    ordered: list[OrganizationTable] = []
    left: Mapping[str, object] = dict(rows)
    while left:
        ready = [name for name in left if not any((other, name) in refers for other in left)]
        if not ready:
            message = f"These tables refer to each other: {', '.join(sorted(left))}."
            raise AssertionError(message)
        for name in sorted(ready, key=lambda name: (not rows[name].has_triggers, name)):
            row = rows[name]
            ordered.append(OrganizationTable(name, row.is_partition, not row.is_referred_to and not row.has_triggers))
        left = {name: row for name, row in left.items() if name not in ready}
    return ordered


def organization_page_delete(session: Session, *, organization_id: int, table: OrganizationTable) -> int:
    """Delete up to PAGE_ROWS rows of an organization from a table; return how many they were."""
    statement = text(
        f"DELETE FROM {table.name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table.name}"  # noqa: S608  (a table's name)
        " WHERE organization_id = :organization_id LIMIT :most))"
    )
    deleted = session.execute(statement, {"organization_id": organization_id, "most": PAGE_ROWS})
    return int(deleted.rowcount)  # type: ignore[attr-defined]


def organization_rest_delete(
    session: Session, *, organization_id: int, tables: Sequence[OrganizationTable]
) -> dict[str, int]:
    """Delete what is left of an organization, and itself; return the number of rows by table.

    Waits for changes and derivations of it that are under way, and for readings that are being written.
    """
    for lock in (ORGANIZATION_LOCK, CHANGE_LOCK, INGEST_LOCK):
        session.execute(_LOCK, {"lock": lock, "organization_id": organization_id})
    counts: dict[str, int] = {}
    for table in tables:
        statement = text(f"DELETE FROM {table.name} WHERE organization_id = :organization_id")  # noqa: S608  (likewise)
        deleted = session.execute(statement, {"organization_id": organization_id})
        counts[table.name] = int(deleted.rowcount)  # type: ignore[attr-defined]
    session.execute(delete(organizations).where(organizations.c.id == organization_id))
    return counts
