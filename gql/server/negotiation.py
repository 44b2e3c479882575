"""Content negotiation: the media type of an answer, by the header Accept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

GRAPHQL_JSON: Final = "application/graphql-response+json"
JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
MULTIPART: Final = "multipart/mixed"
_JSON_TYPES: Final = {GRAPHQL_JSON: GRAPHQL_JSON, JSON: JSON, "*/*": JSON, "application/*": GRAPHQL_JSON}
# Ranges, each with its parameters, in one header; browsers send a dozen.
_RANGES_MAX: Final = 50


class Stream(Enum):
    """Forms of an answer in parts.

    EVENTS: server-sent events, as graphql-sse in its distinct connections mode. SUBSCRIPTION: multipart/mixed as
    Apollo's clients have subscriptions. INCREMENTAL: multipart/mixed as of incremental delivery over HTTP.
    """

    EVENTS = auto()
    SUBSCRIPTION = auto()
    INCREMENTAL = auto()


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client accepts. json: the media type of JSON; stream: the form of a stream; None: it accepts none.

    is_stream_preferred: whether a stream has the higher quality, or comes first of the same.
    """

    json: str | None
    stream: Stream | None
    is_stream_preferred: bool


def negotiate(accept: str | None) -> Accepted | None:
    """Return what a header allows; None: nothing that an answer can have. Without a header, JSON."""
    if not accept:
        return Accepted(JSON, None, is_stream_preferred=False)
    json_best: tuple[float, str] = (0, "")
    stream_best: tuple[float, Stream | None] = (0, None)
    is_stream_preferred = False
    for name, quality, parameters in _ranges(accept):
        json_type, stream = _JSON_TYPES.get(name), _stream_of(name, parameters)
        if json_type is not None and quality > json_best[0]:
            is_stream_preferred = is_stream_preferred and quality <= stream_best[0]
            json_best = (quality, json_type)
        if stream is not None and quality > stream_best[0]:
            is_stream_preferred = quality > json_best[0]
            stream_best = (quality, stream)
    accepted = Accepted(json_best[1] or None, stream_best[1], is_stream_preferred)
    return None if accepted.json is None and accepted.stream is None else accepted


def _ranges(accept: str) -> Iterator[tuple[str, float, Mapping[str, str]]]:
    """Yield media ranges in UTF-8, or without a charset: name, quality above 0, parameters."""
    for part in accept.split(",")[:_RANGES_MAX]:
        name, *pieces = (piece.strip() for piece in part.split(";"))
        parameters: dict[str, str] = {}
        for piece in pieces:
            key, _, value = piece.partition("=")
            parameters[key.strip().lower()] = value.strip().strip('"').lower()
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        if quality > 0 and parameters.get("charset", "utf-8") in {"utf-8", "utf8"}:
            yield name.lower(), quality, parameters


def _stream_of(name: str, parameters: Mapping[str, str]) -> Stream | None:
    if name == EVENT_STREAM:
        return Stream.EVENTS
    if name == MULTIPART:
        # The one version there is; a later one may be another form.
        return Stream.SUBSCRIPTION if parameters.get("subscriptionspec") == "1.0" else Stream.INCREMENTAL
    return None
