"""What descendants came to within buckets that are not over."""

from migrations.script import execute_file

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0021_tallies.sql")
