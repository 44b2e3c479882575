"""Every table there is: importing this module completes `metadata`."""

from domain.activities.tables import activities
from domain.assets.tables import assets
from domain.devices.tables import devices
from domain.entity_types.tables import telemetry_schemas
from domain.persons.tables import persons
from domain.spaces.tables import spaces
from domain.telemetry.tables import telemetry_raw
from graph.metadata import metadata
from graph.tables import entities

ALL = metadata.sorted_tables
KNOWN = (entities, devices, assets, spaces, persons, activities, telemetry_schemas, telemetry_raw)
