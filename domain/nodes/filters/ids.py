"""Conditions on what every entity has itself: its ids and times."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, String, Text, Uuid, any_, bindparam, cast

from domain.nodes.filters.model import ListFilter
from graph.json_bounds import texts_storable
from graph.sql import uuids_text
from graph.tables import entities
from graph.texts import text_nfc


def any_id(ids: Iterable[UUID]) -> ColumnElement[bool]:
    """Return the condition that an entity is one of these. As one text, which is faster than many parameters."""
    return entities.c.id == any_(cast(bindparam("any_ids", uuids_text(ids), String, unique=True), ARRAY(Uuid)))


def own_conditions(part: ListFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter on ids and times."""
    columns = entities.c
    conditions: list[ColumnElement[bool]] = []
    if part.ids is not None:
        conditions.append(any_id(part.ids))
    if part.external_ids is not None:
        external_ids = [text_nfc(text) for text in texts_storable(part.external_ids)]
        conditions.append(columns.external_id == any_(cast(external_ids, ARRAY(Text))))
    for column, begins, ends in (
        (columns.created_at, part.created_from, part.created_to),
        (columns.updated_at, part.updated_from, part.updated_to),
    ):
        if begins is not None:
            conditions.append(column >= begins)
        if ends is not None:
            conditions.append(column < ends)
    return conditions
