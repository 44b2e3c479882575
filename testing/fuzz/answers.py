"""What an answer is, and what is wrong with it: what no call may ever be answered with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from gql.errors import ErrorCode


class Outcome(StrEnum):
    """What came of a call. REFUSED: by a code at the top before anything was executed."""

    DATA = "data"
    PARTIAL = "data and errors"
    USER_ERROR = "UserError"
    CODED = "coded error"
    REFUSED = "not executed"


# What names how the server is made. None of it stands in what the calls send.
_INSIDE: Final = {
    "a stack trace": re.compile(r"Traceback \(most recent|File \\?\"[^\"]+\\?\", line \d+|\.py\b"),
    "an object of Python": re.compile(r"<[\w.]+ object at 0x|<class '|\b0x[0-9a-f]{8,}|\bNoneType\b"),
    "an exception of Python": re.compile(
        r"\b(?:Key|Type|Value|Attribute|Assertion|Index|Runtime|Overflow|ZeroDivision|Unicode\w+|Recursion)Error\b"
    ),
    "SQL": re.compile(
        r"\bSELECT\b.{1,400}\bFROM\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|\bDELETE FROM\b|\bWHERE \w+\.\w+"
        r"|psycopg|sqlalchemy|sqlstate|PL/pgSQL|\bCONTEXT:|DETAIL:|violates \w+(?: \w+)? constraint|relation \\\"",
        re.DOTALL,
    ),
    "a path": re.compile(r"(?<![\w.])/(?:home|root|tmp|usr|opt|var|work)/\w"),
    "a module": re.compile(r"\b(?:gql|domain|graph|runtime|workers|argus|strawberry|starlette)\.\w+\.\w+"),
}
_CODES: Final = frozenset(ErrorCode) - {ErrorCode.INTERNAL}
OK: Final = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came. body: of JSON; None for what is not JSON."""

    status: int
    text: str
    body: Any

    @classmethod
    def of(cls, status: int, text: str) -> Reply:
        """Read an answer."""
        try:
            return cls(status, text, json.loads(text))
        except ValueError:
            return cls(status, text, None)


def outcome_of(reply: Reply) -> Outcome:
    """Return what came of a call."""
    errors = reply.body.get("errors") if isinstance(reply.body, dict) else None
    data = reply.body.get("data") if isinstance(reply.body, dict) else None
    if errors:
        if not reply.body or "data" not in reply.body:
            return Outcome.REFUSED
        return Outcome.CODED if data is None or not any(data.values()) else Outcome.PARTIAL
    if any(isinstance(payload, dict) and payload.get("errors") for payload in (data or {}).values()):
        return Outcome.USER_ERROR
    return Outcome.DATA


def faults_of(reply: Reply, *, secrets: Mapping[str, str], sent: str = "") -> Iterator[str]:
    """Yield what is wrong with an answer. secrets: by name, what must not occur in it.

    sent: the call, parts of which an answer may repeat.
    """
    if reply.status >= 500:
        yield f"status {reply.status}"
    if not isinstance(reply.body, dict) or not ({"data", "errors"} & set(reply.body)):
        yield "an answer that is not GraphQL's"
        return
    for error in errors_of(reply.body):
        if code_of(error) not in _CODES:
            yield f"the code {code_of(error)}"
        if not error.get("message"):
            yield "an error without a message"
    for name, pattern in _INSIDE.items():
        if (match := pattern.search(reply.text)) and match[0] not in sent:
            yield f"{name}: {match[0][:100]}"
    for name, secret in secrets.items():
        if secret in reply.text:
            yield name


def errors_of(body: Any) -> Iterator[dict[str, Any]]:
    """Yield the errors of an answer, those of its payloads too."""
    if not isinstance(body, dict):
        return
    yield from body.get("errors", ())
    for payload in (body.get("data") or {}).values():
        errors = payload.get("errors") if isinstance(payload, dict) else None
        yield from (error for error in errors or () if isinstance(error, dict) and "code" in error)


def code_of(error: Mapping[str, Any]) -> str:
    """Return the code of an error at the top or of a payload."""
    return str(error.get("code") or error.get("extensions", {}).get("code"))
