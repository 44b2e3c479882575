"""Row-level security and the rights of the roles, as in PostgreSQL's catalogue."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from migrations.run import ROLES, SCOPED_ROLE
from runtime.large_objects import large_objects_close
from testing.servers import TestServers

# The wall's condition as PostgreSQL prints it.
WALL = "(organization_id = ( SELECT current_organization() AS current_organization))"


def tables(migrated: Connection) -> list[str]:
    return list(
        migrated.scalars(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " AND a.attname = 'organization_id' AND NOT a.attisdropped"
                " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
                " AND NOT c.relispartition ORDER BY 1"
            )
        )
    )


def test_every_table_with_an_organization_has_row_level_security(migrated: Connection) -> None:
    walled = tables(migrated)
    assert {"entities", "entity_edges", "telemetry_raw", "telemetry_history", "changes"} <= set(walled)
    for name in walled:
        secured = migrated.scalar(
            text("SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass(:name)"), {"name": name}
        )
        assert secured, name
        policies = migrated.execute(
            text(
                "SELECT permissive, roles::text[] AS roles, cmd, qual, with_check FROM pg_policies"
                " WHERE tablename = :name AND policyname = 'organization_wall'"
            ),
            {"name": name},
        ).all()
        [(permissive, roles, command, using, check)] = [tuple(row) for row in policies]
        assert (permissive, sorted(roles), command) == ("PERMISSIVE", ["argus_api", "argus_pipeline"], "ALL"), name
        assert (using, check) == (WALL, WALL), name


def test_no_other_policy_lets_more_through_than_it_should(migrated: Connection) -> None:
    others = migrated.execute(
        text(
            "SELECT tablename, policyname, cmd, roles::text[] AS roles FROM pg_policies"
            " WHERE permissive = 'PERMISSIVE' AND policyname <> 'organization_wall' AND roles <> '{argus_scoped}'"
            " ORDER BY 1, 2"
        )
    )
    assert [tuple(row) for row in others] == [
        ("dirty_buckets", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("dirty_hours", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("dirty_windows", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("erasures", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("event_changes", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("failed_items", "installation_items", "ALL", ["argus_pipeline"]),
        ("failed_items", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("health_timers", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("hours_progress", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("notifications", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("organizations", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("raw_batches", "ingest_appends", "INSERT", ["argus_ingest"]),
        ("raw_batches", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("replays", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("rule_timers", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("suppression_invalidations", "pipeline_lists", "SELECT", ["argus_pipeline"]),
        ("telemetry_raw", "ingest_appends", "INSERT", ["argus_ingest"]),
    ]


# What is the same for all of an organization, and what a confined caller sees nothing of.
OPEN = {
    "activity_templates", "asset_profile_versions", "asset_profiles", "entity_types", "feature_flags", "graph_clocks",
    "hours_progress", "processor_versions", "relationships", "rollups", "telemetry_schemas",
}  # fmt: skip
CLOSED = {"api_keys", "notifications"}


def test_a_confined_caller_sees_rows_of_its_scope_alone(migrated: Connection) -> None:
    """A table has a policy that asks for the scope, or it is named here; without either, the role has no right to it."""
    policies = migrated.execute(
        text("SELECT tablename, cmd, qual, with_check FROM pg_policies WHERE roles = '{argus_scoped}' ORDER BY 1, 2")
    ).all()
    rights = set(
        migrated.scalars(
            text(
                "SELECT DISTINCT c.relname FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) g"
                " WHERE g.grantee = 'argus_scoped'::regrole AND c.relkind IN ('r', 'p', 'v')"
                " UNION SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                " CROSS JOIN LATERAL aclexplode(a.attacl) g WHERE g.grantee = 'argus_scoped'::regrole"
            )
        )
    )
    assert rights == {table for table, *_ in policies}
    for table, command, using, check in policies:
        if (table, command) == ("changes", "INSERT"):
            assert check == WALL
        elif table in CLOSED:
            assert (using, check) == ("false", "false")
        elif table == "organizations":
            assert using == "(id = ( SELECT current_organization() AS current_organization))"
        elif table in OPEN:
            assert (using, check) == (WALL, WALL), table
        else:
            assert WALL in using, table
            assert "current_scope" in using or "FROM events v" in using or "_of_scope()" in using, table
            assert check in (using, None), table


def test_without_a_scope_a_confined_caller_sees_nothing(migrated: Connection) -> None:
    for setting in ("argus.scope", "argus.scope_created", "argus.scope_sources"):
        assert migrated.scalar(text("SELECT coalesce(current_setting(:name, true), '')"), {"name": setting}) == ""
    assert list(migrated.scalars(text("SELECT current_scope_sources()"))) == []


def test_tables_without_an_organization_hold_nothing_of_one(migrated: Connection) -> None:
    open_tables = migrated.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND NOT relrowsecurity ORDER BY 1"
        )
    )
    assert list(open_tables) == ["alembic_version", "schema_functions", "stage_leases", "work_counts"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_no_power_of_its_own(migrated: Connection, role: str) -> None:
    powers = migrated.execute(
        text(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit, rolcanlogin"
            " FROM pg_roles WHERE rolname = :role"
        ),
        {"role": role},
    ).one()
    assert tuple(powers) == (False, False, False, False, False, False, True)
    member_of = migrated.scalars(
        text("SELECT roleid::regrole::text FROM pg_auth_members WHERE member = CAST(:role AS regrole)"), {"role": role}
    )
    assert list(member_of) == ([SCOPED_ROLE] if role == "argus_api" else [])
    if role == "argus_api":
        # It has the rights of that role when it becomes it, not before.
        assert migrated.scalar(text("SELECT pg_has_role('argus_api', 'argus_scoped', 'USAGE')")) is False
    owned = migrated.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relowner = CAST(:role AS regrole)"
            " UNION ALL SELECT proname FROM pg_proc WHERE proowner = CAST(:role AS regrole)"
            " UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = CAST(:role AS regrole)"
        ),
        {"role": role},
    )
    assert list(owned) == []
    create = migrated.scalar(text("SELECT has_schema_privilege(:role, 'public', 'CREATE')"), {"role": role})
    assert create is False


def test_the_owner_cannot_bypass_more_than_its_own(migrated: Connection) -> None:
    powers = migrated.execute(
        text("SELECT rolsuper, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = current_user")
    ).one()
    assert tuple(powers) == (False, False, False)


@pytest.mark.parametrize("role", [role.removeprefix("argus_") for role in ROLES])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE telemetry_raw SET metrics = '{}'",
        "DELETE FROM telemetry_raw",
        "TRUNCATE telemetry_raw",
        "DROP TABLE telemetry_raw",
        "ALTER TABLE telemetry_raw DISABLE ROW LEVEL SECURITY",
        "DELETE FROM changes",
        "UPDATE changes SET actor = 'nobody'",
        "DELETE FROM entities",
        "UPDATE entity_edges SET valid = valid",
        "DELETE FROM raw_batches",
    ],
)
def test_rights_that_no_role_has(engine: Callable[[str], Engine], role: str, statement: str) -> None:
    with engine(role).connect() as connection, pytest.raises(ProgrammingError) as refused:
        connection.execute(text(statement))
    assert getattr(refused.value.orig, "sqlstate", None) == "42501"  # insufficient_privilege


def test_partitions_do_not_bypass_row_level_security(engine: Callable[[str], Engine]) -> None:
    with engine("ingest").begin() as connection:
        connection.execute(text("SELECT ensure_partition('telemetry_raw', '2026-01-01Z')"))
    with engine("owner").connect() as connection:
        [child] = connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"))
    for role in ROLES:
        with engine(role.removeprefix("argus_")).connect() as connection, pytest.raises(DBAPIError) as refused:
            connection.execute(text(f'SELECT * FROM "{child}"'))  # noqa: S608
        assert getattr(refused.value.orig, "sqlstate", None) == "42501"


def test_the_functions_of_the_owner_are_for_those_who_need_them(migrated: Connection) -> None:
    rows = migrated.execute(
        text(
            "SELECT p.proname, r.rolname FROM pg_proc p CROSS JOIN pg_roles r"
            " WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND r.rolname = ANY (:roles)"
            " AND has_function_privilege(r.oid, p.oid, 'EXECUTE') ORDER BY 1, 2"
        ),
        {"roles": [*ROLES, SCOPED_ROLE]},
    )
    assert [tuple(row) for row in rows] == [
        ("api_key_owner", "argus_api"),
        ("api_keys_ended", "argus_api"),
        ("batches_reopen", "argus_api"),
        ("convergence_state", "argus_api"),
        ("delete_expired_rows", "argus_pipeline"),
        ("deliveries_state", "argus_api"),
        ("device_token_owner", "argus_api"),
        ("device_tokens_ended", "argus_api"),
        ("drop_partitions", "argus_pipeline"),
        ("edges_recorded_since", "argus_api"),
        ("edges_recorded_since", "argus_pipeline"),
        ("ensure_partition", "argus_ingest"),
        ("ensure_partition", "argus_pipeline"),
        ("entities_in_boxes", "argus_api"),
        ("entities_in_boxes", "argus_pipeline"),
        ("entities_in_boxes", "argus_scoped"),
        ("entities_named_like", "argus_api"),
        ("entities_named_like", "argus_pipeline"),
        ("entities_named_like", "argus_scoped"),
        ("entities_searched", "argus_api"),
        ("entities_searched", "argus_scoped"),
        ("erasure_finish", "argus_pipeline"),
        ("erasure_page", "argus_pipeline"),
        ("groups_of_scope", "argus_scoped"),
        ("history_close", "argus_pipeline"),
        ("history_retention_hold", "argus_pipeline"),
        ("hourly_aggregates_built", "argus_pipeline"),
        ("links_of_scope", "argus_scoped"),
        ("organization_by_slug", "argus_api"),
        ("organizations_suspended", "argus_api"),
        ("pipeline_state", "argus_api"),
        ("raw_erase", "argus_pipeline"),
        ("readings_outcome", "argus_api"),
        ("readings_outcome", "argus_scoped"),
        ("rules_of_scope", "argus_scoped"),
        ("sessions_ended_after", "argus_api"),
        ("shadow_compare", "argus_api"),
    ]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_make_large_objects(engine: Callable[[str], Engine], role: str) -> None:
    for statement in ("SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "SELECT lo_get(1)"):
        with engine(role.removeprefix("argus_")).connect() as connection, pytest.raises(ProgrammingError) as refused:
            connection.execute(text(statement))
        assert getattr(refused.value.orig, "sqlstate", None) == "42501"


def test_steps_left_to_a_superuser_are_reported(servers: TestServers) -> None:
    made = servers.database_create(template="template0")
    with psycopg.connect(servers.database_server.dsn(user="argus_owner", database=made.name)) as owner:
        left = large_objects_close(owner)
    assert any("lo_create(oid)" in statement for statement in left)
    with psycopg.connect(servers.database_server.dsn(database=made.name), autocommit=True) as superuser:
        for statement in left:
            superuser.execute(statement.encode())
        assert large_objects_close(superuser) == []
    servers.database_drop(made)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_two_may_make_one_partition_at_a_time(engine: Callable[[str], Engine], isolation: str) -> None:
    """The second has looked for the partition, and waits for the first, which is in its transaction."""
    ensure = text("SELECT ensure_partition('telemetry_history', '2031-05-06Z')")
    is_waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    first, second, watch = engine("ingest").connect(), engine("pipeline").connect(), engine("owner").connect()
    with first, second, watch:
        second.execution_options(isolation_level=isolation)
        second.execute(text("SELECT to_regclass('public.telemetry_history_203105'), count(*) FROM organizations"))
        first.execute(ensure)
        with ThreadPoolExecutor(1) as threads:
            done = threads.submit(second.execute, ensure)
            while watch.scalar(is_waiting) == 0:
                watch.rollback()
                assert not done.done()
            first.commit()
            done.result()
        second.commit()
        assert watch.scalar(text("SELECT count(*) FROM pg_class WHERE relname = 'telemetry_history_203105'")) == 1
