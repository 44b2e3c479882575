"""Rows that cannot be written: triggers that fail for one key, as a bad row or a defect would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

# What a trigger may raise: a fault of the row, and one that passes.
POISON = "22012"
DEADLOCK = "40P01"


@contextmanager
def poisoned(
    owner: Engine, table: str, condition: str, *, code: str = POISON, on: str = "INSERT OR UPDATE"
) -> Iterator[None]:
    """Have writing rows of a table fail, as long as the block lasts. condition: of NEW, in SQL; of OLD for a DELETE."""
    name = f"poison_of_{table}"
    row = "OLD" if on == "DELETE" else "NEW"
    with Session(owner) as session, session.begin():
        session.execute(
            text(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN"
                f" RAISE EXCEPTION 'poison' USING ERRCODE = '{code}'; END IF; RETURN {row}; END $$"
            )
        )
        session.execute(text(f"CREATE TRIGGER {name} BEFORE {on} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"))
    try:
        yield
    finally:
        with Session(owner) as session, session.begin():
            session.execute(text(f"DROP FUNCTION {name} CASCADE"))


def failures(owner: Engine) -> list[Any]:
    """Return all failed items: organization, queue, item, tries, reason, and whether due, set aside and resolved."""
    with Session(owner) as session:
        return list(
            session.execute(
                text(
                    "SELECT organization_id, queue, item, holds, tries, reason, due_at IS NOT NULL AS is_due,"
                    " resolved_at IS NOT NULL AS is_resolved FROM failed_items ORDER BY queue, organization_id, item"
                )
            )
        )


def pauses_end(owner: Engine) -> None:
    """Let the pauses of failed items be over."""
    with Session(owner) as session, session.begin():
        session.execute(text("UPDATE failed_items SET due_at = now() - interval '1 s' WHERE due_at IS NOT NULL"))


def retry(owner: Engine) -> None:
    """Have all failed items tried again, as an operator would."""
    with Session(owner) as session, session.begin():
        session.execute(text("UPDATE failed_items SET due_at = now(), tries = 0 WHERE resolved_at IS NULL"))
