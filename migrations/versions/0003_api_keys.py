"""API keys: for programs, each with a role."""

from alembic import op

revision = "0003_api_keys"
down_revision = "0002_shared_ports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, walled off by organization."""
    op.execute(
        """
        CREATE TABLE api_keys (
            organization_id integer NOT NULL,
            id uuid NOT NULL,
            name text NOT NULL,
            role text NOT NULL,
            key_hash bytea NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            expires_at timestamptz,
            -- To the minute.
            last_used_at timestamptz,
            revoked_at timestamptz,
            CONSTRAINT pk_api_keys PRIMARY KEY (organization_id, id),
            CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash),
            CONSTRAINT fk_api_keys_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
            CONSTRAINT ck_api_keys_role CHECK (role IN ('viewer', 'operator', 'admin'))
        )
        """
    )
    op.execute("ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY organization_wall ON api_keys TO argus_api, argus_pipeline"
        " USING (organization_id = (SELECT current_organization()))"
        " WITH CHECK (organization_id = (SELECT current_organization()))"
    )
    op.execute("REVOKE ALL ON api_keys FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE (revoked_at) ON api_keys TO argus_api")
