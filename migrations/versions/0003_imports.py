"""An index that checks of foreign keys are not planned over."""

from migrations.script import execute_file

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0003_imports.sql")
