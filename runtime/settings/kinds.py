"""Kinds of setting values: parse the text of an environment variable, or refuse it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

FOREVER: Final = "forever"
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
# A scheme, a host and perhaps a port.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9._-]*[a-z0-9])?)(:[0-9]{1,5})?")
_DAYS: Final = re.compile(r"P([1-9][0-9]{0,4})D")
# HS256 is no stronger than its key.
SIGNING_KEY_LENGTH_MIN: Final = 32
# From the least to the most.
USER_ROLES: Final = ("viewer", "operator", "admin")

T_co = TypeVar("T_co", covariant=True)


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message names the variable."""


class Kind(Protocol[T_co]):
    """A kind of values. Text that is empty stands for a variable that is not set and has no default."""

    def parse(self, name: str, text: str) -> T_co:
        """Return the value of a variable.

        Raises SettingsError, naming the variable, for text that is no such value.
        """

    @property
    def allowed(self) -> str:
        """What may be written, for the reference page."""


@dataclass(frozen=True, slots=True)
class Number:
    """Whole numbers within bounds. unit: what is counted or measured, for the reference page."""

    at_least: int
    at_most: int
    unit: str = ""

    def parse(self, name: str, text: str) -> int:
        """Return the number."""
        if not text.isdecimal() or not self.at_least <= int(text) <= self.at_most:
            msg = f"{name} must be a whole number from {self.at_least} to {self.at_most}; it is {text!r}."
            raise SettingsError(msg)
        return int(text)

    @property
    def allowed(self) -> str:
        """The bounds, with the unit."""
        return f"{self.at_least:,} to {self.at_most:,} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Days:
    """Durations of whole days, or None: forever."""

    allowed: str = f"whole days (`P90D`), up to `P99999D`, or `{FOREVER}`"

    def parse(self, name: str, text: str) -> timedelta | None:
        """Return the duration."""
        if text == FOREVER:
            return None
        match = _DAYS.fullmatch(text)
        if match is None:
            msg = f"{name} must be whole days, such as P90D, or {FOREVER}; it is {text!r}."
            raise SettingsError(msg)
        return timedelta(days=int(match[1]))


