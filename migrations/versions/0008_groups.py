"""Groups of entities: members by hand, valid from-to, or a stored filter; and rules about the members of a group."""

from typing import Final

from alembic import op

from migrations.script import execute_file

revision = "0008_groups"
down_revision = "0007_suspension"
branch_labels = None
depends_on = None

_ORGANIZATION: Final = "organization_id = (SELECT current_organization())"


def upgrade() -> None:
    """Make the tables, walled off by organization and by access scope; let a rule be about a group."""
    op.execute(
        """
        CREATE TABLE groups (
            organization_id integer NOT NULL,
            id uuid NOT NULL,
            name text NOT NULL,
            description text,
            kind text NOT NULL,
            filter jsonb,
            -- What the filter names, so that it is found without reading filters.
            entity_ids uuid[] NOT NULL DEFAULT '{}',
            group_ids uuid[] NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            deleted_at timestamptz,
            CONSTRAINT pk_groups PRIMARY KEY (organization_id, id),
            CONSTRAINT fk_groups_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
            CONSTRAINT ck_groups_kind CHECK (kind IN ('STATIC', 'DYNAMIC')),
            CONSTRAINT ck_groups_filter CHECK ((kind = 'DYNAMIC') = (filter IS NOT NULL))
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_groups_name ON groups (organization_id, name) WHERE deleted_at IS NULL")
    op.execute(
        """
        CREATE TABLE group_members (
            organization_id integer NOT NULL,
            group_id uuid NOT NULL,
            entity_id uuid NOT NULL,
            -- When it is a member: one row for all times, so that the spans of a member neither overlap nor adjoin.
            valid tstzmultirange NOT NULL,
            CONSTRAINT pk_group_members PRIMARY KEY (organization_id, group_id, entity_id),
            CONSTRAINT fk_group_members_group FOREIGN KEY (organization_id, group_id)
                REFERENCES groups (organization_id, id),
            CONSTRAINT fk_group_members_entity FOREIGN KEY (organization_id, entity_id)
                REFERENCES entities (organization_id, id),
            CONSTRAINT ck_group_members_valid CHECK (
                NOT isempty(valid) AND NOT lower_inf(valid) AND lower_inc(valid) AND NOT upper_inc(valid))
        )
        """
    )
    op.execute("CREATE INDEX ix_group_members_entity ON group_members (organization_id, entity_id)")
    op.execute("ALTER TABLE rule_versions ADD COLUMN group_id uuid")
    op.execute("ALTER TABLE rule_versions DROP CONSTRAINT ck_rule_versions_scope")
    op.execute(
        "ALTER TABLE rule_versions ADD CONSTRAINT ck_rule_versions_scope"
        " CHECK (num_nonnulls(entity_id, type, under_id, profile_id, group_id) <= 1)"
    )
    op.execute(
        "ALTER TABLE rule_versions ADD CONSTRAINT fk_rule_versions_group FOREIGN KEY (organization_id, group_id)"
        " REFERENCES groups (organization_id, id)"
    )
    op.execute(
        "CREATE INDEX ix_rule_versions_group ON rule_versions (organization_id, group_id) WHERE group_id IS NOT NULL"
    )
    execute_file("functions/scopes.sql")
    for table, condition in (
        ("groups", "id IN (SELECT groups_of_scope())"),
        ("group_members", "entity_id IN (SELECT current_scope())"),
    ):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY organization_wall ON {table} TO argus_api, argus_pipeline"
            f" USING ({_ORGANIZATION}) WITH CHECK ({_ORGANIZATION})"
        )
        op.execute(
            f"CREATE POLICY scope_wall ON {table} TO argus_scoped USING ({_ORGANIZATION} AND {condition})"
            f" WITH CHECK ({_ORGANIZATION} AND {condition})"
        )
        op.execute(f"REVOKE ALL ON {table} FROM PUBLIC")
        op.execute(f"GRANT SELECT ON {table} TO argus_api, argus_pipeline, argus_scoped")
    op.execute("GRANT INSERT, UPDATE ON groups TO argus_api")
    op.execute("GRANT INSERT, UPDATE, DELETE ON group_members TO argus_api")
