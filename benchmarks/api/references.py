"""What Argus is compared with: a plain route that encodes the same answer, and Strawberry as it comes, from memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.scalars import JSON


@dataclass(slots=True)
class Answers:
    """The answers of Argus, by the name of the query, as objects."""

    by_name: dict[str, Any]


ANSWERS: Final = Answers({})


@strawberry.type
class Latest:
    """The latest point of a series."""

    metric: str
    value: float
    timestamp: str


@strawberry.type
class Named:
    """An entity by its name."""

    id: strawberry.ID
    name: str
    external_id: str | None = None


@strawberry.type
class NamedList:
    """A page of entities by their names."""

    nodes: list[Named]


@strawberry.type
class Asset:
    """An asset with what the queries select."""

    id: strawberry.ID
    name: str
    external_id: str
    status: str
    kind: str | None = None
    type: str | None = None
    attributes: JSON | None = None
    created_at: str | None = None
    updated_at: str | None = None
    deleted_at: str | None = None
    latest: list[Latest] = strawberry.field(default_factory=list)
    parents: list[Named] = strawberry.field(default_factory=list)
    devices: NamedList | None = None


@strawberry.type
class AssetList:
    """A page of assets."""

    nodes: list[Asset]


@strawberry.type
class Series:
    """A series of numbers."""

    metric: str
    values: list[float]


@strawberry.type
class Device:
    """A device with its series."""

    telemetry: list[Series]


@strawberry.type
class Query:
    """The queries: `list` and `nested` of Argus have an argument to tell them apart here."""

    @strawberry.field
    def assets(self, nested: bool) -> AssetList:
        """The assets, made for each request, as from rows."""
        nodes = ANSWERS.by_name["nested" if nested else "list"]["data"]["assets"]["nodes"]
        return AssetList(nodes=[_asset(node) for node in nodes])

    @strawberry.field
    def device(self) -> Device:
        """The logger."""
        series = ANSWERS.by_name["series"]["data"]["entity"]["telemetry"]
        return Device(telemetry=[Series(metric=one["metric"], values=one["values"]) for one in series])


@strawberry.input
class ReadingInput:
    """A reading."""

    external_id: str
    port: int
    timestamp: str
    metrics: JSON


@strawberry.type
class Mutation:
    """The mutation."""

    @strawberry.mutation
    def ingest_telemetry(self, readings: list[ReadingInput]) -> int:
        """Count readings; nothing is stored."""
        return len(readings)


FIELDS: Final = "id kind name externalId type status attributes createdAt updatedAt deletedAt"
STOCK: Final = {
    "__typename": "{ __typename }",
    "list": f"{{ assets(nested: false) {{ nodes {{ {FIELDS} }} }} }}",
    "nested": """{ assets(nested: true) { nodes { id name externalId status latest { metric value timestamp }
      parents { id name } devices { nodes { id name externalId } } } } }""",
    "series": "{ device { telemetry { metric values } } }",
    "ingest": "mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) }",
}


def _asset(node: dict[str, Any]) -> Asset:
    devices = node.get("devices")
    return Asset(
        id=node["id"],
        name=node["name"],
        external_id=node["externalId"],
        status=node["status"],
        kind=node.get("kind"),
        type=node.get("type"),
        attributes=node.get("attributes"),
        created_at=node.get("createdAt"),
        updated_at=node.get("updatedAt"),
        deleted_at=node.get("deletedAt"),
        latest=[Latest(**point) for point in node.get("latest", ())],
        parents=[Named(id=one["id"], name=one["name"]) for one in node.get("parents", ())],
        devices=None
        if devices is None
        else NamedList(
            nodes=[Named(id=one["id"], name=one["name"], external_id=one["externalId"]) for one in devices["nodes"]]
        ),
    )


async def plain(request: Request) -> Response:
    """Encode the answer of a query; count the readings of an ingest."""
    body = orjson.loads(await request.body())
    name = request.path_params["name"]
    answer = {"data": {"accepted": len(body["variables"]["r"])}} if name == "ingest" else ANSWERS.by_name[name]
    return Response(orjson.dumps(answer), media_type="application/json")


def main(answers: Path, port: int) -> None:
    """Serve both in this process."""
    ANSWERS.by_name = orjson.loads(answers.read_bytes())
    routes = [Route("/plain/{name}", plain, methods=["POST"])]
    app = Starlette(routes=routes)
    app.mount("/stock", GraphQL(strawberry.Schema(Query, Mutation)))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
