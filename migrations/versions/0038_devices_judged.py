"""Have devices judged anew by all rules, and what was stored of their rules forgotten."""

from migrations.script import execute_file

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0038_devices_judged.sql")
