"""Loads every table module, so that `graph.metadata.metadata` is complete."""

from importlib import import_module

from sqlalchemy import MetaData

from graph.metadata import metadata

TABLE_MODULES = (
    "graph.tables",
    "domain.activities.tables",
    "domain.activity_templates.tables",
    "domain.assets.tables",
    "domain.convergence.tables",
    "domain.derivation.tables",
    "domain.devices.tables",
    "domain.entity_types.tables",
    "domain.failed_items.tables",
    "domain.feature_flags.tables",
    "domain.health.tables",
    "domain.notifications.tables",
    "domain.persons.tables",
    "domain.processors.tables",
    "domain.profiles.tables",
    "domain.replays.tables",
    "domain.rollups.tables",
    "domain.rules.tables",
    "domain.shadows.tables",
    "domain.spaces.tables",
    "domain.telemetry.tables",
)


def metadata_complete() -> MetaData:
    """Import every module that defines tables and return the collection of all of them."""
    for name in TABLE_MODULES:
        import_module(name)
    return metadata
