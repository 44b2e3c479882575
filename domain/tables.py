"""Load every table module, so that `graph.metadata.metadata` is complete."""

from importlib import import_module

from sqlalchemy import MetaData

from graph.metadata import metadata

TABLE_MODULES = (
    "graph.tables",
    "domain.work.activities.tables",
    "domain.work.activity_templates.tables",
    "domain.plant.assets.tables",
    "domain.convergence.tables",
    "domain.derivation.formulas.tables",
    "domain.plant.devices.tables",
    "domain.plant.organizations.tables",
    "domain.definitions.entity_types.tables",
    "domain.base.failed_items.tables",
    "domain.definitions.feature_flags.tables",
    "domain.definitions.groups.tables",
    "domain.derivation.health.tables",
    "domain.derivation.invalidation.tables",
    "domain.work.notifications.tables",
    "domain.plant.persons.tables",
    "domain.definitions.processors.tables",
    "domain.definitions.profiles.tables",
    "domain.exchange.replays.tables",
    "domain.derivation.rollups.tables",
    "domain.rules.tables",
    "domain.derivation.shadow.tables",
    "domain.plant.spaces.tables",
    "domain.telemetry.store.tables",
)


def metadata_complete() -> MetaData:
    """Import every module that defines tables and return the collection of all of them."""
    for name in TABLE_MODULES:
        import_module(name)
    return metadata
