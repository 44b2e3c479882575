"""The console offers what the API permits: its table of changes is the API's."""

from __future__ import annotations

import re
from pathlib import Path

import gql.schema  # noqa: F401  (declares the permissions)
from gql.access.principal import PERMISSIONS, SCOPED, Role
from testing.installation import PROJECT

SOURCES = PROJECT / "console" / "src"
ROW = re.compile(r'^  (\w+): \{ role: "(\w+)", isScoped: (true|false) \},$', re.MULTILINE)
# The first field of a mutation in a document, with its alias where it has one.
SENT = re.compile(r"graphql\(`\s*mutation \w+(?:\([^`{]*\))?\s*\{\s*(?:\w+:\s*)?(\w+)")


def _table() -> dict[str, tuple[str, bool]]:
    text = (SOURCES / "session" / "permissions.ts").read_text(encoding="utf-8")
    return {name: (role, scoped == "true") for name, role, scoped in ROW.findall(text)}


def _sent() -> set[str]:
    files: list[Path] = [path for path in SOURCES.rglob("*.ts*") if "gen" not in path.parts]
    return {name for path in files for name in SENT.findall(path.read_text(encoding="utf-8"))}


def _least(field: str) -> str:
    allowed = PERMISSIONS["Mutation"][field]
    return next(role for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN) if role in allowed).value


def test_the_console_knows_the_role_of_every_change_that_it_sends() -> None:
    table = _table()
    assert len(table) >= 20
    assert _sent() - set(table) == set()
    api = {name: (_least(name), name in SCOPED["Mutation"]) for name in table}
    assert table == api
