"""The maximum length of each list field of the schema, by which the cost rule counts it.

A bound is the maximum that the resolver keeps to, or, where nature sets none, what is expected; what a list has beyond
its bound is charged when it is answered (`gql/server/completion.py`), so that no list is ever counted as less than it
is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_list_type,
    is_non_null_type,
)

from domain.base.bulk import ERRORS_MAX as BULK_ERRORS_MAX
from domain.configuration.profiles.preview import ASSETS_MAX
from domain.definitions.processors.model import PROMOTIONS_MAX
from domain.definitions.profiles.queries import VERSIONS_MAX
from domain.derivation.rollups.rules import TYPES_MAX
from domain.plant.devices.tokens import TOKENS_SHOWN_MAX
from domain.plant.organizations.api_keys import UNDER_MAX
from domain.rules.backtest import EPISODES_MAX
from domain.rules.events.operations import ANNOTATIONS_MAX
from domain.rules.events.queries import CORRECTIONS_MAX
from domain.rules.in_force import RULES_MAX
from domain.rules.operations import VERSIONS_MAX as RULE_VERSIONS_MAX
from domain.telemetry.dead_letters.queries import GROUPS_MAX
from domain.telemetry.model.buckets import BUCKETS_MAX
from domain.telemetry.model.readings import READINGS_MAX
from domain.work.activities.steps import HISTORY_MAX
from graph.kinds import EntityKind
from graph.relationships.operations import RELATIONSHIPS_MAX
from graph.walk.above import PATH_MAX
from graph.walk.model import EDGES_MAX


@dataclass(frozen=True, slots=True)
class Bound:
    """rows: at most so many; None: as many as the field around it was asked for (`first`, `limit`, ...).

    argument: where this list argument is given, `per_item` for each of its items instead.
    """

    rows: int | None = None
    argument: str | None = None
    per_item: int = 1


REQUESTED: Final = Bound()
# A field that does not say how many it wants, above a list that goes by it.
REQUESTED_DEFAULT: Final = 100
# Series of one entity: so many are expected of each metric that is named, or in all where none is.
SERIES_OF_A_METRIC: Final = 10
SERIES: Final = 100
# Of one reading; most have none.
DEAD_LETTERS: Final = 5
# What a caller did wrong, in one payload.
ERRORS: Final = 20
PATH: Final = 10
_FEW: Final = 100
_NAMES: Final = 1_000
_KINDS: Final = len(EntityKind)
_ROWS: Final[Mapping[str, Bound]] = {
    "ApiKey.underIds": Bound(UNDER_MAX),
    **dict.fromkeys(
        (f"{type_name}.latest" for type_name in ("Entity", "Device", "Asset", "Space", "Person", "Activity")),
        Bound(SERIES, "metrics", SERIES_OF_A_METRIC),
    ),
    **dict.fromkeys(
        (f"{type_name}.telemetry" for type_name in ("Entity", "Device", "Asset", "Space", "Person", "Activity")),
        Bound(SERIES, "metrics", SERIES_OF_A_METRIC),
    ),
    **dict.fromkeys((f"TelemetrySeries.{name}" for name in ("timestamps", "values", "texts")), REQUESTED),
    "TelemetryUpdate.series": Bound(_NAMES),
    "TelemetryUpdate.invalidated": Bound(_NAMES),
    "TelemetryUpdate.gaps": Bound(_NAMES),
    "Device.tokens": Bound(TOKENS_SHOWN_MAX),
    "RawReading.deadLetters": Bound(DEAD_LETTERS),
    "Asset.derivationFaults": Bound(_FEW),
    "Space.derivationFaults": Bound(_FEW),
    "Asset.parents": Bound(_FEW),
    "Space.parents": Bound(_FEW),
    "AssetProfile.versions": Bound(VERSIONS_MAX),
    "EntityType.versions": Bound(20),
    "Rule.versions": Bound(RULE_VERSIONS_MAX),
    "Activity.allowedStates": Bound(10),
    "Activity.history": Bound(HISTORY_MAX),
    "Event.marks": Bound(ANNOTATIONS_MAX),
    "Event.activities": Bound(_FEW),
    "Event.corrections": Bound(CORRECTIONS_MAX),
    "Query.nodes": Bound(0, "ids"),
    "Query.facets": Bound(0, "by"),
    "Facet.values": REQUESTED,
    "Query.search": REQUESTED,
    "Query.series": Bound(SERIES, "entityIds"),
    "SearchHit.path": Bound(PATH_MAX),
    "Query.entityTypes": Bound(_NAMES),
    "Query.rulesInForce": Bound(RULES_MAX),
    "Query.relationships": Bound(RELATIONSHIPS_MAX),
    "Query.deadLetterGroups": Bound(GROUPS_MAX),
    "Query.featureFlags": Bound(_FEW),
    "Query.processors": Bound(_FEW),
    "Processor.versions": Bound(_FEW),
    "Processor.promotions": Bound(PROMOTIONS_MAX),
    **dict.fromkeys(("Traversal.nodeIds", "Traversal.depths", "Traversal.nodes"), REQUESTED),
    # The edges of a walk are bounded by themselves: more may lead to a node than one.
    "Traversal.edges": Bound(EDGES_MAX),
    "Path.nodes": REQUESTED,
    "Path.edges": REQUESTED,
    **dict.fromkeys(
        ("Relationship.sourceKinds", "Relationship.targetKinds", "RollupOf.kinds", "RollupAt.kinds"), Bound(_KINDS)
    ),
    "RollupOf.types": Bound(TYPES_MAX),
    "RollupAt.types": Bound(TYPES_MAX),
    "Usage.groups": REQUESTED,
    **dict.fromkeys(
        ("Usage.starts", "UsageGroup.readings", "UsageGroup.points", "UsageGroup.bytes"), Bound(BUCKETS_MAX)
    ),
    "AssetProfilePreview.assets": Bound(ASSETS_MAX),
    **dict.fromkeys((f"Differences.{name}" for name in ("added", "removed", "changed")), Bound(_NAMES)),
    "AssetProfileEffect.kept": Bound(_NAMES),
    "HealthExplanation.parts": Bound(_NAMES),
    "RuleTest.events": Bound(EPISODES_MAX),
    "ReplaceDevicePayload.ended": Bound(_NAMES),
    "ReplaceDevicePayload.created": Bound(_NAMES),
    "IngestPayload.errors": Bound(READINGS_MAX),
    "ImportPayload.errors": Bound(_NAMES),
    "BulkPayload.errors": Bound(BULK_ERRORS_MAX),
    "AssetPayload.errors": Bound(BULK_ERRORS_MAX),
    "UserError.path": Bound(PATH),
}
# Of the schema itself, whose size is known: as many as there are on average, as clients ask for all of them.
_INTROSPECTION: Final = {
    "__Schema.directives": 10,
    "__Type.fields": 7,
    "__Type.interfaces": 2,
    "__Type.possibleTypes": 2,
    "__Type.enumValues": 2,
    "__Type.inputFields": 2,
    "__Field.args": 1,
    "__Directive.args": 2,
    "__Directive.locations": 5,
}


def bounds_of(schema: GraphQLSchema) -> dict[str, Bound]:
    """Return the bound of every list field of the schema, by `Type.field`. Raises KeyError for one without."""
    bounds: dict[str, Bound] = {}
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for name, field in type_.fields.items():
            if is_list(field.type):
                bounds[f"{type_.name}.{name}"] = _bound(schema, type_.name, name)
    return bounds


def is_list(type_: GraphQLOutputType) -> bool:
    """Return whether a field of this type has a list for its value."""
    return is_list_type(type_.of_type if is_non_null_type(type_) else type_)


def _bound(schema: GraphQLSchema, type_name: str, field: str) -> Bound:
    key = f"{type_name}.{field}"
    if key == "__Schema.types":
        return Bound(len(schema.type_map))
    if key in _INTROSPECTION:
        return Bound(_INTROSPECTION[key])
    if key in _ROWS:
        return _ROWS[key]
    if type_name.endswith("Connection") and field in {"nodes", "edges"}:
        return REQUESTED
    if type_name.endswith("Payload") and field == "errors":
        return Bound(ERRORS)
    raise KeyError(key)


def stated() -> frozenset[str]:
    """Return the fields that have an entry, so that a test finds entries whose field is gone."""
    return frozenset(_ROWS)
