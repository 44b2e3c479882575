"""Nothing is left over in the console's sources: what is exported or styled is used somewhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.installation import PROJECT

SOURCES = PROJECT / "console" / "src"
_EXPORT = re.compile(
    r"^export (?:default )?(?:async )?(?:const|function|class|type|interface|enum) (\w+)", re.MULTILINE
)
_CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")
_VARIABLE = re.compile(r"(--[a-z][\w-]*)\s*:")
# A fragment of GraphQL is used by its name within the documents; uPlot draws its legend itself.
_FRAGMENT = re.compile(r"= graphql\(`\s*fragment ")
_OF_OTHERS = {"u-legend"}


def _texts(*suffixes: str) -> dict[Path, str]:
    paths = [path for path in SOURCES.rglob("*") if path.suffix in suffixes and "gen" not in path.parts]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


def _unused_exports(texts: dict[Path, str]) -> Iterator[str]:
    for path, text in texts.items():
        for match in _EXPORT.finditer(text):
            if _FRAGMENT.match(text, match.end() + 1):
                continue
            word = _word(match[1])
            if not any(word.search(other) for place, other in texts.items() if place != path):
                yield f"{path.name}: {match[1]}"


def _unused_styles(styles: str, code: str) -> Iterator[str]:
    selectors = re.sub(r"\{[^{}]*\}", "{}", re.sub(r"/\*.*?\*/", "", styles, flags=re.DOTALL))
    for name in sorted(set(_CLASS.findall(selectors)) - _OF_OTHERS):
        if not _word(name).search(code):
            yield f".{name}"
    for name in sorted(set(_VARIABLE.findall(styles))):
        # Of a numbered row, such as --series-1 to --series-8, one is chosen by its number.
        row = re.sub(r"\d+$", "", name)
        if f"var({name})" not in styles + code and f"var({row}${{" not in code:
            yield name


def test_every_export_is_used_by_another_file() -> None:
    texts = _texts(".ts", ".tsx")
    assert len(texts) > 200
    assert list(_unused_exports(texts)) == []


def test_every_class_and_variable_of_the_styles_is_used() -> None:
    styles = "\n".join(_texts(".css").values())
    assert len(styles) > 10_000
    assert list(_unused_styles(styles, "\n".join(_texts(".ts", ".tsx").values()))) == []


@pytest.mark.parametrize(
    ("texts", "unused"),
    [
        ({"a.ts": "export const used = 1;", "b.ts": 'import { used } from "./a";'}, []),
        ({"a.ts": "export function alone() {}\nalone();", "b.ts": "const aloneToo = 1;"}, ["a.ts: alone"]),
        ({"a.ts": "export const ROW = graphql(`\n  fragment Row on Event { id }`);"}, []),
    ],
)
def test_unused_exports_are_recognised(texts: dict[str, str], unused: list[str]) -> None:
    assert list(_unused_exports({Path(name): text for name, text in texts.items()})) == unused


def test_unused_styles_are_recognised() -> None:
    styles = ":root { --used: 1px; --row-1: red; --left: 2px; }\n.shown .left-over { margin: var(--used); }"
    code = '<p className="shown" style={{ color: `var(--row-${index})` }} />'
    assert list(_unused_styles(styles, code)) == [".left-over", "--left"]
