"""PostGraphile on the tables of Argus, as a reference: served where the npm package is installed under a prefix.

It reads as a role that sees four tables of all organizations, without Argus's rules. It answers with the believed and
the ended edges alike, and with the latest points of a device where Argus picks those of an asset's links.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runtime.database import engine_create, transaction
from testing.installation import free_port

CLI: Final = Path("node_modules", "postgraphile", "cli.js")
_TABLES: Final = ("entities", "entity_edges", "series", "latest_values")
_ROLE: Final = "benchmark_postgraphile"
# The role of a database that is removed after the run.
_PASSWORD: Final = "benchmark"  # noqa: S105

_PUMPS: Final = 'allEntities(first: 100, orderBy: NAME_ASC, condition: {kind: "ASSET", type: "pump"})'
QUERIES: Final = {
    "list": f"""{{ {_PUMPS} {{
  nodes {{ id kind name externalId type status attributes createdAt updatedAt deletedAt }} }} }}""",
    "nested": f"""{{ {_PUMPS} {{ nodes {{
  id name externalId status
  parents: entityEdgesByOrganizationIdAndTargetIdAndTargetKind(condition: {{relationship: "HAS_PART"}}) {{
    nodes {{ entityByOrganizationIdAndSourceIdAndSourceKind {{ id name }} }} }}
  devices: entityEdgesByOrganizationIdAndSourceIdAndSourceKind(first: 5, condition: {{relationship: "MONITORED_BY"}}) {{
    nodes {{ entityByOrganizationIdAndTargetIdAndTargetKind {{ id name externalId
      seriesByOrganizationIdAndEntityId {{ nodes {{
        metric latestValueByOrganizationIdAndSeriesId {{ value timestamp }} }} }} }} }} }} }} }} }}""",
}


@contextmanager
def postgraphile_serve(prefix: Path, owner_url: str) -> Iterator[int]:
    """Serve the tables until the block ends; return the port. prefix: where npm has installed the package."""
    _role_make(owner_url)
    port = free_port()
    url = re.sub(r"^[^:]*://[^@]*@", f"postgres://{_ROLE}:{_PASSWORD}@", owner_url)
    options = ["--connection", url, "--schema", "public", "--host", "127.0.0.1", "--port", str(port)]
    options += ["--no-ignore-rbac", "--disable-graphiql", "--disable-query-log"]
    command = ["node", str(prefix / CLI), *options]
    environment = {**os.environ, "NODE_ENV": "production"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.terminate()


def _role_make(owner_url: str) -> None:
    engine = engine_create(owner_url, pool_size=1)
    with transaction(engine) as session:
        connection = session.connection()
        for statement in (
            f"CREATE ROLE {_ROLE} LOGIN PASSWORD '{_PASSWORD}'",
            f"GRANT USAGE ON SCHEMA public TO {_ROLE}",
            f"GRANT SELECT ON {', '.join(_TABLES)} TO {_ROLE}",
            *(f"CREATE POLICY {_ROLE} ON {table} FOR SELECT TO {_ROLE} USING (true)" for table in _TABLES),
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
