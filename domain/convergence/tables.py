"""Tables of the self-check: how much was checked, up to where, and what was found."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    UUID,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from graph.metadata import metadata
from graph.tables import INSTANT

_OF: Final = "of IN ('derived', 'events', 'states', 'rollups', 'health')"

convergence_progress = Table(
    "convergence_progress",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("last_entity_id", UUID),
    PrimaryKeyConstraint("organization_id", name="pk_convergence_progress"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_convergence_progress_organization"),
)

convergence_checks = Table(
    "convergence_checks",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("of", Text, nullable=False),
    Column("checks", BigInteger, nullable=False, server_default=text("0")),
    Column("skipped", BigInteger, nullable=False, server_default=text("0")),
    Column("differences", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("organization_id", "of", name="pk_convergence_checks"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_convergence_checks_organization"),
    CheckConstraint(_OF, name="ck_convergence_checks_of"),
)

convergence_differences = Table(
    "convergence_differences",
    metadata,
    Column("organization_id", Integer, nullable=False),
    Column("of", Text, nullable=False),
    Column("entity_id", UUID, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("stored", Text),
    Column("computed", Text),
    Column("since", INSTANT, nullable=False),
    Column("found_at", INSTANT, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Column("repaired_at", INSTANT),
    PrimaryKeyConstraint("organization_id", "of", "entity_id", "subject", "at", name="pk_convergence_differences"),
    ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_convergence_differences_organization"),
    CheckConstraint(_OF, name="ck_convergence_differences_of"),
)
