"""A page by keyboard alone: Tab until something has the focus, keys one after the other, instants part by part."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from testing.console.browser import ConsolePage

# What has the focus, as a person would name it.
_FOCUSED: Final = """() => { const each = document.activeElement;
  return each === null ? '' : (each.getAttribute('aria-label') ?? '') + ' ' + (each.labels?.[0]?.innerText ?? '')
    + ' ' + (each.getAttribute('role') ?? each.tagName.toLowerCase())
    + ' ' + (each.matches('a, button, summary') ? each.innerText : ''); }"""
_TABS_MAX: Final = 200


def tab_to(opened: ConsolePage, *words: str) -> None:
    """Press Tab until what has the focus is named by all of these words."""
    seen: list[str] = []
    for _ in range(_TABS_MAX):
        opened.page.keyboard.press("Tab")
        name = opened.page.evaluate(_FOCUSED)
        if all(word in name for word in words):
            return
        seen.append(name[:60])
    raise AssertionError(f"No Tab leads to {words}: {seen[:60]}")


def type_instant(opened: ConsolePage, at: datetime) -> None:
    """Type an instant into the field for date and time that has the focus, part by part."""
    local = at.astimezone(UTC)
    opened.page.keyboard.type(local.strftime("%m%d%Y"))
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.type(local.strftime("%I%M%S%p"))
    typed = opened.page.evaluate("document.activeElement.value")
    assert typed.startswith(local.strftime("%Y-%m-%dT%H:%M")), typed


def press(opened: ConsolePage, keys: str) -> None:
    """Press keys one after the other, e.g. "g d"."""
    for key in keys.split(" "):
        opened.page.keyboard.press(key)
