"""Activities: templates, steps, what an event made; webhooks as notification."""

from migrations.script import execute_file

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0014_activities.sql")
