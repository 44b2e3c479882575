"""The type of each kind of entity: the table `entity_of` looks in."""

from __future__ import annotations

from typing import Any, Final

from gql.activities import Activity
from gql.assets import Asset
from gql.devices import Device
from gql.persons import Person
from gql.spaces import Space
from graph.kinds import EntityKind

TYPES: Final[dict[EntityKind, Any]] = {
    EntityKind.DEVICE: Device,
    EntityKind.ASSET: Asset,
    EntityKind.SPACE: Space,
    EntityKind.PERSON: Person,
    EntityKind.ACTIVITY: Activity,
}
