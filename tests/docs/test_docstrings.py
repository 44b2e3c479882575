"""Docstrings describe existing arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from testing.installation import PROJECT

_PACKAGES = ("argus", "gql", "workers", "domain", "graph", "runtime", "migrations", "testing")
_NAMED = re.compile(r"^([a-z_]+(?:, [a-z_]+)*): ", re.MULTILINE)
# They describe the states that are counted.
_OTHERS = {"ingest_counts"}


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for package in _PACKAGES:
        for path in (PROJECT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield str(path.relative_to(PROJECT)), node


def test_docstrings_describe_existing_arguments() -> None:
    checked, missing = 0, []
    for path, function in functions():
        text = ast.get_docstring(function) or ""
        if "Args:" in text or function.name in _OTHERS:
            continue
        given = function.args
        arguments = {
            argument.arg for argument in (*given.args, *given.kwonlyargs, given.vararg, given.kwarg) if argument
        }
        for match in _NAMED.finditer(text.partition("\n\n")[2]):
            names = set(match[1].split(", "))
            checked += len(names)
            missing += [f"{path}: {function.name}: {name}" for name in names - arguments]
    assert checked > 100
    assert missing == []
