"""Erasures of entities: what is under way, and that there were any."""

from alembic import op

revision = "0009_erasures"
down_revision = "0008_groups"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, walled off by organization; functions/erasures.sql does the work."""
    op.execute(
        """
        CREATE TABLE erasures (
            organization_id integer NOT NULL,
            -- What the entity is called from then on, wherever something of it has to stay.
            id uuid NOT NULL,
            kind text NOT NULL,
            requested_at timestamptz NOT NULL,
            -- Until it is finished: the entity, its names, and how far the audit trail has been looked through.
            entity_id uuid,
            names text[],
            trail_at timestamptz,
            trail_id uuid,
            finished_at timestamptz,
            CONSTRAINT pk_erasures PRIMARY KEY (organization_id, id),
            CONSTRAINT fk_erasures_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
            CONSTRAINT ck_erasures_finished CHECK (
                (finished_at IS NULL) = (entity_id IS NOT NULL) AND (entity_id IS NULL) = (names IS NULL))
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_erasures_entity ON erasures (organization_id, entity_id)")
    op.execute("ALTER TABLE erasures ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY organization_wall ON erasures TO argus_api, argus_pipeline"
        " USING (organization_id = (SELECT current_organization()))"
        " WITH CHECK (organization_id = (SELECT current_organization()))"
    )
    op.execute("CREATE POLICY pipeline_lists ON erasures FOR SELECT TO argus_pipeline USING (true)")
    op.execute("REVOKE ALL ON erasures FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT ON erasures TO argus_api")
    op.execute("GRANT SELECT ON erasures TO argus_pipeline")
