"""Say of device tokens who issued them, when they were last used and when they expire."""

from migrations.script import execute_file

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0035_device_tokens.sql")
