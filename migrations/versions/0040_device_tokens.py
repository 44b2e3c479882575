"""Say of device tokens who issued them, when they were last used and when they expire."""

from migrations.script import execute_file

revision = "0040"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0040_device_tokens.sql")
