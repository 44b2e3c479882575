"""Retired words stay retired: where the field has a term, the glossary has it, and nothing else is used for it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from testing.installation import PROJECT

# Each with the word to use instead; see docs/reference/glossary.md.
RETIRED = {
    r"\banew\b": "again, recompute",
    r"\bas (it|they|things) stands?\b": "current, as stored",
    r"\bblameless\b|\bis_away\b": "transient error, retryable",
    r"\bbunch(es)?\b": "transaction batches",
    r"\bcellar\b|\broof\b": "infrastructure, entry points",
    r"\bdirt\b": "invalidation",
    r"\bhappenings?\b": "event change",
    r"\bhush(es)?\b": "suppression",
    r"\bjudgements?\b|_judge\b|\bjudge_": "evaluation",
    r"(?<!-)\blanes?\b": "partition task",
    r"\bletters_": "dead letters",
    r"\b(the|each|a) noun\b|\bnouns\b|\bNoun\b": "entity kind",
    r"\bsieve\b": "edge filter",
    r"\bstanding_read\b": "stored_read",
    r"\bstretch(es)?\b": "range",
    r"\btall(y|ies)\b": "partial aggregate, counters",
    r"\btellings?\b": "notification",
    r"\b[Ww]hat stands(?! for)\b": "stored, current",
    r"\bwho asks\b": "the caller",
}
# History keeps its words, what others wrote has its own, and names in the database change by migrations.
_LEFT_OUT = (
    "CHANGELOG.md",
    "docs/explanation/decisions/",
    "gql/server/static/",
    "migrations/",
    "tests/docs/test_words.py",
)
_TEXT = {".py", ".md", ".sql", ".toml", ".yml", ".yaml", ".graphql", ".json", ".sh", ""}


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git checkout")
    names = [name for name in listed.stdout.splitlines() if not name.startswith(_LEFT_OUT)]
    paths = [PROJECT / name for name in names]
    return [path for path in paths if path.suffix in _TEXT and path.is_file()]


def test_retired_words_are_not_used() -> None:
    words = {re.compile(pattern): pattern for pattern in RETIRED}
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
