"""Access scopes: a role for callers who see and act below some entities alone; and the end of users' sessions.

Whatever such a caller reads or writes goes through these policies, whichever statement it is: a table that has none here
has no right for the role either, so that a new one is closed to it until somebody has decided.
"""

from typing import Final

from alembic import op

# ruff: noqa: S608  (constants)
from migrations.script import execute_file

revision = "0004_access_scopes"
down_revision = "0003_api_keys"
branch_labels = None
depends_on = None

_ORGANIZATION: Final = "organization_id = (SELECT current_organization())"


def _entity(column: str) -> str:
    return f"{column} IN (SELECT current_scope())"


_SERIES: Final = f"""series_id IN (SELECT s.id FROM series s WHERE s.{_ORGANIZATION}
    AND s.entity_id = ANY (ARRAY(SELECT current_scope_sources())))"""
_EVENT: Final = "EXISTS (SELECT FROM events v WHERE v.organization_id = {0}.organization_id AND v.id = {0}.event_id)"
# Rows of the entities in the scope, by table: which rows, and what may be done with them.
_OF_ENTITIES: Final = {
    "entities": (_entity("id"), "SELECT, INSERT, UPDATE"),
    "devices": (_entity("id"), "SELECT, INSERT, UPDATE"),
    "assets": (_entity("id"), "SELECT, INSERT, UPDATE"),
    "spaces": (_entity("id"), "SELECT, INSERT, UPDATE"),
    "persons": (_entity("id"), "SELECT, INSERT, UPDATE"),
    "activities": (_entity("id"), "SELECT, INSERT, UPDATE"),
    "entity_edges": (
        f"{_entity('source_id')} AND {_entity('target_id')}",
        "SELECT, INSERT, UPDATE (recorded), DELETE",
    ),
    "device_tokens": (_entity("device_id"), "SELECT, INSERT, UPDATE (revoked_at)"),
    "telemetry_raw": (_entity("device_id"), "SELECT"),
    "dead_letters": (_entity("device_id"), "SELECT, UPDATE (discarded_at, discarded_by)"),
    "device_presence": (_entity("device_id"), "SELECT"),
    "series": ("entity_id IN (SELECT current_scope_sources())", "SELECT"),
    "telemetry_history": (_SERIES, "SELECT"),
    "latest_values": (_SERIES, "SELECT"),
    "series_hours": (_SERIES, "SELECT"),
    "dirty_hours": (_SERIES, "SELECT"),
    "dirty_windows": (_entity("entity_id"), "SELECT"),
    "dirty_buckets": (_entity("entity_id"), "SELECT"),
    "derivation_faults": (_entity("entity_id"), "SELECT"),
    "rollup_entities": (_entity("entity_id"), "SELECT"),
    "events": (_entity("entity_id"), "SELECT"),
    "event_corrections": (_EVENT.format("event_corrections"), "SELECT"),
    "event_changes": (_EVENT.format("event_changes"), "SELECT"),
    "event_annotations": (_EVENT.format("event_annotations"), "SELECT, INSERT"),
    # One of a rule at all entities is not of these alone.
    "shelves": (_entity("entity_id"), "SELECT, INSERT, UPDATE, DELETE"),
    "maintenance_windows": (_entity("under_id"), "SELECT, INSERT, UPDATE, DELETE"),
    "activity_steps": (_entity("activity_id"), "SELECT, INSERT"),
    # A rule that ever was for an entity elsewhere is not seen: its name may be of there.
    "rule_versions": ("rule_id IN (SELECT rules_of_scope())", "SELECT"),
    "rules": ("id IN (SELECT rules_of_scope())", "SELECT"),
}
# What no confined caller sees anything of, and what is looked up beside other things by its id.
_CLOSED: Final = ("api_keys", "notifications")
# What is the same for the whole organization.
_OF_ORGANIZATION: Final = {
    "graph_clocks": "SELECT, UPDATE (last_recorded, revision, input_revision)",
    "entity_types": "SELECT, INSERT",
    "relationships": "SELECT",
    "telemetry_schemas": "SELECT",
    "asset_profiles": "SELECT",
    "asset_profile_versions": "SELECT",
    "feature_flags": "SELECT",
    "processor_versions": "SELECT",
    "rollups": "SELECT",
    "hours_progress": "SELECT",
    "activity_templates": "SELECT",
}


