"""The initial schema: tables, indexes, policies and rights. Functions and triggers follow from `migrations/functions`."""

from migrations.script import execute_file

revision = "0001_initial_schema"
down_revision = None
branch_labels = None
depends_on = None

# In order: each refers to those before it.
PARTS = ("graph", "definitions", "plant", "telemetry", "derivation", "rules", "work", "operations", "security")


def upgrade() -> None:
    # Policies ask for the organization of the transaction; an index holds folded texts.
    execute_file("functions/tenancy.sql")
    execute_file("functions/texts.sql")
    for part in PARTS:
        execute_file(f"sql/{part}.sql")
