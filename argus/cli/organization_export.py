"""`argus organization export`: all that an organization has, as files of one directory."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from argus.cli.errors import CommandError, errors_reported
from argus.cli.options import settings_of
from argus.cli.progress import INTERRUPTED, progress_end, progress_print, terminable
from argus.organizations import organization_find
from domain.exchange.exports.graph import graph_export
from domain.exchange.exports.records import RECORDS, REDACTED, points_export, readings_export, records_export
from runtime.clock import utc_now
from runtime.database import engine_create, transaction

_PROGRESS_ROWS = 1_000


def run(arguments: argparse.Namespace) -> int:
    """Export an organization."""
    directory: Path = arguments.out
    if directory.exists():
        msg = f"{directory} is there already: name a directory that is to be made."
        raise CommandError(msg)
    settings = settings_of(arguments)
    part = directory.with_name(f"{directory.name}.part")
    with errors_reported(), terminable():
        organization = organization_find(settings, arguments.name)
        engine = engine_create(settings.database_url("owner"), pool_size=1).execution_options(
            isolation_level="REPEATABLE READ"
        )
        try:
            shutil.rmtree(part, ignore_errors=True)
            (part / "records").mkdir(parents=True)
            # One transaction: all of it as of one instant.
            with transaction(engine, organization.id) as session:
                at, number = utc_now(), organization.id
                rows = {
                    "graph.ndjson": _write(part / "graph.ndjson", graph_export(session, organization_id=number)),
                    "readings.ndjson": _write(
                        part / "readings.ndjson", readings_export(session, organization_id=number)
                    ),
                    "points.ndjson": _write(part / "points.ndjson", points_export(session, organization_id=number)),
                }
                for table in (*RECORDS, *REDACTED):
                    name = f"records/{table}.ndjson"
                    rows[name] = _write(part / name, records_export(session, organization_id=number, table=table))
            manifest = {
                "organization": {"name": organization.name, "slug": organization.slug},
                "exportedAt": at.isoformat(),
                "rows": rows,
            }
            (part / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
            part.replace(directory)
        except OSError as error:
            msg = f"{directory} cannot be written: {error.strerror or error}."
            raise CommandError(msg) from error
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            shutil.rmtree(part, ignore_errors=True)
            engine.dispose()
    progress_end()
    if arguments.json:
        print(json.dumps(manifest))
    else:
        print(f"{directory}: {sum(rows.values())} rows in {len(rows)} files", file=sys.stderr)
    return 0


def _write(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Write records, one a line; return their number."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
            if count % _PROGRESS_ROWS == 0:
                progress_print(count)
    return count
