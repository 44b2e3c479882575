"""Write down what the self-check compared, and what differed."""

from migrations.script import execute_file

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0032_convergence.sql")
