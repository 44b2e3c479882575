"""The documentation is consistent: links resolve, and every error code is listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from gql.schema import core_schema
from testing.installation import PROJECT

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")), PROJECT / "benchmarks" / "README.md"]
_LINK = re.compile(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)")
# Reference, to be searched and not read: tables and lists.
_LONG = {"settings.md", "glossary.md"}
_WORDS_MAX = 1_500


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        path = page.parent / target if target else page
        assert path.exists(), target
        if anchor and path.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_not_too_long_to_be_read(page: Path) -> None:
    assert (
        page.name in _LONG
        or page.parent.name == "benchmarks"
        or len(page.read_text(encoding="utf-8").split()) <= _WORDS_MAX
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_operations_are_valid(page: Path) -> None:
    for text in re.findall(r"^```graphql\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        assert validate(core_schema(), parse(text)) == [], text


def test_every_error_code_is_documented() -> None:
    page = (PROJECT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    codes: set[str] = set()
    for folder in ("graph", "domain", "gql"):
        for path in (PROJECT / folder).rglob("*.py"):
            codes |= set(re.findall(r'^    code = "([A-Z_]+)"', path.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(codes) > 10
    assert {code for code in codes if f"`{code}`" not in page and code not in page} == set()


def test_overlap_and_conflict_of_edges_mean_what_is_answered() -> None:
    """OVERLAP is the same edge once more; an exclusive place that another has is a CONFLICT (graph/edges/checks.py)."""
    page = (PROJECT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    meanings = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", page, re.MULTILINE))
    assert "the same edge" in meanings["OVERLAP"]
    assert "exclu" not in meanings["OVERLAP"]
    assert "exclusive place" in meanings["CONFLICT"]
    create_edge = core_schema().mutation_type.fields["createEdge"].description  # type: ignore[union-attr]
    assert create_edge is not None
    assert "OVERLAP where the same" in create_edge
    assert "CONFLICT where an exclusive place" in create_edge


def test_readme_shows_the_two_commands() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert "\nmake run\n" in readme
    assert "\nmake test\n" in readme


DECISIONS = sorted((PROJECT / "docs" / "explanation" / "decisions").glob("*.md"))


def test_a_number_names_one_decision() -> None:
    assert len(DECISIONS) > 20
    named: dict[str, list[str]] = {}
    for path in DECISIONS:
        named.setdefault(path.name[:4], []).append(path.name)
        assert path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} "), path.name
    assert {number: names for number, names in named.items() if len(names) > 1} == {}
    assert sorted(named) == [f"{n:04}" for n in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name[:4])
def test_a_decision_says_why_and_when_to_reconsider_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # In the middle of a paragraph such words are only emphasis. "Measured" is what follows from it, in numbers.
    parts = re.findall(
        r"^\*\*(Context|Decision|Consequences|Measured|Looked at again if|Checked by)\b[^*]*\*\* *\n?(\s*\S+ \S+)",
        text,
        re.MULTILINE,
    )
    there = [name for name, _ in parts]
    assert {name for name in there if there.count(name) > 1} == set()
    assert {"Context", "Decision", "Looked at again if", "Checked by"} - set(there) == set()
    assert {"Consequences", "Measured"} & set(there)


def test_a_decision_named_by_its_number_alone_is_there() -> None:
    """Where the code says why, it names the page."""
    there = {path.name[:4] for path in DECISIONS}
    named: set[str] = set()
    for folder in ("argus", "gql", "workers", "domain", "graph", "runtime", "migrations", "tests", "docs"):
        for path in (PROJECT / folder).rglob("*"):
            if path.suffix in {".py", ".sql", ".md"} and not {"node_modules", ".venv"} & set(path.parts):
                named |= set(re.findall(r"decisions/(\d{4})", path.read_text(encoding="utf-8")))
    assert len(named) > 5
    assert named - there == set()
