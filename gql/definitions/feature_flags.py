"""Feature flags: what an organization may switch while everything runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import strawberry

from domain.definitions.feature_flags.model import FeatureFlag as FeatureFlagRow
from domain.definitions.feature_flags.operations import feature_flag_set
from domain.definitions.feature_flags.queries import feature_flags_list
from gql.access.principal import ADMINS, VIEWERS
from gql.base.context import Info
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError


@strawberry.type
class FeatureFlag:
    """A feature flag, as set for the organization.

    Attributes:
        name: Name of the flag, e.g. derive.shadow.
        description: What the flag does.
        allowed: JSON list of the values that it can have.
        default: Its value where it was never set.
        value: Its value now.
        updated_at: When it was last set; null: never.
        updated_by: Who last set it; null: nobody.
    """

    name: str
    description: str
    allowed: JSON
    default: JSON | None
    value: JSON | None
    updated_at: DateTime | None
    updated_by: str | None


@strawberry.type
class FeatureFlagPayload:
    """Result of setting a feature flag.

    Attributes:
        feature_flag: The flag after the change; null if it was refused.
    """

    feature_flag: FeatureFlag | None
    errors: list[UserError]


@queries
class FeatureFlagQuery:
    """Feature flags."""

    @query(VIEWERS)
    async def feature_flags(self, info: Info) -> list[FeatureFlag] | None:
        """All feature flags, those that were never set included."""
        return [_to_flag(row) for row in await info.context.read(feature_flags_list)]


@mutations
class FeatureFlagMutation:
    """Mutations of feature flags."""

    @mutation(ADMINS)
    async def set_feature_flag(self, info: Info, name: str, value: JSON | None = None) -> FeatureFlagPayload:
        """Set a feature flag for the organization. It applies to whatever is processed from then on.

        Args:
            name: Name of the flag, as listed by `featureFlags`.
            value: One of the values that the flag allows; null may be one of them.
        """

        def prepare() -> Callable[..., FeatureFlagRow]:
            return partial(feature_flag_set, name=name, value=value)

        return await payload_of(info, _payload, prepare, under=())


def _payload(row: FeatureFlagRow | None, errors: list[UserError]) -> FeatureFlagPayload:
    return FeatureFlagPayload(feature_flag=None if row is None else _to_flag(row), errors=errors)


def _to_flag(row: FeatureFlagRow) -> FeatureFlag:
    return FeatureFlag(
        name=row.kind.name,
        description=row.kind.description,
        allowed=JSON(list(row.kind.allowed)),
        default=row.kind.default,
        value=row.value,
        updated_at=None if row.updated_at is None else DateTime(row.updated_at),
        updated_by=row.updated_by,
    )
