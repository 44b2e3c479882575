"""The page about invalidation names exactly the existing triggers."""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from testing.installation import PROJECT

_PAGE = PROJECT / "docs" / "explanation" / "invalidation.md"


def test_the_page_names_every_trigger(migrated: Connection) -> None:
    there = set(migrated.scalars(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0")))
    page = _PAGE.read_text(encoding="utf-8")
    section = page[page.index("## By triggers") : page.index("## By the code that writes")]
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    named |= set(re.findall(r"`(\w+)` \(", section[section.index("Six triggers keep") :]))
    assert len(there) > 10
    assert named == there


def test_the_files_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"`(domain/[\w/]+\.py)`", _PAGE.read_text(encoding="utf-8")))
    assert len(named) > 5
    assert {name for name in named if not (PROJECT / name).exists()} == set()
