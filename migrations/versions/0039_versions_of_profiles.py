"""Have a promotion of the stage derive reach assets that derive by their profile alone."""

from migrations.script import execute_file

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0039_versions_of_profiles.sql")
