"""The schema: the queries, mutations and subscriptions of all rooms, merged."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from gql.base.descriptions import describe
from gql.base.entities import ENTITY_TYPES
from gql.base.scalars import SCALARS
from gql.definitions.asset_profiles import AssetProfileMutation, AssetProfileQuery
from gql.definitions.entity_types import EntityTypeMutation, EntityTypeQuery
from gql.definitions.feature_flags import FeatureFlagMutation, FeatureFlagQuery
from gql.definitions.processors import ProcessorMutation, ProcessorQuery
from gql.derivation.health import HealthQuery
from gql.derivation.rollups import RollupMutation, RollupQuery
from gql.derivation.shadows import ShadowMutation, ShadowQuery
from gql.exchange.imports import ImportMutation
from gql.exchange.replays import ReplayMutation, ReplayQuery, ReplaySubscription
from gql.plant.assets import AssetMutation
from gql.plant.changes import ChangeQuery
from gql.plant.device_tokens import DeviceTokenMutation
from gql.plant.devices import DeviceMutation
from gql.plant.edges import EdgeMutation
from gql.plant.entity_changed import EntitySubscription
from gql.plant.geometry import GeometryQuery
from gql.plant.persons import PersonMutation
from gql.plant.queries import GraphQuery
from gql.plant.relationships import RelationshipMutation, RelationshipQuery
from gql.plant.restore import EntityMutation
from gql.plant.spaces import SpaceMutation
from gql.plant.traversal import TraversalQuery
from gql.rules.events import EventMutation, EventQuery, EventSubscription
from gql.rules.rules import RuleMutation, RuleQuery
from gql.rules.shelving import ShelvingMutation, ShelvingQuery
from gql.telemetry.dead_letters import DeadLetterMutation, DeadLetterQuery
from gql.telemetry.failed_items import FailedItemMutation, FailedItemQuery
from gql.telemetry.ingest import IngestMutation, ingest_resolve
from gql.telemetry.telemetry import TelemetryQuery, TelemetrySubscription
from gql.telemetry.usage import UsageQuery
from gql.work.activities import ActivityMutation
from gql.work.activity_progress import ActivityProgressMutation
from gql.work.activity_templates import ActivityTemplateMutation, ActivityTemplateQuery
from gql.work.notifications import NotificationMutation, NotificationQuery

schema = strawberry.Schema(
    query=merge_types(
        "Query",
        (
            GraphQuery,
            EntityTypeQuery,
            TraversalQuery,
            GeometryQuery,
            RelationshipQuery,
            ChangeQuery,
            TelemetryQuery,
            DeadLetterQuery,
            FailedItemQuery,
            ReplayQuery,
            UsageQuery,
            FeatureFlagQuery,
            ProcessorQuery,
            RuleQuery,
            EventQuery,
            ShelvingQuery,
            ShadowQuery,
            AssetProfileQuery,
            HealthQuery,
            ActivityTemplateQuery,
            NotificationQuery,
            RollupQuery,
        ),
    ),
    mutation=merge_types(
        "Mutation",
        (
            EntityTypeMutation,
            RelationshipMutation,
            DeviceMutation,
            AssetMutation,
            SpaceMutation,
            PersonMutation,
            ActivityMutation,
            EntityMutation,
            EdgeMutation,
            ImportMutation,
            IngestMutation,
            DeadLetterMutation,
            FailedItemMutation,
            ReplayMutation,
            DeviceTokenMutation,
            FeatureFlagMutation,
            ProcessorMutation,
            RuleMutation,
            EventMutation,
            ShelvingMutation,
            ShadowMutation,
            AssetProfileMutation,
            ActivityTemplateMutation,
            ActivityProgressMutation,
            NotificationMutation,
            RollupMutation,
        ),
    ),
    subscription=merge_types(
        "Subscription", (TelemetrySubscription, ReplaySubscription, EntitySubscription, EventSubscription)
    ),
    types=list(ENTITY_TYPES.values()),
    config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
)

# The one resolver that strawberry's own way would slow down.
schema._schema.type_map["Mutation"].fields["ingestTelemetry"].resolve = ingest_resolve  # type: ignore[attr-defined]  # noqa: SLF001
describe(schema._schema)  # noqa: SLF001  (strawberry offers no other way to its product)


@cache
def core_schema() -> GraphQLSchema:
    """Return the schema as graphql-core executes it."""
    return schema._schema  # noqa: SLF001  (strawberry offers no other way to its product)
