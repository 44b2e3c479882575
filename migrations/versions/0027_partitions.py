"""Make a partition once, whoever else makes it at the same time."""

from migrations.script import execute_file

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0027_partitions.sql")