@dataclass(frozen=True, slots=True)
class Text:
    """Any text, or None."""

    allowed: str = "text"

    def parse(self, name: str, text: str) -> str | None:  # noqa: ARG002
        """Return the text."""
        return text or None


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether something is on."""

    allowed: str = "`on` or `off`"

    def parse(self, name: str, text: str) -> bool:
        """Return whether it is on."""
        if text not in {"on", "off"}:
            msg = f"{name} must be on or off; it is {text!r}."
            raise SettingsError(msg)
        return text == "on"


@dataclass(frozen=True, slots=True)
class Origins:
    """Origins of web pages, as browsers send them."""

    allowed: str = "origins such as `https://plant.example`, separated by commas, or `*`"

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """Return the origins."""
        origins = tuple(origin.strip().lower() for origin in text.split(",") if origin.strip())
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                msg = f"{name} must be origins such as https://plant.example:8443, without a path; {origin!r} is none."
                raise SettingsError(msg)
        return origins


@dataclass(frozen=True, slots=True)
class PageUrl:
    """The address of pages, as browsers have it, or None."""

    allowed: str = "an address such as `https://plant.example/argus/`"

    def parse(self, name: str, text: str) -> str | None:
        """Return the address with a slash at the end."""
        if not text:
            return None
        parts = urlsplit(text)
        is_plain = not (parts.query or parts.fragment or parts.username)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain:
            msg = f"{name} must be an address such as https://plant.example/argus/; it is {text!r}."
            raise SettingsError(msg)
        return text.rstrip("/") + "/"


@dataclass(frozen=True, slots=True)
class RoleNames:
    """Names of roles as an identity provider has them, and the role of Argus that each is."""

    allowed: str = "`NAME=viewer`, `NAME=operator` or `NAME=admin`, separated by commas"

    def parse(self, name: str, text: str) -> Mapping[str, str]:
        """Return the role of each name; without any, the roles go by their own names."""
        roles: dict[str, str] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            theirs, _, role = (part.strip() for part in entry.rpartition("="))
            if not theirs or role not in USER_ROLES or theirs in roles:
                msg = f"{name} must be names of roles such as staff=viewer, each once; {entry!r} is none."
                raise SettingsError(msg)
            roles[theirs] = role
        return roles or {role: role for role in USER_ROLES}


@dataclass(frozen=True, slots=True)
class Name:
    """A text that names something, as it is written."""

    allowed: str

    def parse(self, name: str, text: str) -> str:  # noqa: ARG002
        """Return the text."""
        return text


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key for HS256, or None."""

    allowed: str = f"at least {SIGNING_KEY_LENGTH_MIN} characters"

    def parse(self, name: str, text: str) -> str | None:
        """Return the key."""
        if text and len(text) < SIGNING_KEY_LENGTH_MIN:
            msg = f"{name} is too short: HS256 wants at least {SIGNING_KEY_LENGTH_MIN} characters."
            raise SettingsError(msg)
        return text or None


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """The address of a PostgreSQL database, in SQLAlchemy's form and for psycopg, or None."""

    allowed: str = "`postgresql://user:password@host:5432/database`"

    def parse(self, name: str, text: str) -> str | None:
        """Return the address."""
        if not text:
            return None
        try:
            url = make_url(text)
        except ArgumentError:
            url = None
        if url is None or url.get_backend_name() != "postgresql" or not url.database:
            msg = f"{name} must look like postgresql+psycopg://user:password@host:5432/database."
            raise SettingsError(msg)
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """The address of a Redis or Valkey."""

    allowed: str = "`redis://:password@host:6379/0`, `rediss://…` or `unix://…`"

    def parse(self, name: str, text: str) -> str:
        """Return the address."""
        if not text.startswith(("redis://", "rediss://", "unix://")):
            msg = f"{name} must be the address of a Redis or Valkey, such as redis://:password@host:6379/0."
            raise SettingsError(msg)
        return text


@dataclass(frozen=True, slots=True)
class Hosts:
    """Networks, addresses and names of hosts."""

    allowed: str = "networks, addresses and host names, separated by commas"

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """Return them as they are written."""
        entries = tuple(entry.strip() for entry in text.split(",") if entry.strip())
        for entry in entries:
            try:
                ip_network(entry, strict=False)
            except ValueError:
                if not _HOST_NAME.fullmatch(entry) or entry[-1].isdigit():
                    msg = f"{name} must be networks such as 127.0.0.0/8, addresses or names; {entry!r} is none."
                    raise SettingsError(msg) from None
        return entries


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks and addresses."""

    allowed: str = "networks and addresses, separated by commas"

    def parse(self, name: str, text: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the networks; an address is a network of one."""
        entries = [entry.strip() for entry in text.split(",") if entry.strip()]
        try:
            return tuple(ip_network(entry, strict=False) for entry in entries)
        except ValueError:
            msg = f"{name} must be addresses or networks such as 10.0.0.0/8; it is {', '.join(entries)!r}."
            raise SettingsError(msg) from None


_LOG_LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True)
class LogLevel:
    """Levels of the standard library's logging."""

    allowed: str = ", ".join(f"`{name}`" for name in _LOG_LEVELS)

    def parse(self, name: str, text: str) -> int:
        """Return the level's number."""
        if text not in _LOG_LEVELS:
            msg = f"{name} must be one of {', '.join(_LOG_LEVELS)}; it is {text!r}."
            raise SettingsError(msg)
        return _LOG_LEVELS[text]


@dataclass(frozen=True, slots=True)
class IsJson:
    """Formats of the logs: whether it is JSON."""

    allowed: str = "`json`; anything else gives lines to read"

    def parse(self, name: str, text: str) -> bool:  # noqa: ARG002
        """Return whether it is JSON."""
        return text == "json"
