"""Names in one form of Unicode, whichever form they come in."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from graph.entities.model import EntityDraft, EntityFilter
from graph.entities.operations import entity_create, entity_delete, entity_restore
from graph.entities.pages import entities_page
from graph.entities.queries import entities_by_external_id, entity_by_external_id
from graph.errors import ConflictError
from graph.kinds import EntityKind
from graph.paging import PageRequest
from graph.texts import json_nfc, text_nfc
from testing.world import World

COMPOSED = "K\u00fcche \u00c5"
DECOMPOSED = normalize("NFD", COMPOSED)
# The sign of the unit, which NFC makes the letter.
SIGN = "K\u00fcche \u212b"


def test_texts_that_look_alike_are_the_same() -> None:
    assert DECOMPOSED != COMPOSED != SIGN
    assert {text_nfc(text) for text in (COMPOSED, DECOMPOSED, SIGN)} == {COMPOSED}
    assert json_nfc({DECOMPOSED: [1, None, {SIGN: DECOMPOSED}]}) == {COMPOSED: [1, None, {COMPOSED: COMPOSED}]}


def test_names_external_ids_and_types_are_stored_and_found_in_one_form(world: World) -> None:
    asset = EntityKind.ASSET
    with world.changing() as (session, change):
        draft = EntityDraft(name=DECOMPOSED, external_id=SIGN, type=DECOMPOSED, attributes={"as": DECOMPOSED})
        created = entity_create(session, change=change, kind=asset, draft=draft)
    assert (created.name, created.external_id, created.type) == (COMPOSED, COMPOSED, COMPOSED)
    # What an attribute holds is the caller's.
    assert created.attributes == {"as": DECOMPOSED}
    scope = {"organization_id": world.organization_id}
    with world.session() as session:
        for form in (COMPOSED, DECOMPOSED, SIGN):
            assert entity_by_external_id(session, **scope, kind=asset, external_id=form) == created
            several = entities_by_external_id(session, **scope, kind=asset, external_ids=[form])
            assert several == {COMPOSED: created}
            for where in (EntityFilter(search=form), EntityFilter(types=[form])):
                page = entities_page(session, **scope, where=where, page=PageRequest(5))  # type: ignore[arg-type]
                assert list(page.items) == [created]
    with pytest.raises(ConflictError), world.changing() as (session, change):
        entity_create(session, change=change, kind=asset, draft=EntityDraft(name="x", external_id=DECOMPOSED))
    with world.changing() as (session, change):
        other = entity_create(session, change=change, kind=asset, draft=EntityDraft(name="x"))
        entity_delete(session, change=change, entity_id=other.id)
    with pytest.raises(ConflictError), world.changing() as (session, change):
        entity_restore(session, change=change, entity_id=other.id, external_id=SIGN)
