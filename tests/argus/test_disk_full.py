"""A database whose disk is full refuses readings, and says why; it is not ready until there is room again."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from runtime.embedded.account import own
from testing.api import Api, api_serve
from testing.installation import Client
from testing.servers import TestDatabase, TestServers
from testing.waits import patient

INGEST = """mutation I($r: [ReadingInput!]!) { ingestTelemetry(readings: $r) { accepted errors { message } } }"""
NOTE = "x" * 1_000


@pytest.fixture
def small_disk(servers: TestServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 8 MiB that the database's account may write to."""
    disk = servers.directory / "small-disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], check=False)
    if mounted.returncode != 0:
        disk.rmdir()
        pytest.skip("This user may not mount a file system.")
    own(servers.database_server.account, disk)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
    disk.rmdir()


def send(client: Client, count: int) -> tuple[int, str]:
    rows = [{"externalId": "d", "metrics": {"n": n, "note": NOTE}} for n in range(count)]
    reply = client.call(INGEST, {"r": rows})
    return reply.status, json.dumps(reply.body)


def ready(api: Api) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{api.port}/readyz", timeout=patient(60)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_a_full_disk_is_reported_as_one(
    servers: TestServers, database: TestDatabase, bus_url: str, small_disk: Path
) -> None:
    with api_serve(database, bus_url) as api:
        api.organization("Plant")
        client = api.client("plant")
        client.call('mutation { createDevice(input: {name: "d", externalId: "d"}) { device { id } } }')
        assert send(client, 1)[0] == 200
        with psycopg.connect(servers.database_server.dsn(database=database.name), autocommit=True) as superuser:
            superuser.execute(f"CREATE TABLESPACE small_disk LOCATION '{small_disk}'".encode())
            rows = superuser.execute("SELECT relid::text FROM pg_partition_tree('telemetry_raw') WHERE isleaf")
            for (partition,) in rows.fetchall():
                superuser.execute(f"ALTER TABLE {partition} SET TABLESPACE small_disk".encode())
        filler = small_disk / "filler"
        with filler.open("wb") as file, contextlib.suppress(OSError):
            while True:
                os.write(file.fileno(), b"\0" * 65_536)
        status, body = 200, ""
        for _ in range(100):
            status, body = send(client, 100)
            if status != 200:
                break
        assert status == 503, body
        assert "disk is full" in body
        assert '"UNAVAILABLE"' in body
        assert ready(api) == (503, '{"status":"not ready","away":{"database":"has no room left on its disk"}}')
        filler.unlink()
        assert send(client, 100)[0] == 200
        assert ready(api)[0] == 200
        with psycopg.connect(servers.database_server.dsn(database=database.name), autocommit=True) as superuser:
            superuser.execute("DROP TABLE telemetry_raw CASCADE")
            superuser.execute("DROP TABLESPACE small_disk")


def test_a_frozen_bus_is_reported_within_seconds(database: TestDatabase) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=200) as frozen,
        api_serve(database, f"redis://127.0.0.1:{frozen.getsockname()[1]}/0") as api,
    ):
        begun_s = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: ready(api), range(8)))
        assert answers == [(503, '{"status":"not ready","away":{"bus":"does not answer"}}')] * 8
        assert time.monotonic() - begun_s < patient(6)
