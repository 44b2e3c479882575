"""Tokens of devices."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from domain.base.bearer_secrets import secret_text
from domain.nodes.operations import entity_delete, entity_restore
from domain.plant.assets.operations import asset_create
from domain.plant.devices.operations import device_create
from domain.plant.devices.tokens import (
    DeviceToken,
    TokenOwner,
    device_token_authenticate,
    device_token_issue,
    device_token_list,
    device_token_revoke,
    device_tokens_ended,
    device_tokens_get,
    device_tokens_newest,
)
from graph.changes import ChangeFilter, changes_page
from graph.entities.model import EntityDraft
from graph.ids import EntityId
from graph.paging import PageRequest
from testing.faults import fault_of
from testing.world import World, new_id

SECRET = bytes(range(32))


def device(world: World) -> EntityId:
    with world.changing() as (session, change):
        return device_create(session, change=change, draft=EntityDraft(name="Probe")).id


def issue(world: World, device_id: UUID, secret: bytes = SECRET) -> tuple[DeviceToken, str]:
    with world.changing() as (session, change):
        return device_token_issue(session, change=change, device_id=device_id, secret=secret)


def revoke(world: World, device_id: UUID, token_id: UUID) -> DeviceToken:
    with world.changing() as (session, change):
        return device_token_revoke(session, change=change, device_id=device_id, token_id=token_id)


def owner(engine: Callable[[str], Engine], token: str) -> TokenOwner | None:
    """Look up the owner as a request with only a token does."""
    with Session(engine("api")) as session, session.begin():
        return device_token_authenticate(session, token=token)


def test_a_token_names_its_device_until_it_is_revoked(world: World, engine: Callable[[str], Engine]) -> None:
    probe = device(world)
    issued, token = issue(world, probe)
    assert token == "argus_dev_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert owner(engine, token) == TokenOwner(world.organization_id, probe, issued.id)
    for wrong in ("", "argus_dev_", token[:-1], token + "A", token.lower(), "argus_dev_é", "argus_dev_\0"):
        assert owner(engine, wrong) is None
    second, other_token = issue(world, probe, SECRET[::-1])
    revoked = revoke(world, probe, issued.id)
    assert revoked.revoked_at is not None
    assert owner(engine, token) is None
    assert owner(engine, other_token) == TokenOwner(world.organization_id, probe, second.id)
    with world.session() as session:
        tokens = device_token_list(session, organization_id=world.organization_id, device_id=probe)
    unused = [replace(token, last_used_at=None) for token in (*tokens, revoked)]
    assert unused == [replace(revoked, last_used_at=None), second, replace(revoked, last_used_at=None)]
    assert fault_of(lambda: revoke(world, probe, issued.id)) == ("CONFLICT", ("tokenId",))


def test_only_the_hash_is_stored(world: World, engine: Callable[[str], Engine]) -> None:
    probe = device(world)
    issued, token = issue(world, probe)
    revoke(world, probe, issued.id)
    with Session(engine("owner")) as session:
        assert session.scalar(text("SELECT token_hash FROM device_tokens")) == hashlib.sha256(token.encode()).digest()
    with world.session() as session:
        where = ChangeFilter(subject_ids=[probe])
        page = changes_page(session, organization_id=world.organization_id, where=where, page=PageRequest(9))
    assert [change.action for change in page.items] == ["revoked", "issued", "created"]
    assert token.removeprefix("argus_dev_") not in repr(page.items)


def test_a_deleted_devices_tokens_are_refused_until_it_is_restored(
    world: World, engine: Callable[[str], Engine]
) -> None:
    probe = device(world)
    _, token = issue(world, probe)
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=probe)
    assert owner(engine, token) is None
    assert fault_of(lambda: issue(world, probe, SECRET[::-1])) == ("NOT_FOUND", ("deviceId",))
    with world.changing() as (session, change):
        entity_restore(session, change=change, entity_id=probe)
    token_owner = owner(engine, token)
    assert token_owner is not None
    assert token_owner.device_id == probe


def test_the_number_of_tokens_is_bounded(world: World) -> None:
    probe = device(world)
    issued = [issue(world, probe, bytes([number]) * 32)[0] for number in range(20)]
    assert fault_of(lambda: issue(world, probe)) == ("LIMIT_EXCEEDED", ("deviceId",))
    revoke(world, probe, issued[0].id)
    assert issue(world, probe)[0].revoked_at is None


def test_a_secret_of_another_length_is_a_defect() -> None:
    with pytest.raises(ValueError, match="32 random bytes, not 16"):
        secret_text("argus_dev_", SECRET[:16])


def test_another_organization_and_other_kinds_have_none(world: World, other: World) -> None:
    probe = device(world)
    issued, _ = issue(world, probe)
    with world.changing() as (session, change):
        asset = asset_create(session, change=change, draft=EntityDraft(name="AHU")).id
    assert fault_of(lambda: issue(world, asset)) == ("NOT_FOUND", ("deviceId",))
    assert fault_of(lambda: issue(other, probe)) == ("NOT_FOUND", ("deviceId",))
    assert fault_of(lambda: revoke(other, probe, issued.id)) == ("NOT_FOUND", ("tokenId",))
    assert fault_of(lambda: revoke(world, device(world), issued.id)) == ("NOT_FOUND", ("tokenId",))
    assert fault_of(lambda: revoke(world, probe, new_id())) == ("NOT_FOUND", ("tokenId",))
    with other.session() as session:
        for organization_id in (world.organization_id, other.organization_id):
            assert device_token_list(session, organization_id=organization_id, device_id=probe) == []
    with world.session() as session:
        assert device_token_list(session, organization_id=world.organization_id, device_id=probe) == [issued]


def test_the_api_cannot_reassign_a_token(world: World) -> None:
    issue(world, device(world))
    with pytest.raises(ProgrammingError, match="permission denied"), world.session() as session:
        session.execute(text("UPDATE device_tokens SET device_id = device_id"))


def test_a_token_expires(world: World, engine: Callable[[str], Engine]) -> None:
    probe = device(world)
    with world.changing() as (session, change):
        issued, token = device_token_issue(
            session, change=change, device_id=probe, secret=SECRET, expires_at=change.recorded + timedelta(days=1)
        )
    token_owner = owner(engine, token)
    assert token_owner is not None
    assert token_owner.expires_at == issued.expires_at
    with Session(engine("owner")) as session, session.begin():
        session.execute(text("UPDATE device_tokens SET expires_at = clock_timestamp() - interval '1 second'"))
    assert owner(engine, token) is None
    with world.changing() as (session, change):
        assert fault_of(
            lambda: device_token_issue(
                session, change=change, device_id=probe, secret=SECRET[::-1], expires_at=change.recorded
            )
        ) == ("BAD_USER_INPUT", ("expiresAt",))


def test_tokens_are_listed_with_who_issued_them_and_when_they_were_used(
    world: World, engine: Callable[[str], Engine]
) -> None:
    probe, other = device(world), device(world)
    first, token = issue(world, probe)
    second, _ = issue(world, probe, SECRET[::-1])
    with world.session() as session:
        tokens = device_tokens_newest(session, organization_id=world.organization_id, ids=[probe, other])
    assert [[token.id for token in tokens[device_id]] for device_id in (probe, other)] == [[second.id, first.id], []]
    assert {(token.issued_by, token.last_used_at, token.expires_at) for token in tokens[probe]} == {
        ("test", None, None)
    }
    assert owner(engine, token) is not None
    with world.session() as session:
        used = device_tokens_get(session, organization_id=world.organization_id, ids=[first.id])[first.id].last_used_at
    assert used is not None
    assert owner(engine, token) is not None
    with world.session() as session:
        again = device_tokens_get(session, organization_id=world.organization_id, ids=[first.id])[first.id].last_used_at
    assert again == used


def test_revoked_and_expired_tokens_are_listed(worlds: Callable[[str], World], engine: Callable[[str], Engine]) -> None:
    world, other = worlds("Plant"), worlds("Other")
    owners = {}
    for name, where in (("good", world), ("revoked", world), ("expired", world), ("deleted", world), ("theirs", other)):
        probe = device(where)
        issued, token = issue(where, probe, name.encode().ljust(32, b"."))
        token_owner = owner(engine, token)
        assert token_owner is not None
        owners[name] = token_owner
        if name == "revoked":
            revoke(where, probe, issued.id)
        elif name == "expired":
            with Session(engine("owner")) as session, session.begin():
                session.execute(
                    text("UPDATE device_tokens SET expires_at = clock_timestamp() WHERE id = :id"), {"id": issued.id}
                )
        elif name == "deleted":
            with where.changing() as (session, change):
                entity_delete(session, change=change, entity_id=probe)
    # A token of one organization named as another's is none.
    owners["borrowed"] = replace(owners["theirs"], organization_id=world.organization_id, token_id=new_id())
    with Session(engine("api")) as session, session.begin():
        ended = device_tokens_ended(session, owners=list(owners.values()))
    assert ended == {owners[name].token_id for name in ("revoked", "expired", "deleted", "borrowed")}
