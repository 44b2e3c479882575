"""Asset profiles: what assets of one make have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import strawberry
from sqlalchemy.orm import Session
from strawberry import UNSET

from domain.configuration.profiles.operations import (
    asset_create_from_profile,
    asset_profile_set,
    content_changed,
    profile_create,
    profile_delete,
    profile_update,
)
from domain.configuration.profiles.preview import AssetPreview, Difference, ProfilePreview, profile_preview
from domain.definitions.profiles.content import content_json
from domain.definitions.profiles.model import AssetProfile as AssetProfileRow
from domain.definitions.profiles.model import ProfileVersion
from domain.definitions.profiles.queries import profile_get, profile_versions, profiles_page
from gql.access.principal import ADMINS, OPERATORS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import Node, to_entity
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import absent, draft_of, payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError, user_error
from gql.plant.assets import Asset, AssetPayload, CreateAssetInput, asset_payload
from graph.entities.model import Entity as EntityRow
from graph.errors import ArgusError
from graph.paging import PageRequest


@strawberry.type
class AssetProfileVersion:
    """A version of a profile, in force from an instant of event time until the next version.

    Attributes:
        number: Number of the version, from 1.
        default_attributes: Attributes that assets begin with, as a JSON object.
        default_health_thresholds: Health thresholds by metric, as in AssetProfileInput.
        formulas: Derived metrics of the assets, as `derived` of a telemetry schema.
        rules: Rules of the assets, as RuleInput without `scope` and `effectiveFrom`.
        health: Settings of the health score, as in AssetProfileInput; what is left out has its default.
    """

    number: int
    effective_from: DateTime
    recorded_at: DateTime
    actor: str
    default_attributes: JSON
    default_health_thresholds: JSON
    formulas: JSON
    rules: JSON
    health: JSON


@strawberry.type
class AssetProfile(Node):
    """An asset profile: attributes, thresholds, formulas and rules that assets of one make have in common.

    The fields are those of the newest version.

    Attributes:
        name: Name of the profile.
        type: Name of the type of the assets made from it; null: none.
        version: Number of the newest version.
        effective_from: Event time from which the newest version is in force.
        default_attributes: Attributes that assets begin with, as a JSON object.
        default_health_thresholds: Health thresholds by metric, as in AssetProfileInput.
        formulas: Derived metrics of the assets, as `derived` of a telemetry schema.
        rules: Rules of the assets, as RuleInput without `scope` and `effectiveFrom`.
        health: Settings of the health score, as in AssetProfileInput; what is left out has its default.
    """

    name: str
    type: str | None
    version: int
    effective_from: DateTime
    default_attributes: JSON
    default_health_thresholds: JSON
    formulas: JSON
    rules: JSON
    health: JSON
    created_at: DateTime
    updated_at: DateTime

    @strawberry.field
    async def versions(self, info: Info) -> list[AssetProfileVersion] | None:
        """All versions of the profile, by number."""
        profile_version = await load(info.context, profile_versions, uuid_named(self.id, "id"))
        return [_to_version(item) for item in profile_version or ()]


AssetProfileConnection = Connection[AssetProfile]


@strawberry.type
class Differences:
    """Names that a change would add, remove, or give another meaning.

    Attributes:
        added: Names that are new.
        removed: Names that would be removed.
        changed: Names whose value or meaning would change.
    """

    added: list[str]
    removed: list[str]
    changed: list[str]


@strawberry.type
class AssetProfileEffect:
    """The effect of a profile's change on the attributes of one asset.

    Attributes:
        asset: The asset that uses the profile.
        given: Attributes that it would get, new or with another value, as a JSON object.
        kept: Names of attributes that it keeps although the profile's default goes.
    """

    asset: Asset
    given: JSON
    kept: list[str]


@strawberry.type
class AssetProfilePreview:
    """A preview of a profile's change.

    What it removes is no longer derived or evaluated; what was recorded is kept.

    Attributes:
        asset_count: Number of assets that use the profile.
        truncated: True where more than 500 assets use the profile: `assets` looks at the first 500 only.
        attributes: Differences of the default attributes.
        thresholds: Differences of the health thresholds, by metric.
        formulas: Differences of the derived metrics.
        rules: Differences of the rules, by name.
        health_changed: True where the settings of the health score differ.
        assets: Assets whose attributes would change or be kept, among the first 500 that use the profile.
    """

    asset_count: int
    truncated: bool
    attributes: Differences
    thresholds: Differences
    formulas: Differences
    rules: Differences
    health_changed: bool
    assets: list[AssetProfileEffect]


@strawberry.type
class AssetProfilePreviewPayload:
    """Result of previewing a change of a profile.

    Attributes:
        preview: What the change would do; null where it would be refused.
    """

    preview: AssetProfilePreview | None
    errors: list[UserError]


@strawberry.input
class AssetProfileInput:
    """An asset profile. On update a field left out keeps its value, and null clears it.

    Attributes:
        name: Name of the profile, 1 to 200 characters. CONFLICT where it is taken.
        type: Name of the type of the assets made from it. Default: none.
        default_attributes: Attributes that assets begin with, as a JSON object.
        default_health_thresholds: {metric: {critLow, warnLow, warnHigh, critHigh, weight}}; at least one bound of each
            metric.
        formulas: Derived metrics of the assets, as `derived` of a telemetry schema.
        rules: Up to 50 rules, each a RuleInput without `scope` and `effectiveFrom`, with a unique name.
        health: {freshness, freshnessWeight, events, children, bucket}, each optional. The bucket cannot change later.
    """

    name: str
    type: str | None = UNSET
    default_attributes: JSON | None = UNSET
    default_health_thresholds: JSON | None = UNSET
    formulas: JSON | None = UNSET
    rules: JSON | None = UNSET
    health: JSON | None = UNSET
    effective_from: DateTime | None = None


@strawberry.type
class AssetProfilePayload:
    """Result of a mutation of a profile.

    Attributes:
        asset_profile: The profile after the change; null if it was refused.
    """

    asset_profile: AssetProfile | None
    errors: list[UserError]


@queries
class AssetProfileQuery:
    """Asset profiles."""

    @query(VIEWERS, scoped=True)
    @paged()
    async def asset_profiles(self, info: Info, *, page: PageRequest) -> AssetProfileConnection:
        """All asset profiles, the oldest first."""
        rows = await page_read(info, profiles_page, page)
        return AssetProfileConnection(rows=rows, show=to_profile)

    @query(VIEWERS)
    async def preview_asset_profile(
        self, info: Info, id: strawberry.ID, input: AssetProfileInput
    ) -> AssetProfilePreviewPayload | None:
        """Preview the effect of `updateAssetProfile` with this input on the profile's assets. Nothing is written.

        Args:
            id: Id of the profile.
            input: The profile as for `updateAssetProfile`.
        """

        def read(session: Session, *, organization_id: int) -> ProfilePreview:
            profile = profile_get(session, organization_id=organization_id, profile_id=uuid_named(id, "id"))
            return profile_preview(
                session,
                organization_id=organization_id,
                profile_id=profile.id,
                before=profile.newest.content,
                after=content_changed(profile, **_members(input)),
            )

        try:
            result = await info.context.read(read)
        except ArgusError as error:
            under = () if error.path[:1] == ("id",) else ("input",)
            return AssetProfilePreviewPayload(preview=None, errors=[user_error(error, under=under)])
        return AssetProfilePreviewPayload(preview=_to_preview(result), errors=[])


@mutations
class AssetProfileMutation:
    """Mutations of asset profiles."""

    @mutation(ADMINS)
    async def create_asset_profile(self, info: Info, input: AssetProfileInput) -> AssetProfilePayload:
        """Create an asset profile with its first version."""

        def prepare() -> Callable[..., AssetProfileRow]:
            return partial(
                profile_create,
                name=input.name,
                type_name=None if input.type is UNSET else input.type,
                effective_from=input.effective_from,
                **_members(input),
            )

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def update_asset_profile(
        self, info: Info, id: strawberry.ID, input: AssetProfileInput
    ) -> AssetProfilePayload:
        """Create a new version of a profile. Assets whose attribute still has the old default are given the new one.

        Args:
            id: Id of the profile.
        """

        def prepare() -> Callable[..., AssetProfileRow]:
            return partial(
                profile_update,
                profile_id=uuid_named(id, "id"),
                name=input.name,
                type_name=absent(input.type),
                effective_from=input.effective_from,
                **_members(input),
            )

        return await payload_of(info, _payload, prepare)

    @mutation(ADMINS)
    async def delete_asset_profile(self, info: Info, id: strawberry.ID) -> AssetProfilePayload:
        """Delete an asset profile. CONFLICT while an asset uses it.

        Args:
            id: Id of the profile.
        """

        def prepare() -> Callable[..., AssetProfileRow]:
            return partial(profile_delete, profile_id=uuid_named(id, "id"))

        return await payload_of(info, _payload, prepare, under=())

    @mutation(OPERATORS, scoped=True)
    async def create_asset_from_profile(
        self, info: Info, profile_id: strawberry.ID, input: CreateAssetInput
    ) -> AssetPayload:
        """Create an asset that uses a profile. What `input` leaves out of type and attributes is the profile's.

        Args:
            profile_id: Id of the profile.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(
                asset_create_from_profile,
                profile_id=uuid_named(profile_id, "profileId"),
                draft=draft_of(input),
                parent_id=None if input.parent_id is None else uuid_named(input.parent_id, "parentId"),
            )

        return await payload_of(info, asset_payload, prepare, beside=("profileId",))

    @mutation(OPERATORS, scoped=True)
    async def set_asset_profile(
        self, info: Info, asset_id: strawberry.ID, profile_id: strawberry.ID | None = None
    ) -> AssetPayload:
        """Set the profile of an asset, for all of event time. The attributes of the asset are kept.

        Args:
            profile_id: Id of the profile. Null: the asset uses none.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(
                asset_profile_set,
                asset_id=uuid_named(asset_id, "assetId"),
                profile_id=None if profile_id is None else uuid_named(profile_id, "profileId"),
            )

        return await payload_of(info, asset_payload, prepare, under=())


@converts(AssetProfileRow)
def to_profile(row: AssetProfileRow) -> AssetProfile:
    """Convert a profile to its GraphQL object."""
    newest = row.newest
    return AssetProfile(
        id=strawberry.ID(str(row.id)),
        name=row.name,
        type=row.type,
        version=newest.number,
        effective_from=DateTime(newest.effective_from),
        created_at=DateTime(row.created_at),
        updated_at=DateTime(row.updated_at),
        **_content_fields(newest),
    )


def _to_version(row: ProfileVersion) -> AssetProfileVersion:
    return AssetProfileVersion(
        number=row.number,
        effective_from=DateTime(row.effective_from),
        recorded_at=DateTime(row.recorded_at),
        actor=row.actor,
        **_content_fields(row),
    )


def _content_fields(row: ProfileVersion) -> dict[str, Any]:
    shown = content_json(row.content)
    return {
        "default_attributes": JSON(shown["defaultAttributes"]),
        "default_health_thresholds": JSON(shown["defaultHealthThresholds"]),
        "formulas": JSON(shown["formulas"]),
        "rules": JSON(shown["rules"]),
        "health": JSON(shown["health"]),
    }


def _members(input_: AssetProfileInput) -> dict[str, Any]:
    return {
        "attributes": absent(input_.default_attributes),
        "thresholds": absent(input_.default_health_thresholds),
        "formulas": absent(input_.formulas),
        "rules": absent(input_.rules),
        "health": absent(input_.health),
    }


def _to_preview(preview: ProfilePreview) -> AssetProfilePreview:
    return AssetProfilePreview(
        asset_count=preview.total,
        truncated=preview.is_truncated,
        attributes=_differences(preview.attributes),
        thresholds=_differences(preview.thresholds),
        formulas=_differences(preview.formulas),
        rules=_differences(preview.rules),
        health_changed=preview.is_health_changed,
        assets=_effects(preview.assets),
    )


def _effects(previews: Sequence[AssetPreview]) -> list[AssetProfileEffect]:
    effects = []
    for item in previews:
        asset: Any = to_entity(item.asset)
        effects.append(AssetProfileEffect(asset=asset, given=JSON(dict(item.given)), kept=list(item.retained)))
    return effects


def _differences(difference: Difference) -> Differences:
    return Differences(added=list(difference.added), removed=list(difference.removed), changed=list(difference.changed))


def _payload(row: AssetProfileRow | None, errors: list[UserError]) -> AssetProfilePayload:
    return AssetProfilePayload(asset_profile=None if row is None else to_profile(row), errors=errors)
