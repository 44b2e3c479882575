"""The REST routes: which method and path execute which document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BASE: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path below `/api/v1`, and the operation of `documents` that it executes.

    Variables of the operation that the path does not name are the body's members for POST, PUT and PATCH, else query
    parameters; `$input` is the body as a whole. tag: the heading of its kind in the description of the API.
    created_at: where what a POST has created is read, with `{id}`. completed: members that the operation requires
    and a body may leave out: the operation `reader` reads them as they are.
    """

    method: str
    path: str
    operation: str
    tag: str
    created_at: str | None = None
    reader: str | None = None
    completed: tuple[str, ...] = ()

    @property
    def has_body(self) -> bool:
        """Whether variables come from a body."""
        return self.method in {"POST", "PUT", "PATCH"}


def _resource(path: str, name: str, names: str, *, change: str, completed: tuple[str, ...] = ()) -> Iterator[Route]:
    """Yield the five routes of a kind of object. change: the method that updates one. completed: as of a route."""
    yield Route("GET", path, names, path)
    yield Route("POST", path, f"Create{name}", path, f"{path}/{{id}}")
    yield Route("GET", f"{path}/{{id}}", name, path)
    yield Route(
        change, f"{path}/{{id}}", f"Update{name}", path, reader=name if completed else None, completed=completed
    )
    yield Route("DELETE", f"{path}/{{id}}", f"Delete{name}", path)


# The first that fits is taken: literal segments stand before {id}.
ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "assets/nearby", "AssetsNearby", "assets"),
    Route("POST", "assets/from-profile/{id}", "CreateAssetFromProfile", "assets", "assets/{id}"),
    Route("POST", "activities/from-template/{id}", "CreateActivityFromTemplate", "activities", "activities/{id}"),
    *_resource("devices", "Device", "Devices", change="PATCH"),
    *_resource("assets", "Asset", "Assets", change="PATCH"),
    *_resource("spaces", "Space", "Spaces", change="PATCH"),
    *_resource("persons", "Person", "Persons", change="PATCH"),
    *_resource("activities", "Activity", "Activities", change="PATCH"),
    *_resource("types", "EntityType", "EntityTypes", change="PATCH", completed=("kind", "name")),
    *_resource("rules", "Rule", "Rules", change="PUT"),
    *_resource("activity-templates", "ActivityTemplate", "ActivityTemplates", change="PUT"),
    *_resource("asset-profiles", "AssetProfile", "AssetProfiles", change="PUT"),
    Route("GET", "devices/{id}/assets", "DeviceAssets", "devices"),
    Route("POST", "devices/{id}/assets/{assetId}/link", "LinkDevice", "devices"),
    Route("DELETE", "devices/{id}/assets/{assetId}/unlink", "UnlinkDevice", "devices"),
    Route("GET", "assets/{id}/devices", "AssetDevices", "assets"),
    Route("GET", "assets/{id}/hierarchy", "AssetHierarchy", "assets"),
    Route("GET", "telemetry/device/{id}", "DeviceTelemetry", "telemetry"),
    Route("GET", "telemetry/asset/{id}", "AssetTelemetry", "telemetry"),
    Route("POST", "telemetry/replay", "ReplayTelemetry", "telemetry", "telemetry/replay/{id}"),
    Route("GET", "telemetry/replay/{id}", "Replay", "telemetry"),
    Route("GET", "events", "Events", "events"),
    Route("GET", "events/{id}", "Event", "events"),
    Route("POST", "events/{id}/acknowledge", "AcknowledgeEvent", "events"),
    Route("POST", "events/{id}/dismiss", "DismissEvent", "events"),
    Route("POST", "events/{id}/comment", "CommentEvent", "events"),
    Route("GET", "dead-letters", "DeadLetters", "dead-letters"),
    Route("GET", "dead-letters/{id}", "DeadLetter", "dead-letters"),
    Route("POST", "dead-letters/{id}/retry", "RetryDeadLetter", "dead-letters"),
    Route("POST", "dead-letters/{id}/discard", "DiscardDeadLetter", "dead-letters"),
)
