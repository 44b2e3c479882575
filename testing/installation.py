"""A whole Argus in a temporary data directory, started as an operator starts it, and a small client for it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from argus.organizations import organization_find
from argus.tokens import token_create
from domain.plant.organizations.operations import organization_create
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.ids import new_id
from runtime.settings.load import settings_load
from runtime.settings.model import Settings
from testing.processes import descendants
from testing.waits import Deadline, patient, quiet_period

PROJECT = Path(__file__).resolve().parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 90.0
# What this process has started, by its home, until it was looked at for the last time (testing/clean_run.py).
STARTED: dict[Path, Installation] = {}


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    """Return this process's environment without any setting of Argus, so that a test sees the defaults."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ARGUS_")}


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of one GraphQL call over HTTP."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """The data of a call that had no errors."""
        assert "errors" not in self.body, self.body["errors"]
        data: dict[str, Any] = self.body["data"]
        return data

    @property
    def error_codes(self) -> list[str]:
        """The codes of the top-level errors."""
        return [error.get("extensions", {}).get("code") for error in self.body.get("errors", [])]


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks GraphQL over HTTP with one token."""

    url: str
    token: str | None

    def call(self, query: str, variables: Mapping[str, Any] | None = None) -> Reply:
        """Send one operation."""
        return self.post(json.dumps({"query": query, "variables": variables or {}}).encode())

    def post(self, body: bytes, content_type: str = "application/json") -> Reply:
        """Send a body as it is."""
        headers = {
            "Content-Type": content_type,
            "Accept": "application/graphql-response+json, application/json",
        }
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url, data=body, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=patient(60)) as response:  # noqa: S310
                return Reply(response.status, json.loads(response.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Reply(refused.code, json.loads(refused.read()))


@dataclass(slots=True)
class Installation:
    """One running `argus up`. settings: of its environment, besides the defaults."""

    home: Path
    port: int = field(default_factory=free_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    # Readings come by themselves, of the demo.
    has_traffic: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"

    def start(self, *arguments: str) -> None:
        """Start `argus up` and wait until it is ready; one that does not become so is stopped."""
        STARTED[self.home] = self
        self.has_traffic = "--no-demo" not in arguments
        log = (self.home.parent / f"{self.home.name}.log").open("ab")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "argus",
                "up",
                "--home",
                str(self.home),
                "--port",
                str(self.port),
                *arguments,
            ],
            cwd=PROJECT,
            env={**environment(), **self.settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self) -> None:
        """Wait until the API answers that everything behind it does."""
        deadline = Deadline(START_TIMEOUT_S)
        while not deadline.is_over:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                    return
            except OSError:
                quiet_period(0.1)
        raise AssertionError("argus up did not become ready:\n" + self.log_tail())

    def log_tail(self) -> str:
        """Return the end of what the supervisor printed."""
        return (self.home.parent / f"{self.home.name}.log").read_text()[-4000:]

    def stop(self) -> int:
        """Stop it as Ctrl-C would and return the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=patient(STOP_TIMEOUT_S))
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one `argus` command against this home."""
        done = subprocess.run(
            [sys.executable, "-m", "argus", *arguments, "--home", str(self.home)],
            cwd=PROJECT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=patient(300),
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def organization(self, name: str, role: str = "admin") -> Client:
        """Make an organization and return a client with a token for it, without the start of two commands."""
        engine = engine_create(self._settings.database_url("owner"), pool_size=1)
        try:
            with transaction(engine) as session:
                organization_create(session, name=name, public_id=new_id(), now=utc_now())
        finally:
            engine.dispose()
        return self.client(name, role)

    def client(self, organization: str, role: str = "admin", *, under: Sequence[str] | None = None) -> Client:
        """Return a client with a new token of an organization. under: ids of the entities to which it is confined."""
        settings = self._settings
        token = token_create(
            settings,
            organization=organization_find(settings, organization).slug,
            role=role,
            subject="argus token",
            now=utc_now(),
            ttl=timedelta(hours=12),
            under=under,
        )
        return Client(self.url, token)

    @property
    def _settings(self) -> Settings:
        return settings_load(self.home, environment={**environment(), **self.settings})

    def wait_processed(self, client: Client) -> None:
        """Wait until no reading of an organization waits for the stages."""
        deadline = Deadline(START_TIMEOUT_S)
        query = '{ ingestAccount(from: "2020-01-01T00:00:00Z") { pending } }'
        while client.call(query).data["ingestAccount"]["pending"]:
            deadline.pause("Readings still wait to be processed.")

    def children(self, marker: str) -> list[int]:
        """Return the process ids below the supervisor whose command line contains `marker`."""
        assert self.process is not None
        return [pid for pid, line in descendants(self.process.pid).items() if marker in line]
