"""Variables that docker-compose.yml alone reads. They share a .env file with the settings of Argus."""

from __future__ import annotations

from typing import Any, Final

from runtime.settings.declaration import Group, Process, Secret, Setting
from runtime.settings.kinds import Number, Text

COMPOSE_SETTINGS: Final[tuple[Setting[Any], ...]] = (
    Setting(
        name="ARGUS_OWNER_PASSWORD",
        kind=Text("text that needs no escaping in an address"),
        group=Group.COMPOSE,
        used_by=(Process.COMPOSE,),
        secret=Secret.VALUE,
        meaning="Password of the role that owns the database. Required, like `ARGUS_SECRET`.",
    ),
    Setting(
        name="ARGUS_REDIS_PASSWORD",
        kind=Text("text that needs no escaping in an address"),
        group=Group.COMPOSE,
        used_by=(Process.COMPOSE,),
        secret=Secret.VALUE,
        meaning="Password of Valkey. Required.",
    ),
    Setting(
        name="ARGUS_PORT",
        kind=Number(1, 65_535),
        group=Group.COMPOSE,
        used_by=(Process.COMPOSE,),
        default="8000",
        meaning="Port of the host on which the API answers.",
    ),
    Setting(
        name="ARGUS_POSTGRES_IMAGE",
        kind=Text("an image"),
        group=Group.COMPOSE,
        used_by=(Process.COMPOSE,),
        default="postgres:18",
        meaning="Image of PostgreSQL.",
    ),
    Setting(
        name="ARGUS_VALKEY_IMAGE",
        kind=Text("an image"),
        group=Group.COMPOSE,
        used_by=(Process.COMPOSE,),
        default="valkey/valkey:9",
        meaning="Image of Valkey.",
    ),
)
