"""A schema in force before 1970 alone dirties nothing."""

from migrations.script import execute_file

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0010_windows_of_schema.sql")
