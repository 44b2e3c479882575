"""Count what became of readings by minute and hour of receipt, so that the account is read from counters."""

from migrations.script import execute_file

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0033_account.sql")
