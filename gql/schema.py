"""The schema: every noun's queries, mutations and subscriptions under one roof."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from gql.activities import ActivityMutation
from gql.activity_progress import ActivityProgressMutation
from gql.activity_templates import ActivityTemplateMutation, ActivityTemplateQuery
from gql.asset_profiles import AssetProfileMutation, AssetProfileQuery
from gql.assets import AssetMutation
from gql.changes import ChangeQuery
from gql.dead_letters import DeadLetterMutation, DeadLetterQuery
from gql.descriptions import describe
from gql.device_tokens import DeviceTokenMutation
from gql.devices import DeviceMutation
from gql.edges import EdgeMutation
from gql.entities import ENTITY_TYPES
from gql.entity_changed import EntitySubscription
from gql.entity_types import EntityTypeMutation, EntityTypeQuery
from gql.events import EventMutation, EventQuery, EventSubscription
from gql.failed_items import FailedItemMutation, FailedItemQuery
from gql.feature_flags import FeatureFlagMutation, FeatureFlagQuery
from gql.geometry import GeometryQuery
from gql.health import HealthQuery
from gql.imports import ImportMutation
from gql.ingest import IngestMutation, ingest_resolve
from gql.notifications import NotificationMutation, NotificationQuery
from gql.persons import PersonMutation
from gql.processors import ProcessorMutation, ProcessorQuery
from gql.queries import GraphQuery
from gql.relationships import RelationshipMutation, RelationshipQuery
from gql.replays import ReplayMutation, ReplayQuery, ReplaySubscription
from gql.restore import EntityMutation
from gql.rollups import RollupMutation, RollupQuery
from gql.rules import RuleMutation, RuleQuery
from gql.scalars import SCALARS
from gql.shadows import ShadowMutation, ShadowQuery
from gql.shelving import ShelvingMutation, ShelvingQuery
from gql.spaces import SpaceMutation
from gql.telemetry import TelemetryQuery, TelemetrySubscription
from gql.traversal import TraversalQuery
from gql.usage import UsageQuery

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
