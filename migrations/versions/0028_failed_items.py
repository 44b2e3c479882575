"""Set aside what fails in a queue, with its reason, and go on with the others."""

from migrations.script import execute_file

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0028_failed_items.sql")
