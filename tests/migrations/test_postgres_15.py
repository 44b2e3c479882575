"""The oldest PostgreSQL that Argus supports: it migrates there, and a reading is processed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from migrations.catalogue import schema_text
from migrations.export import SOURCE
from migrations.run import ROLES, migrate
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.embedded.account import Account, account_for, own, preparation
from runtime.embedded.postgres import free_port
from testing.installation import PROJECT
from testing.waits import Deadline, patient

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "tests-only"

pytestmark = pytest.mark.skipif(not PROGRAMS.exists(), reason="PostgreSQL 15 is not installed (.ci/run installs it)")


@pytest.fixture
def postgres_15() -> Iterator[int]:
    """Yield the port of a PostgreSQL 15 of the test's own."""
    directory = Path(tempfile.mkdtemp(prefix="argus-postgres-15-"))
    # initdb wants a user with a name.
    import pwd

    account = account_for(directory)
    if account.uid is not None:
        account = Account(uid=pwd.getpwnam("nobody").pw_uid, searches=False)
    own(account, directory)
    prepare = preparation(account, death_signal=signal.SIGINT)
    secret = directory / "secret"
    secret.write_text(PASSWORD)
    own(account, secret)
    port = free_port()
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    subprocess.run(
        [str(PROGRAMS / "initdb"), "-D", str(directory / "data"), "-U", "postgres", "--pwfile", str(secret),
         "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"],
        preexec_fn=prepare, env=environment, cwd=directory, check=True, capture_output=True, timeout=patient(60),
    )  # fmt: skip
    server = subprocess.Popen(
        [str(PROGRAMS / "postgres"), "-D", str(directory / "data"), "-p", str(port), "-c", "listen_addresses=127.0.0.1",
         "-c", "unix_socket_directories=", "-c", "fsync=off"],
        preexec_fn=prepare, env=environment, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,  # noqa: PLW1509
    )  # fmt: skip
    try:
        deadline = Deadline()
        while True:
            try:
                psycopg.connect(f"host=127.0.0.1 port={port} user=postgres password={PASSWORD} dbname=postgres").close()
                break
            except psycopg.OperationalError as error:
                deadline.pause(error)
        yield port
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=patient(30))
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.timeout(120)
def test_the_oldest_supported_version(postgres_15: int) -> None:
    from domain.plant.organizations.operations import organization_create
    from graph.change import graph_change_begin
    from graph.edges.operations import edge_create
    from graph.entities.model import EntityDraft
    from runtime.ids import new_id

    def url(role: str) -> str:
        return f"postgresql+psycopg://{role}:{PASSWORD}@127.0.0.1:{postgres_15}/argus"

    with psycopg.connect(
        f"host=127.0.0.1 port={postgres_15} user=postgres password={PASSWORD} dbname=postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE ROLE argus_owner LOGIN CREATEROLE PASSWORD '{PASSWORD}'")
        connection.execute("CREATE DATABASE argus OWNER argus_owner")
    migrate(url("argus_owner"), dict.fromkeys(ROLES, PASSWORD))
    owner, api, pipeline = (engine_create(url(role)) for role in ("argus_owner", "argus_api", "argus_pipeline"))
    with owner.connect() as migrated:
        assert SOURCE + schema_text(migrated) == (PROJECT / "migrations" / "schema.sql").read_text(encoding="utf-8")
    with transaction(owner) as session:
        assert session.scalar(text("SHOW server_version")).startswith("15.")
        organization = organization_create(session, name="Old", public_id=new_id(), now=utc_now())
    from domain.plant.assets.operations import asset_create
    from domain.plant.devices.operations import device_create

    with transaction(api, organization.id) as session:
        change = graph_change_begin(session, organization_id=organization.id, actor="test", new_id=new_id)
        asset = asset_create(session, change=change, draft=EntityDraft(name="Pump"))
        device = device_create(session, change=change, draft=EntityDraft(name="Probe"))
        edge_create(
            session, change=change, source_id=asset.id, target_id=device.id, relationship="MONITORED_BY", port=1
        )
    with transaction(pipeline, organization.id) as session:
        session.execute(text("SELECT ensure_partition('telemetry_history', now())"))
        assert session.scalar(text("SELECT count(*) FROM entity_edges")) == 1
    with transaction(api) as session:
        assert session.scalar(text("SELECT count(*) FROM entities")) == 0
    for engine in (owner, api, pipeline):
        engine.dispose()
