"""One database made from the migrations, one from the models."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import pytest
from sqlalchemy import Connection, text

from domain.tables import metadata_complete
from runtime.database import engine_create
from testing.servers import TestDatabase, TestServers


@pytest.fixture
def migrated(database: TestDatabase) -> Iterator[Connection]:
    """The owner's connection to a database made from the migrations."""
    engine = engine_create(database.url("owner"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def modelled(servers: TestServers) -> Iterator[Connection]:
    """The owner's connection to a database made from the models."""
    made = servers.database_create(template="template0")
    engine = engine_create(made.url("owner"))
    with engine.connect() as connection:
        for extension in ("btree_gist", "btree_gin", "pg_trgm"):
            connection.execute(text(f"CREATE EXTENSION {extension}"))
        # An index of the models calls what is there.
        texts = files("migrations").joinpath("functions", "texts.sql").read_text("utf-8")
        connection.exec_driver_sql(texts.replace("%", "%%"))
        metadata_complete().create_all(connection)
        connection.commit()
        yield connection
    engine.dispose()
    servers.database_drop(made)
