"""The ground floor: organizations, the temporal graph, the raw log and what is derived from it, roles' rights."""

from migrations.script import execute_file

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for part in ("graph", "telemetry", "security"):
        execute_file(f"0001_{part}.sql")
