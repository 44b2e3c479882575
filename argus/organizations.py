"""Find an organization by its slug or name."""

from __future__ import annotations

from domain.plant.organizations.model import Organization
from domain.plant.organizations.queries import organization_list
from graph.errors import NotFoundError
from runtime.database import engine_create, transaction
from runtime.settings.model import Settings

# Whom the audit trail names for what an operator does to an organization.
ACTOR = "argus organization"


def organization_find(settings: Settings, name: str) -> Organization:
    """Return the organization of that slug or, where there is just one, that name.

    Raises NotFoundError, naming those there are.
    """
    engine = engine_create(
        settings.database_url("owner" if "owner" in settings.database_urls else "pipeline"), pool_size=1
    )
    try:
        with transaction(engine) as session:
            known = organization_list(session)
    finally:
        engine.dispose()
    by_slug = [item for item in known if item.slug == name]
    by_name = [item for item in known if item.name == name]
    for matches in (by_slug, by_name):
        if len(matches) == 1:
            return matches[0]
    there = ", ".join(item.slug for item in known) or "none yet; make one with `argus organization create NAME`"
    raise NotFoundError(f"There is no organization {name!r}. There are: {there}.")
