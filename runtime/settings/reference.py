"""Generate the settings' reference page and `.env.example` from their declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import wrap
from typing import Any, Final

from runtime.settings.compose import COMPOSE_SETTINGS
from runtime.settings.declaration import Derived, Group, Setting
from runtime.settings.table import SETTINGS

_PAGE_HEAD: Final = """\
# Settings

<!-- Made of runtime/settings/table.py by `make settings`. Do not edit. -->

Argus is configured by environment variables. A variable that is empty counts as one that is not set. A value that
cannot be used ends the command with a message that names the variable; a variable that begins with `ARGUS_` and is none
of these is reported with the nearest that is. Processes read their settings once, when they start.

*Local* is the default of the local stack, on its embedded servers, where it differs. The values of settings that are
marked *secret*, or the passwords in them where they are addresses, are replaced by `[redacted]` in all logs.

The same list to fill in is [.env.example](../../.env.example).
"""
_TABLE_HEAD: Final = """\
| variable | meaning | values | default | used by |
|---|---|---|---|---|
"""
_EXAMPLE_HEAD: Final = """\
# Settings of Argus, made of runtime/settings/table.py by `make settings`. Copy to .env, and remove the # before what
# you set. A value shown is the default. docker-compose.yml sets ARGUS_DATABASE_URL and ARGUS_REDIS_URL itself; it needs
# ARGUS_OWNER_PASSWORD, ARGUS_REDIS_PASSWORD, ARGUS_SECRET, and ARGUS_JWT_SECRET or ARGUS_JWT_JWKS_URL.
# Long random values: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'
"""
_LOCAL_SOURCE: Final = "always from the data directory"
_WIDTH: Final = 120


def page() -> str:
    """Return the reference page, in Markdown."""
    return _PAGE_HEAD + "".join(
        f"\n## {group.value}\n\n{_TABLE_HEAD}{''.join(map(_row, settings))}" for group, settings in _grouped()
    )


def example() -> str:
    """Return `.env.example`: every variable, commented out."""
    return _EXAMPLE_HEAD + "".join(
        f"\n# ---- {group.value} ----\n{''.join(map(_entry, settings))}" for group, settings in _grouped()
    )


def _grouped() -> Iterator[tuple[Group, list[Setting[Any]]]]:
    for group in Group:
        yield group, [item for item in (*SETTINGS, *COMPOSE_SETTINGS) if item.group is group]


def _row(setting: Setting[Any]) -> str:
    name = f"`{setting.name}`" + ("" if setting.secret is None else " *secret*")
    used_by = ", ".join(f"`{item.value}`" if "argus" in item.value else item.value for item in setting.used_by)
    return f"| {name} | {setting.meaning} | {setting.kind.allowed} | {_defaults(setting)} | {used_by} |\n"


def _defaults(setting: Setting[Any]) -> str:
    usual, local = _default(setting.default), _LOCAL_SOURCE
    if not setting.in_data_directory:
        local = _default(setting.default_of(is_embedded=True))
    return usual if local == usual else f"{usual or 'none'}; local: {local}"


def _default(default: str | Derived) -> str:
    if isinstance(default, Derived):
        return default.words
    return f"`{default}`" if default else ""


def _entry(setting: Setting[Any]) -> str:
    # Links that are references vanish; the words of others stay.
    plain = re.sub(r" \(\[[^]]*\]\([^)]*\)\)", "", setting.meaning)
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", plain)
    text = f"{plain} Values: {setting.kind.allowed}."
    if isinstance(setting.default, Derived):
        text += f" Default: {setting.default.words}."
    comment = "".join(f"# {line}\n" for line in wrap(text.replace("`", ""), _WIDTH - 2))
    value = "" if isinstance(setting.default, Derived) else setting.default
    return f"{comment}#{setting.name}={value}\n"
