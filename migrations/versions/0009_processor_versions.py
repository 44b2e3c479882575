"""Versions of a stage by event time, one of them in shadow, by feature flag."""

from migrations.script import execute_file

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0009_processor_versions.sql")
