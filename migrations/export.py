"""Write the schema of a database that was just migrated: `python -m migrations.export FILE`."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from migrations.catalogue import schema_text
from migrations.run import ROLES, migrate
from runtime.embedded import postgres
from runtime.embedded.account import account_for, admit

SOURCE = "-- The schema of the database, from its catalogue by `make schema`: to be read and compared, not run.\n\n"


def main(arguments: list[str]) -> int:
    """Write one file; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with _database() as url:
        migrate(url, {role: secrets.token_hex() for role in ROLES})
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            Path(arguments[0]).write_text(SOURCE + schema_text(connection), encoding="utf-8")
        engine.dispose()
    return 0


@contextmanager
def _database() -> Iterator[str]:
    """Run a PostgreSQL in a temporary directory; yield the address of its empty database, as the owner."""
    directory, password = Path(tempfile.mkdtemp(prefix="argus-schema-")), secrets.token_hex()
    try:
        account = account_for(directory / "postgres", postgres.programs())
        admit(account, directory)
        server = postgres.PostgresServer(
            directory / "postgres", directory / "postgres.log", account, postgres.free_port(), password
        )
        postgres.prepare(server)
        process = postgres.start(server, settings={"fsync": "off"})
        try:
            postgres.database_ensure(server, owner_password=password)
            owner, database = postgres.OWNER, postgres.DATABASE
            yield f"postgresql+psycopg://{owner}:{password}@127.0.0.1:{server.port}/{database}"
        finally:
            postgres.stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
