"""What drops what is no longer kept."""

from migrations.script import execute_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0006_retention.sql")