def upgrade() -> None:
    """Make policies and rights of the role, the roots of API keys, and the table of ended sessions."""
    execute_file("functions/tenancy.sql")
    # Their present text may name tables that later versions make.
    op.execute("SET LOCAL check_function_bodies = off")
    execute_file("functions/scopes.sql")
    op.execute("SET LOCAL check_function_bodies = on")
    for table, (condition, rights) in _OF_ENTITIES.items():
        _policy(table, f"{_ORGANIZATION} AND {condition}")
        op.execute(f"GRANT {rights} ON {table} TO argus_scoped")
    for table, rights in _OF_ORGANIZATION.items():
        _policy(table, _ORGANIZATION)
        op.execute(f"GRANT {rights} ON {table} TO argus_scoped")
    for table in _CLOSED:
        _policy(table, "false")
        op.execute(f"GRANT SELECT ON {table} TO argus_scoped")
    op.execute(
        "CREATE POLICY scope_wall ON organizations FOR SELECT TO argus_scoped"
        " USING (id = (SELECT current_organization()))"
    )
    op.execute("GRANT SELECT ON organizations TO argus_scoped")
    # Whoever is confined writes of what it does, and reads what became of its entities, edges and events.
    op.execute(
        f"""
        CREATE POLICY scope_wall ON changes FOR SELECT TO argus_scoped USING ({_ORGANIZATION} AND (
            subject_id IN (SELECT current_scope())
            OR subject_type = 'edge' AND EXISTS (SELECT FROM entity_edges e
                WHERE e.organization_id = changes.organization_id AND e.edge_id = changes.subject_id)
            OR subject_type = 'event' AND EXISTS (SELECT FROM events v
                WHERE v.organization_id = changes.organization_id AND v.id = changes.subject_id)))
        """
    )
    op.execute(f"CREATE POLICY scope_writes ON changes FOR INSERT TO argus_scoped WITH CHECK ({_ORGANIZATION})")
    op.execute("GRANT SELECT, INSERT ON changes TO argus_scoped")
    op.execute("DROP POLICY last_change_only ON entity_edges")
    op.execute(
        "CREATE POLICY last_change_only ON entity_edges AS RESTRICTIVE FOR DELETE"
        " TO argus_api, argus_pipeline, argus_scoped USING (lower(recorded) = (SELECT c.last_recorded"
        " FROM graph_clocks c WHERE c.organization_id = (SELECT current_organization())))"
    )
    op.execute("GRANT USAGE ON SCHEMA public TO argus_scoped")
    op.execute("ALTER TABLE api_keys ADD COLUMN under_ids uuid[]")
    op.execute("CREATE SEQUENCE session_ends_number AS bigint CACHE 1")
    op.execute(
        """
        CREATE TABLE session_ends (
            organization_id integer NOT NULL,
            subject text NOT NULL,
            -- Tokens of the subject that were issued before are refused.
            ended_at timestamptz NOT NULL,
            -- Rises with each end, so that what is new is known whatever the clocks say.
            number bigint NOT NULL DEFAULT nextval('session_ends_number'),
            CONSTRAINT pk_session_ends PRIMARY KEY (organization_id, subject),
            CONSTRAINT fk_session_ends_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
        )
        """
    )
    op.execute("CREATE INDEX ix_session_ends_number ON session_ends (number)")
    op.execute("ALTER TABLE session_ends ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY organization_wall ON session_ends TO argus_api, argus_pipeline USING ({_ORGANIZATION})"
        f" WITH CHECK ({_ORGANIZATION})"
    )
    op.execute("REVOKE ALL ON session_ends FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON session_ends TO argus_api")
    op.execute("GRANT USAGE ON SEQUENCE session_ends_number TO argus_api")


def _policy(table: str, condition: str) -> None:
    op.execute(f"CREATE POLICY scope_wall ON {table} TO argus_scoped USING ({condition}) WITH CHECK ({condition})")
