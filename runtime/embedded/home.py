"""The data directory of the embedded servers: where everything lies, which ports and secrets were drawn."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

_FILE = "argus.json"
_ADDRESS = "api-address"
_PORT_MAX = 65_535
_REMEDY = "Put it back from a backup."


class HomeError(Exception):
    """The data directory cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Home:
    """The state of a data directory, from one start to the next. The file is readable by its owner only."""

    directory: Path
    postgres_port: int
    postgres_password: str
    valkey_port: int
    valkey_password: str
    secret: str
    jwt_secret: str

    @property
    def logs(self) -> Path:
        """The directory of the processes' logs."""
        return self.directory / "logs"

    @staticmethod
    def read(directory: Path) -> Home:
        """Return the stored state of a directory.

        Raises HomeError where there is nothing.
        """
        path = directory.resolve() / _FILE
        try:
            content: Any = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            msg = f"There is no Argus in {directory}."
            raise HomeError(msg) from None
        except PermissionError:
            msg = f"The Argus in {directory} belongs to another user."
            raise HomeError(msg) from None
        except OSError as error:
            msg = f"{path} cannot be read: {error.strerror}."
            raise HomeError(msg) from None
        except (ValueError, RecursionError):
            msg = f"{path} is damaged: it is no JSON. {_REMEDY}"
            raise HomeError(msg) from None
        if (fault := _fault(content)) is not None:
            msg = f"{path} is damaged: {fault}. {_REMEDY}"
            raise HomeError(msg)
        return Home(directory=directory.resolve(), **content)

    @staticmethod
    def open(directory: Path, *, ports: tuple[int, int]) -> Home:
        """Return the stored state of a directory; create it, with new secrets, if there is none.

        Raises HomeError where the directory holds something else, or data whose secrets are gone.
        """
        directory = directory.resolve()
        if (directory / _FILE).exists():
            return Home.read(directory)
        _empty_check(directory)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
        except OSError as error:
            msg = f"The data directory {directory} cannot be made: {error.strerror}."
            raise HomeError(msg) from None
        home = Home(
            directory, ports[0], secrets.token_urlsafe(32), ports[1], *(secrets.token_urlsafe(32) for _ in "123")
        )
        home.write()
        return home

    def with_ports(self, *, postgres: int, valkey: int) -> Home:
        """Return the same with other ports, remembered."""
        if (postgres, valkey) == (self.postgres_port, self.valkey_port):
            return self
        moved = replace(self, postgres_port=postgres, valkey_port=valkey)
        moved.write()
        return moved

    def write(self) -> None:
        """Store it atomically."""
        self.logs.mkdir(mode=0o700, exist_ok=True)
        written = asdict(self)
        del written["directory"]
        draft = self.directory / f"{_FILE}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(written, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.directory / _FILE)

    def address_write(self, url: str) -> None:
        """Write down where the API answers, for the commands that call it."""
        draft = self.directory / f"{_ADDRESS}.{os.getpid()}"
        draft.write_text(url, encoding="utf-8")
        draft.replace(self.directory / _ADDRESS)

    def address_remove(self) -> None:
        """Forget where the API answered."""
        (self.directory / _ADDRESS).unlink(missing_ok=True)

    def lock(self) -> int:
        """Keep any other supervisor off this directory until this process ends; return the lock's descriptor.

        Raises HomeError where one is running.
        """
        descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            msg = f"Argus is already running in {self.directory}."
            raise HomeError(msg) from None
        return descriptor


def address_read(directory: Path) -> str | None:
    """Return where the API of a data directory answers; None where it is not known to run."""
    try:
        return (directory / _ADDRESS).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _fault(content: Any) -> str | None:
    """Return what is wrong with the file's content; None: nothing."""
    if not isinstance(content, dict):
        return "it must be a JSON object"
    expected = {field.name: field.type for field in fields(Home) if field.name != "directory"}
    for name, kind in expected.items():
        if name not in content:
            return f"{name} is missing"
        value = content[name]
        if kind == "int" and not (type(value) is int and 0 < value <= _PORT_MAX):
            return f"{name} must be a port, a number from 1 to {_PORT_MAX}"
        if kind == "str" and not (isinstance(value, str) and value):
            return f"{name} must be a text"
    unknown = sorted(content.keys() - expected.keys())
    return f"{unknown[0]} is none of its keys, {', '.join(expected)}" if unknown else None


def _empty_check(directory: Path) -> None:
    """Raise HomeError for a directory that has no `argus.json` and is not empty."""
    try:
        # A first start that was interrupted leaves no more than these.
        others = sorted(path.name for path in directory.iterdir() if path.name not in {"lock", "logs"})
    except FileNotFoundError:
        return
    except OSError as error:
        msg = f"The data directory {directory} cannot be used: {error.strerror}."
        raise HomeError(msg) from None
    if "postgres" in others:
        msg = (
            f"{directory} has the data of an Argus, but not its {_FILE}, which holds the passwords to it. Put that "
            f"file back from a backup, or move the directory away to start again."
        )
        raise HomeError(msg)
    if others and not all(name.startswith(f"{_FILE}.") for name in others):
        first = others[0]
        msg = f"{directory} is not empty and is no data directory of Argus (it has {first}). Name another with --home."
        raise HomeError(msg)
