"""Rules that count entities of which nothing has ever come: those are evaluated from their creation on."""

from alembic import op

from migrations.script import execute_file

revision = "0012_never_heard"
down_revision = "0011_jobs_expired"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the trigger, and the index by which it finds such rules."""
    op.execute(
        "CREATE INDEX ix_rule_versions_never_heard ON rule_versions (organization_id)"
        " WHERE jsonb_path_exists(condition, '$.**.everHeard ? (@ == false)')"
    )
    execute_file("functions/invalidation.sql")
