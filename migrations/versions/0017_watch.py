"""Whatever is judged or counted has dirty windows, and so has what a changed edge moves."""

from migrations.script import execute_file

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0017_watch.sql")
