"""Formulas that are expressions; faults of derived metrics; what wrote a series."""

from migrations.script import execute_file

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0012_formulas.sql")
