"""What a declaration of a setting says, and how the value of one is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from runtime.settings.kinds import Kind

T = TypeVar("T")

PREFIX: Final = "ARGUS_"


class Group(StrEnum):
    """Themes of the reference page, in its order."""

    DATABASE = "Database"
    BUS = "Bus"
    AUTHENTICATION = "Authentication"
    API = "API"
    LIMITS = "Limits of the API"
    INGEST = "Ingest"
    WORKERS = "Workers"
    RETENTION = "Retention"
    WEBHOOKS = "Webhooks"
    LOGGING = "Logging"
    LOCAL = "Local stack"
    COMPOSE = "Docker Compose"


class Process(StrEnum):
    """Processes that act on a setting."""

    API = "argus api"
    WORKER = "argus worker"
    COMMANDS = "other commands"
    COMPOSE = "docker-compose.yml"


class Secret(Enum):
    """What of a value no log may show: all of it, or the password in the address."""

    VALUE = "value"
    PASSWORD = "password"  # noqa: S105 - the name of a part


@dataclass(frozen=True, slots=True)
class Derived:
    """A default derived from something else.

    words: from what, for the reference page. of: makes its text from other settings; None: `load.py` makes the value.
    """

    words: str
    of: Callable[[Values], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """The declaration of one environment variable.

    default: as it would be written in the environment; empty: none. embedded_default: on the embedded servers, where
    it differs on purpose. in_data_directory: on the embedded servers the value comes from the data directory, and the
    variable is not read there. meaning: one or two sentences, in Markdown.
    """

    name: str
    kind: Kind[T]
    group: Group
    used_by: tuple[Process, ...]
    meaning: str
    default: str | Derived = ""
    embedded_default: str | Derived | None = None
    in_data_directory: bool = False
    secret: Secret | None = None

    def default_of(self, *, is_embedded: bool) -> str | Derived:
        """Return the default that is in force."""
        return self.embedded_default if is_embedded and self.embedded_default is not None else self.default

    def secret_in(self, text: str) -> str | None:
        """Return the part of a value that must not be shown."""
        if self.secret is not Secret.PASSWORD:
            return text if self.secret is Secret.VALUE else None
        try:
            password = make_url(text).password
        except (ArgumentError, ValueError):
            return text
        return None if password is None else str(password)


@dataclass(frozen=True, slots=True)
class Values:
    """The values of settings in one environment: `values[PARTITIONS]`. given: without variables that are empty."""

    given: Mapping[str, str]
    is_embedded: bool

    @staticmethod
    def of(environment: Mapping[str, str], *, is_embedded: bool) -> Values:
        """Create from an environment. An empty variable counts as unset."""
        return Values({name: value for name, value in environment.items() if value}, is_embedded)

    def __getitem__(self, setting: Setting[T]) -> T:
        """Return the value of a setting.

        Raises SettingsError where what was given cannot be used.
        """
        return setting.kind.parse(setting.name, self._text(setting))

    def secrets(self, settings: tuple[Setting[Any], ...]) -> frozenset[str]:
        """Return the parts of the given values that must not be shown."""
        texts = (setting.secret_in(self.given[setting.name]) for setting in settings if setting.name in self.given)
        return frozenset(filter(None, texts))

    def _text(self, setting: Setting[Any]) -> str:
        if setting.name in self.given:
            return self.given[setting.name]
        default = setting.default_of(is_embedded=self.is_embedded)
        if isinstance(default, Derived):
            return "" if default.of is None else default.of(self)
        return default
