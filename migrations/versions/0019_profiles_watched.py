"""Formulas and rules of profiles are derived and judged, and assets that use a profile have a health."""

from migrations.script import execute_file

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0019_profiles_watched.sql")
