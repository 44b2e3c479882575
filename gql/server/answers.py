"""Encode what is sent to a client: the one place, for HTTP and WebSocket alike.

JSON that the API accepts can be encoded again (graph/json_bounds.py). A database may hold other values all the same,
written by an older version or by hand: such a value becomes null in the answer, with an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson
import structlog

_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**64 - 1
Path = tuple[str | int, ...]

_log = structlog.get_logger(__name__)


def answer_encode(answer: Mapping[str, Any], *, trace_id: str) -> bytes:
    """Return the answer of an operation as JSON.

    An integer beyond 64 bits becomes the nearest double. A value that cannot be encoded becomes null, with an error
    INTERNAL that has its path.
    """
    try:
        return json_encode(answer)
    except TypeError:
        pass
    unencodable: list[tuple[Path, str]] = []
    encodable = {name: _encodable(part, (), unencodable) if name == "data" else part for name, part in answer.items()}
    for path, reason in unencodable:
        _log.warning("graphql.answer_not_encodable", trace_id=trace_id, path=path, reason=reason)
    errors = [*answer.get("errors", ()), *(_error(path, reason, trace_id) for path, reason in unencodable)]
    if errors:
        encodable["errors"] = errors
    # Messages and paths hold text that came in as UTF-8; an odd character in one is left out.
    return message_encode(encodable)


def message_encode(message: Any) -> bytes:
    """Return a message about an operation as JSON, with null for values that JSON cannot encode."""
    try:
        return json_encode(message)
    except TypeError:
        return json_encode(_encodable(message, (), []))


def is_text(value: str) -> bool:
    """Return whether a string can be encoded as UTF-8: it holds no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def json_encode(value: Any) -> bytes:
    """Return a value as JSON. Raises TypeError for a value that JSON cannot encode."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)


def _error(path: Path, reason: str, trace_id: str) -> dict[str, Any]:
    message = f"This value cannot be encoded as JSON: {reason}. It is null in this answer."
    return {"message": message, "path": list(path), "extensions": {"code": "INTERNAL", "traceId": trace_id}}


def _encodable(value: Any, path: Path, unencodable: list[tuple[Path, str]]) -> Any:  # noqa: PLR0911  (a kind of value each)
    """Return the value with null for each part that cannot be encoded; `lost` gets its path and the reason."""
    if isinstance(value, Mapping):
        return {_key(key): _encodable(item, (*path, _key(key)), unencodable) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item, (*path, place), unencodable) for place, item in enumerate(value)]
    if isinstance(value, int) and not isinstance(value, bool) and not _INTEGER_MIN <= value <= _INTEGER_MAX:
        try:
            return float(value)
        except OverflowError:
            unencodable.append((path, "a number beyond a double"))
            return None
    if isinstance(value, float) and not math.isfinite(value):
        unencodable.append((path, "a number that is not finite"))
        return None
    try:
        json_encode(value)
    except TypeError:
        unencodable.append((path, _reason(value)))
        return None
    return value


def _key(key: Any) -> Any:
    return key.encode(errors="backslashreplace").decode() if isinstance(key, str) else key


def _reason(value: Any) -> str:
    if isinstance(value, str):
        return "a text with half of a surrogate pair"
    return f"a value of the kind {type(value).__name__}"
