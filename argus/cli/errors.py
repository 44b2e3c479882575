"""How a command says that it failed: a sentence on standard error and an exit status, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from graph.errors import ArgusError
from runtime.embedded.account import AccountError
from runtime.embedded.home import HomeError
from runtime.embedded.process import ServerError
from runtime.settings import SettingsError


class CommandError(Exception):
    """A command could not do what it was asked. status: 1 failed, 2 used wrongly."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def told() -> Iterator[None]:
    """Turn the errors an operator can mend into a CommandError; let defects through."""
    try:
        yield
    except (SettingsError, HomeError) as error:
        raise CommandError(str(error), status=2) from error
    except (AccountError, ServerError) as error:
        raise CommandError(str(error)) from error
    except ArgusError as error:
        raise CommandError(error.message) from error
    except OperationalError as error:
        msg = f"The database does not answer: {str(error.orig).strip()}"
        raise CommandError(msg) from error
    except SQLAlchemyError as error:
        msg = f"The database refused: {error}"
        raise CommandError(msg) from error
