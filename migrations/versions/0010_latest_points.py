"""Indexes for lists that select by the latest point of a metric: of series by it, and of links that rename metrics."""

from alembic import op

revision = "0010_latest_points"
down_revision = "0009_erasures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.execute("CREATE INDEX ix_series_metric ON series (organization_id, metric)")
    op.execute(
        "CREATE INDEX ix_entity_edges_renaming ON entity_edges (organization_id)"
        " WHERE jsonb_typeof(metadata -> 'metrics_mapping') = 'object'"
    )
