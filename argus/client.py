"""A small client of Argus's API, for commands."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
ATTEMPTS = 30
# Of an address where nobody has answered yet: some 11 s.
ATTEMPTS_FIRST = 7
PAUSE_FIRST_S, PAUSE_LAST_S = 0.2, 5.0
# Where a quota has taken as much as it does for now.
PAUSE_QUOTA_S = 1.0
# These pass; what they refuse may be sent again.
_AGAIN = frozenset({"UNAVAILABLE", "RATE_LIMITED"})
_INGEST = """mutation Ingest($readings: [ReadingInput!]!) {
  ingestTelemetry(readings: $readings) { accepted rejected duplicates errors { code message path } } }"""
_DEVICES = """query Devices($after: String, $filter: EntityFilter) {
  devices(first: 500, after: $after, filter: $filter) {
    nodes { id name externalId type attributes } pageInfo { hasNextPage endCursor } } }"""

_DEVICE = "query Device($externalId: String!) { entity(kind: DEVICE, externalId: $externalId) { id } }"


class ClientError(Exception):
    """The API refused a call, or did not answer."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class ArgusClient:
    """One connection, kept open. url: of the GraphQL address. on_retry: called with the reason of each retry."""

    _attempts = ATTEMPTS
    _has_waited = False

    def __init__(
        self, url: str, token: str, *, attempts: int = ATTEMPTS, on_retry: Callable[[str], None] = lambda _line: None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = f"{url!r} is not an address such as http://127.0.0.1:8000/graphql."
            raise ClientError(msg)
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = make(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._path = parts.path if parts.path not in {"", "/"} else "/graphql"
        self._url = url
        self._token = token
        self._attempts = attempts
        self._on_retry = on_retry
        self._has_answered = False

    def call(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return an operation's data. Transient errors are retried with growing pauses.

        Raises ClientError.
        """
        body = json.dumps({"query": query, "variables": variables or {}})
        pause_s = PAUSE_FIRST_S
        for attempt in range(1, self._attempts + 1):
            try:
                return self._once(body)
            except ClientError as error:
                # One that has never answered is more likely the wrong address than one that starts again.
                most = self._attempts if self._has_answered else min(self._attempts, ATTEMPTS_FIRST)
                if error.code not in _AGAIN or attempt >= most:
                    raise
                self._on_retry(f"{error} Trying again in {pause_s:.1f} s ({attempt} of {most}).")
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_LAST_S)
        raise AssertionError("unreachable")

    def ingest(self, readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send readings, at most 1000; return the mutation's payload."""
        payload: dict[str, Any] = self.call(_INGEST, {"readings": readings})["ingestTelemetry"]
        return payload

    def ingest_patiently(self, readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send readings, at most 1000, and again those that a quota refuses, until it takes them.

        Return the payload of all of it. Where the quota takes none of them for minutes, they are among its errors.
        """
        total: dict[str, Any] = {"accepted": 0, "rejected": 0, "duplicates": 0, "errors": []}
        places, pause_s, attempts = list(range(len(readings))), PAUSE_QUOTA_S, 0
        while places:
            payload = self.ingest([readings[place] for place in places])
            limited = [error for error in payload["errors"] if error["code"] == "RATE_LIMITED"]
            attempts = 0 if len(limited) < len(places) else attempts + 1
            if attempts >= self._attempts:
                limited = []
            total["accepted"] += payload["accepted"]
            total["duplicates"] += payload["duplicates"]
            total["rejected"] += payload["rejected"] - len(limited)
            for error in payload["errors"]:
                if not limited or error["code"] != "RATE_LIMITED":
                    place = places[_place(error)]
                    total["errors"].append({**error, "path": ["readings", str(place), *error["path"][2:]]})
            places = [places[_place(error)] for error in limited]
            if not places:
                break
            if not self._has_waited:
                self._on_retry(f"{limited[0]['message']} The import goes on as the quota allows.")
                self._has_waited = True
            pause_s = PAUSE_QUOTA_S if attempts == 0 else min(pause_s * 2, PAUSE_LAST_S)
            time.sleep(pause_s)
        total["errors"].sort(key=_place)
        return total

    def devices(self, **where: Any) -> Iterator[dict[str, Any]]:
        """Yield the devices, page after page. where: fields of EntityFilter."""
        after = None
        while True:
            page = self.call(_DEVICES, {"after": after, "filter": where or None})["devices"]
            yield from page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def has_device(self, external_id: str) -> bool:
        """Return whether there is a device of that external id."""
        return self.call(_DEVICE, {"externalId": external_id})["entity"] is not None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _once(self, body: str) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Accept": "application/graphql-response+json",
        }
        try:
            self._connection.request("POST", self._path, body, headers)
            response = self._connection.getresponse().read()
            self._has_answered = True
            answer = json.loads(response)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            msg = f"{self._url} does not answer: {error}."
            raise ClientError(msg, code="UNAVAILABLE") from error
        except ValueError as error:
            self._connection.close()
            msg = f"{self._url} answers something that is not JSON."
            raise ClientError(msg) from error
        if answer.get("errors"):
            first = answer["errors"][0]
            raise ClientError(first["message"], code=first.get("extensions", {}).get("code"))
        data: dict[str, Any] = answer["data"]
        return data


def _place(error: Mapping[str, Any]) -> int:
    """Return the place of the reading that an error is about, from 0."""
    return int(error["path"][1]) if len(error["path"]) > 1 else 0
