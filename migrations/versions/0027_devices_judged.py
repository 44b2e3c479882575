"""Have devices judged anew by all rules, and what was stored of their rules forgotten."""

from migrations.script import execute_file

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0027_devices_judged.sql")
