"""Create, update and delete asset profiles, and assign them to assets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from domain.configuration.profiles.content import content_merge
from domain.configuration.profiles.cycles import circles_refuse
from domain.configuration.profiles.preview import attributes_propagated
from domain.configuration.profiles.rules import profile_rules_delete, profile_rules_write
from domain.definitions.profiles.content import content_json
from domain.definitions.profiles.model import AssetProfile, ProfileContent
from domain.definitions.profiles.queries import VERSIONS_MAX, profile_get, users_count, users_of
from domain.definitions.profiles.tables import asset_profile_versions, asset_profiles
from domain.derivation.health.settings import bucket_us_of
from domain.derivation.rollups.writers import formulas_refuse_profile
from domain.plant.assets.model import ASSET
from domain.plant.assets.operations import asset_create
from domain.plant.entity_kind import typed_entity_update
from graph.absent import ABSENT, Absent
from graph.change import GraphChange, change_record
from graph.entities.model import Entity, EntityDraft, EntityPatch
from graph.entities.queries import entities_get
from graph.entities.types import type_name_check
from graph.errors import ConflictError, LimitExceededError
from graph.instants import instant_utc
from graph.json_bounds import json_same, text_check

NAME_MAX_CHARS: Final = 200
# How many assets a change of default attributes may reach within its transaction.
USERS_MAX: Final = 10_000


def profile_create(
    session: Session,
    *,
    change: GraphChange,
    name: str,
    type_name: str | None = None,
    effective_from: datetime | None = None,
    **members: Any,
) -> AssetProfile:
    """Create a profile with its first version, and its rules. members: see `content_merge`.

    effective_from None: the change. Raises BadInputError, LimitExceededError, ConflictError where the name is taken.
    """
    values = _values(session, change, name=name, type_name=type_name)
    content = content_merge(ProfileContent(), **members)
    begins = change.recorded if effective_from is None else instant_utc(effective_from, path="effectiveFrom")
    profile_id = change.new_id()
    row = {"organization_id": change.organization_id, "id": profile_id, **values}
    session.execute(insert(asset_profiles), {**row, "created_at": change.recorded, "updated_at": change.recorded})
    _version_write(session, change, content, profile_id=profile_id, number=1, begins=begins)
    return _finish(session, change=change, before=None, profile_id=profile_id)


def profile_update(
    session: Session,
    *,
    change: GraphChange,
    profile_id: UUID,
    name: str | Absent = ABSENT,
    type_name: str | Absent | None = ABSENT,
    effective_from: datetime | None = None,
    **members: Any,
) -> AssetProfile:
    """Change a profile; ABSENT stays. Other members make a new version.

    The version is in force from `effective_from` (default: the change).
    Default attributes go to those assets whose attribute is still the old default; a default that is taken out, or
    that an asset has changed, stays with the asset as it is. Nothing recorded is ever deleted.
    Raises NotFoundError, BadInputError, LimitExceededError, ConflictError for a taken name or another bucket.
    """
    organization_id = change.organization_id
    before = profile_get(session, organization_id=organization_id, profile_id=profile_id)
    values = _values(session, change, name=name, type_name=type_name, before=before)
    content = content_changed(before, **members)
    begins = change.recorded if effective_from is None else instant_utc(effective_from, path="effectiveFrom")
    is_new = not json_same(content_json(content), content_json(before.newest.content))
    if not values and not is_new and effective_from is None:
        return before
    session.execute(
        update(asset_profiles)
        .where(asset_profiles.c.organization_id == organization_id, asset_profiles.c.id == before.id)
        .values(**values, updated_at=change.recorded)
    )
    if is_new or effective_from is not None:
        number = before.newest.number + 1
        if number > VERSIONS_MAX:
            raise LimitExceededError(f"A profile may have {VERSIONS_MAX} versions.", path=("id",))
        _version_write(session, change, content, profile_id=before.id, number=number, begins=begins)
        _attributes_pass(session, change, before, content)
    return _finish(session, change=change, before=before, profile_id=before.id)


def content_changed(before: AssetProfile, **members: Any) -> ProfileContent:
    """Return a changed content. Raises BadInputError, LimitExceededError, ConflictError for another bucket."""
    content = content_merge(before.newest.content, **members)
    if bucket_us_of(content.health) != bucket_us_of(before.newest.content.health):
        message = "The bucket of a profile cannot be changed: its health points are at its buckets."
        raise ConflictError(message, path=("health", "bucket"))
    return content


def profile_delete(session: Session, *, change: GraphChange, profile_id: UUID) -> AssetProfile:
    """Delete a profile that no asset uses; its versions and its audit trail stay. Return what it was.

    Raises NotFoundError, ConflictError while an asset uses it.
    """
    organization_id = change.organization_id
    before = profile_get(session, organization_id=organization_id, profile_id=profile_id)
    users = users_count(session, organization_id=organization_id, profile_id=before.id)
    if users:
        counted = "1 asset uses" if users == 1 else f"{users} assets use"
        raise ConflictError(f"{counted} the profile {before.name!r}.", path=("id",))
    session.execute(
        update(asset_profiles)
        .where(asset_profiles.c.organization_id == organization_id, asset_profiles.c.id == before.id)
        .values(deleted_at=change.recorded, updated_at=change.recorded)
    )
    profile_rules_delete(session, change=change, profile_id=before.id)
    after = replace(before, deleted_at=change.recorded, updated_at=change.recorded)
    _record(session, change, "deleted", before, None)
    return after


def asset_create_from_profile(
    session: Session, *, change: GraphChange, profile_id: UUID, draft: EntityDraft, parent_id: UUID | None = None
) -> Entity:
    """Create an asset that uses a profile: its type and default attributes, where the draft does not say otherwise.

    Raises NotFoundError with the path profileId, and what `asset_create` raises.
    """
    profile = profile_get(session, organization_id=change.organization_id, profile_id=profile_id, path="profileId")
    attributes: Any = draft.attributes
    if isinstance(attributes, Mapping):  # anything else is refused with the rest
        attributes = {**profile.newest.content.attributes, **attributes}
    filled = replace(draft, type=profile.type if draft.type is None else draft.type, attributes=attributes)
    return asset_create(session, change=change, draft=filled, parent_id=parent_id, profile_id=profile.id)


def asset_profile_set(session: Session, *, change: GraphChange, asset_id: UUID, profile_id: UUID | None) -> Entity:
    """Assign a profile to an asset, or none. It counts for all of event time; the asset's attributes stay.

    Raises NotFoundError.
    """
    if profile_id is not None:
        profile_get(session, organization_id=change.organization_id, profile_id=profile_id, path="profileId")
    return typed_entity_update(
        session,
        change=change,
        spec=ASSET,
        entity_id=asset_id,
        patch=EntityPatch(),
        details={"profile_id": profile_id},
    )


def _values(
    session: Session,
    change: GraphChange,
    *,
    name: str | Absent,
    type_name: str | Absent | None,
    before: AssetProfile | None = None,
) -> dict[str, Any]:
    """Return the columns that become other than they were."""
    values: dict[str, Any] = {}
    if not isinstance(name, Absent):
        name = text_check(name, path=("name",), min_chars=1, max_chars=NAME_MAX_CHARS)
    if not isinstance(name, Absent) and (before is None or name != before.name):
        values["name"] = name
        other = session.execute(
            select(asset_profiles.c.id).where(
                asset_profiles.c.organization_id == change.organization_id,
                asset_profiles.c.name == name,
                asset_profiles.c.deleted_at.is_(None),
            )
        ).scalar_one_or_none()
        if other is not None:
            raise ConflictError(f"There is an asset profile {name!r} already: {other}.", path=("name",))
    if not isinstance(type_name, Absent) and (before is None or type_name != before.type):
        values["type"] = None if type_name is None else type_name_check(type_name, path=("type",))
    return values


def _version_write(
    session: Session, change: GraphChange, content: ProfileContent, *, profile_id: UUID, number: int, begins: datetime
) -> None:
    """Write a version, and the versions of its rules."""
    session.execute(
        insert(asset_profile_versions),
        {
            "organization_id": change.organization_id,
            "profile_id": profile_id,
            "number": number,
            "effective_from": begins,
            "recorded_at": change.recorded,
            "actor": change.actor,
            "content": content_json(content),
        },
    )
    table = asset_profile_versions
    ends = session.scalar(
        select(func.min(table.c.effective_from)).where(
            table.c.organization_id == change.organization_id,
            table.c.profile_id == profile_id,
            table.c.effective_from > begins,
        )
    )
    profile_rules_write(
        session,
        change=change,
        profile_id=profile_id,
        rules=content.rules,
        begins=begins,
        ends=None if ends is None else ends.astimezone(UTC),
    )


def _attributes_pass(session: Session, change: GraphChange, before: AssetProfile, content: ProfileContent) -> None:
    """Give the new defaults to the assets that still have the old ones."""
    old, new = before.newest.content.attributes, content.attributes
    if json_same(old, new):
        return
    organization_id = change.organization_id
    users = users_of(session, organization_id=organization_id, profile_id=before.id, limit=USERS_MAX + 1)
    if len(users) > USERS_MAX:
        message = f"Default attributes of a profile can be changed while at most {USERS_MAX} assets use it."
        raise LimitExceededError(message, path=("defaultAttributes",))
    for asset in entities_get(session, organization_id=organization_id, ids=users).values():
        propagated = attributes_propagated(asset.attributes, old=old, new=new)
        if not json_same(propagated, dict(asset.attributes)):
            typed_entity_update(
                session, change=change, spec=ASSET, entity_id=asset.id, patch=EntityPatch(attributes=propagated)
            )


def _finish(session: Session, *, change: GraphChange, before: AssetProfile | None, profile_id: UUID) -> AssetProfile:
    circles_refuse(session, organization_id=change.organization_id, path=("formulas",), profile_id=profile_id)
    after = profile_get(session, organization_id=change.organization_id, profile_id=profile_id)
    formulas_refuse_profile(
        session,
        organization_id=change.organization_id,
        type_name=after.type,
        metrics=after.newest.content.formulas,
    )
    _record(session, change, "created" if before is None else "updated", before, after)
    return after


def _record(
    session: Session, change: GraphChange, action: str, before: AssetProfile | None, after: AssetProfile | None
) -> None:
    subject = before or after
    assert subject is not None  # noqa: S101  (one of them is given)
    change_record(
        session,
        change=change,
        action=action,
        subject_type="asset_profile",
        subject_id=subject.id,
        before=None if before is None else _state(before),
        after=None if after is None else _state(after),
    )


def _state(profile: AssetProfile) -> dict[str, Any]:
    return {
        "id": str(profile.id),
        "name": profile.name,
        "type": profile.type,
        "version": profile.newest.number,
        "effectiveFrom": profile.newest.effective_from.isoformat(),
        **content_json(profile.newest.content),
    }
