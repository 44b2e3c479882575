"""Keep the type that a telemetry schema gives a series beside its unit."""

from migrations.script import execute_file

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0029_types.sql")
