"""Rows inserted many a statement are what one insertion of each makes them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.dialects.postgresql import Range

import graph.sql
from graph.ids import EntityId
from graph.kinds import EntityKind
from graph.sql import rows_insert
from graph.tables import changes, entities, entity_edges
from runtime.ids import new_id
from testing.world import World

AT = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
VALUES: list[Any] = [
    2**64 - 1, -(2**63), 1.5, -0.0, 1e300, 5e-324, 0.1, True, None, "", 'ü"\\ \u0001', "null", [], {}, {"a": [None, {"b": 1}]},
]  # fmt: skip


def entity_row(world: World, **values: Any) -> dict[str, Any]:
    row = {
        "organization_id": world.organization_id, "id": new_id(), "kind": "SPACE", "type": None, "name": "n",
        "external_id": None, "status": "active", "attributes": {}, "geometry": None, "bounds": None, "created_at": AT,
        "updated_at": AT, "deleted_at": None,
    }  # fmt: skip
    return row | values


def edge_row(world: World, source: EntityId, target: EntityId, **values: Any) -> dict[str, Any]:
    row = {
        "organization_id": world.organization_id, "id": new_id(), "edge_id": new_id(), "relationship": "FEEDS",
        "source_id": source, "source_kind": "ASSET", "target_id": target, "target_kind": "ASSET", "port": None,
        "metadata": {"a": 1}, "recorded": Range(AT, None, bounds="[)"),
    }  # fmt: skip
    return row | values


def test_rows_are_those_that_single_insertions_make(world: World) -> None:
    source, target = world.entities(EntityKind.ASSET, 2)
    spans = [Range(AT, None, bounds="[)"), Range(AT.replace(year=1), AT.replace(year=2), bounds="[)")]
    places: list[dict[str, Any]] = [{"geometry": b"\x00\xff'\\", "bounds": "((1,2),(3,4.5))"}, {}, {"deleted_at": AT}]
    rows = {
        entities: [
            *(entity_row(world, attributes={"value": value}) for value in VALUES),
            *(entity_row(world, name=name) for name in ("ü", " a\tb\n", "'; --", "\\", '"', "{1,2}", "\U0001f600")),
            *(entity_row(world, **values) for values in places),
        ],
        entity_edges: [edge_row(world, source, target, valid=span) for span in spans],
        changes: [
            {
                "organization_id": world.organization_id, "id": new_id(), "recorded_at": AT, "actor": "a", "action": "b",
                "subject_type": "c", "subject_id": UUID(int=7), "before": state, "after": {"s": state}, "reason": None,
            }
            for state in (None, {}, {"n": None, "t": "x"}, {"digits": Decimal("1.50")})
        ],
    }  # fmt: skip
    for table, new in rows.items():
        ids = {row["id"]: n for n, row in enumerate(new)}
        read = []
        for insertion in (lambda s, t, r: s.execute(insert(t), r), rows_insert):
            with world.session() as session:
                insertion(session, table, new)
                stored = session.execute(select(table).where(table.c.id.in_(ids))).all()
                read.append(sorted((tuple(row) for row in stored), key=lambda row: ids[row[1]]))
                session.rollback()
        assert len(read[0]) == len(new)
        assert list(map(repr, read[0])) == list(map(repr, read[1]))


def test_rows_are_one_statement_unless_they_are_very_large(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [entity_row(world, name=f"{n}") for n in range(100)]
    for chars, statements in ((graph.sql._STATEMENT_MAX_CHARS, 1), (20_000, 2), (1, 100)):
        monkeypatch.setattr(graph.sql, "_STATEMENT_MAX_CHARS", chars)
        seen: list[str] = []
        with world.session() as session:
            before = session.connection().engine
            event.listen(before, "before_cursor_execute", lambda *call, to=seen: to.append(call[2]))
            rows_insert(session, entities, rows)
            rows_insert(session, entities, [])
            names = session.scalars(select(entities.c.name).order_by(entities.c.id)).all()
            session.rollback()
        assert list(names) == [f"{n}" for n in range(100)]
        assert sum("INSERT" in statement for statement in seen) == statements


def test_a_value_that_has_no_form_is_a_defect(world: World) -> None:
    with world.session() as session, pytest.raises(TypeError, match="object has no form"):
        rows_insert(session, entities, [entity_row(world, name=object())])
