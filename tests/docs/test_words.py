"""Retired words stay retired: where the field has a term, the glossary has it, and nothing else is used for it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.installation import PROJECT

# Each with the word to use instead; see docs/reference/glossary.md. In either case, except in (?-i:...): `Roof` is a
# class of Brick, and grammar has nouns.
RETIRED = {
    r"\banew\b": "again, recompute",
    r"\bafresh\b": "again",
    r"\bas (it|they|things) stands?\b": "current, as stored",
    r"\bblameless\b|\bis_away\b": "transient error, retryable",
    r"\bbunch(es)?\b": "transaction batches",
    r"\bcalm(ly)?\b": "unaffected",
    r"\bcellar\b|\b(?-i:roof)\b": "infrastructure, entry points",
    r"\bclash(es)?\b": "writers, conflict",
    r"\bdirt\b": "invalidation",
    r"\bhappenings?\b": "event change",
    r"\bhush(es)?\b": "suppression",
    r"\b(?<!\| )judg(e[ds]?|ing|ements?)\b": "evaluate, evaluation",
    r"(?<!-)\blanes?\b": "partition task",
    r"\bletters_": "dead letters",
    r"\b(the|each|a) noun\b|\bnouns\b|\b(?-i:Noun)\b": "entity kind",
    r"\bsieve\b": "edge filter",
    r"\bstanding\b": "stored, current",
    r"\bstretch(es)?\b": "range",
    r"\btall(y|ies)\b": "partial aggregate, counters",
    r"\btellings?\b": "notification",
    r"\bturn by turn\b|\bby turns\b": "alternately",
    r"\bwhat stands(?! for)\b": "stored, current",
    r"\bwho(ever)? asks\b": "the caller",
}
# Parts of names that say what was done to a value, not what it is; each with names to use instead.
RETIRED_IN_NAMES = {
    "anew": "again, recompute",
    "apart": "disjoint, unrelated",
    "asked": "requested, requests, parameters",
    "away": "unavailable, transient",
    "bunch": "batch",
    "calm": "unaffected",
    "clash": "conflict, writers",
    "dirt": "dirty, invalidation",
    "each": "what it goes over, in the singular",
    "found": "what was found: rows, events, page",
    "happening": "event_change",
    "heads": "watermarks, offsets",
    "held": "leases, isolated, locked",
    "hush": "suppression",
    "judge": "evaluate",
    "judged": "evaluated",
    "judging": "evaluating",
    "kept": "retained, stored, retention",
    "lane": "partition_task",
    "letters": "dead_letters",
    "noun": "kind, entity_kind",
    "settle": "reconcile, drain",
    "settled": "complete, recorded",
    "sieve": "edge_filter",
    "stand": "stored",
    "standing": "stored, current",
    "stands": "stored, current",
    "stretch": "compute_range",
    "tally": "partial_aggregate, counters",
    "tells": "reports, says",
    "told": "notified, reported, what it is",
    "touch": "invalidate",
    "touched": "changed",
    "touches": "invalidates",
    "turn": "poll, tick, generation, slot",
    "turns": "polls, ticks, generations",
}
# Only where it is the whole name: `not_found_error` and `reach_each` are English.
_WHOLE = {"each", "found"}
# Names of the API.
_PUBLIC = {
    ("domain/telemetry/model/schemas.py", "NOTHING_KEPT"),
    ("gql/definitions/profiles.py", "kept"),
}
# The log of changes quotes old names, and what others wrote has words of its own.
_LEFT_OUT = (
    "CHANGELOG.md",
    "gql/server/static/",
    "console/src/api/gen/",
    "console/package-lock.json",
    "tests/docs/test_words.py",
)
_TEXT = {".py", ".md", ".sql", ".toml", ".yml", ".yaml", ".graphql", ".json", ".sh", ".ts", ".tsx", ".css", ".html", ""}
_TYPESCRIPT = {".ts", ".tsx"}


_MODULES_LEFT_OUT = ("gql/server/static/", "console/src/api/gen/")

# What is no name in TypeScript, or a name: comments, strings, GraphQL and other templates, text between tags.
_TYPESCRIPT_TOKEN = re.compile(
    r"""
      //[^\n]* | /\*.*?\*/
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | `(?:\\.|[^`\\])*`
    | (?<![=\s])>[^<>{}();=]*(?=[<{])
    | \}[^<>{}();=\n]*(?=</?[a-z]|\{)
    | (?<!\.)\.\s*[A-Za-z_$][\w$]*
    | (?P<name>[A-Za-z_$][\w$]*)
    """,
    re.DOTALL | re.VERBOSE,
)


def _tracked(left_out: tuple[str, ...] = _LEFT_OUT) -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git checkout")
    names = [name for name in listed.stdout.splitlines() if not name.startswith(left_out)]
    paths = [PROJECT / name for name in names]
    return [path for path in paths if path.suffix in _TEXT and path.is_file()]


def test_retired_words_are_not_used() -> None:
    words = {re.compile(pattern, re.IGNORECASE): pattern for pattern in RETIRED}
    used: dict[str, list[str]] = {}
    paths = _tracked()
    assert len(paths) > 500
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for word, pattern in words.items():
            if (match := word.search(text)) is not None:
                line = text.count("\n", 0, match.start()) + 1
                used.setdefault(pattern, []).append(f"{path.relative_to(PROJECT)}:{line}")
    assert {f"{pattern} ({RETIRED[pattern]})": places for pattern, places in used.items()} == {}


def _names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names that a module binds, with their lines: those of others are not ours to choose."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.alias(asname=str(name)):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name, node.lineno


def _retired_parts(name: str) -> set[str]:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().strip("_").replace("dead_letter", "dead").split("_")
    return {word for word in words if word in RETIRED_IN_NAMES and (len(words) == 1 or word not in _WHOLE)}


@pytest.mark.parametrize(
    ("name", "retired"),
    [
        ("told", {"told"}),
        ("_told_s", {"told"}),
        ("LaneState", {"lane"}),
        ("judgeAgain", {"judge"}),
        ("ASKED", {"asked"}),
        ("dead_letters_get", set()),
        ("letters_get", {"letters"}),
        ("NotFoundError", set()),
        ("found", {"found"}),
    ],
)
def test_retired_parts_of_names_are_recognised(name: str, retired: set[str]) -> None:
    assert _retired_parts(name) == retired


def test_all_that_binds_a_name_is_looked_at() -> None:
    module = """
import os as imported
from os import path as imported_from
def function(argument): ...
try: ...
except OSError as caught: ...
match os:
    case [first, *rest]: ...
    case {"key": value, **others}: ...
    case str() as whole: ...
"""
    assert {name for name, _ in _names(ast.parse(module))} == {
        *("imported", "imported_from", "function", "argument", "caught", "first", "rest", "value", "others", "whole"),
    }


def _names_of_typescript(text: str) -> Iterator[tuple[str, int]]:
    """Yield the names that TypeScript binds or uses, with their lines, but for members: those may be of others."""
    for token in _TYPESCRIPT_TOKEN.finditer(text):
        if (name := token["name"]) is not None:
            yield name, text.count("\n", 0, token.start()) + 1


def test_all_names_of_typescript_are_looked_at() -> None:
    module = """
// comment
import { imported as alias } from "module";
const { member: bound, ...rest } = spread(...others), [first] = `template ${inner}`;
for (const row of map<Key, Type>(imported.property, (argument) => argument)) {}
export function Component({ prop }: { prop: string }) {
  /* comment */
  return <p className="text">Some text {prop} and more<b>bold</b></p>;
}
"""
    names = {name for name, _ in _names_of_typescript(module)}
    assert {*("alias", "bound", "rest", "others", "first", "row", "Type", "argument", "Component", "prop")} <= names
    assert names.isdisjoint({"comment", "module", "template", "property", "text", "Some", "more", "bold"})


@pytest.mark.parametrize(
    ("text", "is_retired"),
    [
        ("Judged again.", True),
        ("What stands there", True),
        ("What stands for it", False),
        ("a Noun", True),
        ("an imperative or noun-phrase", False),
        ("brick:Roof", False),
        ("under one roof", True),
    ],
)
def test_retired_words_are_recognised(text: str, *, is_retired: bool) -> None:
    assert any(re.search(pattern, text, re.IGNORECASE) for pattern in RETIRED) is is_retired


def test_retired_words_are_no_parts_of_names() -> None:
    used: list[str] = []
    modules = [path for path in _tracked(_MODULES_LEFT_OUT) if path.suffix in {".py", *_TYPESCRIPT}]
    assert sum(path.suffix == ".py" for path in modules) > 500
    assert sum(path.suffix in _TYPESCRIPT for path in modules) > 200
    for path in modules:
        place = str(path.relative_to(PROJECT))
        text = path.read_text(encoding="utf-8")
        names = [
            (path.stem, 1),
            *(_names_of_typescript(text) if path.suffix in _TYPESCRIPT else _names(ast.parse(text))),
        ]
        for name, line in names:
            if (place, name) not in _PUBLIC and (parts := _retired_parts(name)):
                used += [f"{place}:{line}: {name} ({part}: {RETIRED_IN_NAMES[part]})" for part in sorted(parts)]
    assert used == []
