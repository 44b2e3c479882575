"""One API process's application, served in this process on a free port, on a database of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette

from argus.api.serving import Admission, server_config
from argus.api.wiring import app_create, exposure_of
from argus.tokens import token_create
from domain.plant.organizations.operations import organization_create
from gql.base.services import Services
from gql.server.console import Console
from gql.server.execution import Executor
from gql.server.preparation import Work
from runtime.clock import utc_now
from runtime.database import engine_create, transaction
from runtime.ids import new_id
from runtime.settings.load import settings_load
from runtime.settings.model import ApiSettings, Settings, TokenSettings
from testing.installation import Client, free_port
from testing.servers import TestDatabase
from testing.waits import wait_until

SECRET = "a secret of these tests, long enough for HS256"
OWN_TOKENS = TokenSettings(SECRET, None, None, None)
# The declared defaults, without limits on rates, so that only the tests of these meet them.
_ENVIRONMENT = {
    "ARGUS_DATABASE_URL_API": "postgresql://argus_api@localhost/argus",
    "ARGUS_REDIS_URL": "redis://localhost",
    "ARGUS_PARTITIONS": "2",
    # Whether it is built here makes no difference to the tests; theirs give one of their own.
    "ARGUS_CONSOLE": "off",
    "ARGUS_RATE_ADDRESS_PER_S": "0",
    "ARGUS_RATE_TOKEN_PER_S": "0",
    "ARGUS_WORK_TOKEN_PER_S": "0",
    "ARGUS_QUOTA_DEVICE_READINGS_PER_S": "0",
}


def bounds(**changed: Any) -> ApiSettings:
    """Return bounds on callers. changed: what is not as in the other tests."""
    return replace(settings_load(environment=_ENVIRONMENT).api, **changed)


@dataclass(frozen=True, slots=True)
class Api:
    """A served application."""

    settings: Settings
    port: int
    app: Starlette
    admission: Admission
    server: uvicorn.Server

    @property
    def work(self) -> Work:
        """The cost of preparing documents so far."""
        executor: Executor = self.app.state.executor
        return executor.preparer.work

    @property
    def services(self) -> Services:
        """The services of the application."""
        services: Services = self.app.state.services
        return services

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"

    def organization(self, name: str) -> int:
        """Make an organization; its slug is its name in lower case."""
        engine = engine_create(self.settings.database_url("owner"), pool_size=1)
        with transaction(engine) as session:
            made = organization_create(session, name=name, public_id=new_id(), now=utc_now())
        engine.dispose()
        return made.id

    def token(
        self,
        organization: str,
        role: str,
        ttl: timedelta = timedelta(hours=1),
        *,
        subject: str | None = None,
        under: Sequence[str] | None = None,
    ) -> str:
        """Return a user's token. under: ids of entities to which it is confined."""
        return token_create(
            self.settings, organization=organization, role=role, subject=subject or f"{role}@test", now=utc_now(),
            ttl=ttl, under=under,
        )  # fmt: skip

    def client(self, organization: str, role: str = "admin", **token: Any) -> Client:
        """Return a client with a token; see `token`."""
        return Client(self.url, self.token(organization, role, **token))


@contextmanager
def api_serve(
    database: TestDatabase,
    redis_url: str,
    *,
    tokens: TokenSettings = OWN_TOKENS,
    console: Console | None = None,
    **others: Any,
) -> Iterator[Api]:
    """Serve the application until the block ends. others: further settings."""
    usual = settings_load(environment={**_ENVIRONMENT, "ARGUS_REDIS_URL": redis_url})
    urls = {role: database.url(role) for role in ("owner", "api", "ingest", "pipeline")}
    settings = replace(usual, database_urls=urls, tokens=tokens, **others)
    port = free_port()
    app = app_create(settings, replace(exposure_of(settings.api), console=console))
    config = server_config(app, settings.api, host="127.0.0.1", port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started, "the application did not start"
        yield Api(settings, port, app, config.http.admission, server)  # type: ignore[union-attr]
    finally:
        server.should_exit = True
        thread.join()
