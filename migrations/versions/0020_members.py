"""Activities dirty nothing; who is rolled up otherwise does; rollups count at once."""

from migrations.script import execute_file

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0020_members.sql")
