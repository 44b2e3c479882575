"""The form of a rule, as tests fill it."""

from __future__ import annotations

from testing.console.browser import ConsolePage


def kind_choose(opened: ConsolePage, number: str, kind: str) -> None:
    """Choose what the condition of a number, e.g. "2.1", watches: threshold, noData or expression."""
    group = opened.page.get_by_role("group", name=f"Condition {number}", exact=True)
    group.get_by_role("combobox").first.select_option(kind)
