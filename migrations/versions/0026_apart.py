"""Count the changes of which nothing derived depends, so that what is remembered outlives them."""

from migrations.script import execute_file

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0026_apart.sql")
