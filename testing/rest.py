"""Call the REST routes over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from testing.waits import patient


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. body: parsed, None where there is none."""

    status: int
    body: Any
    headers: Message

    @property
    def codes(self) -> list[str]:
        """The codes of its errors."""
        return [error["code"] for error in self.body["errors"]]


@dataclass(frozen=True, slots=True)
class RestClient:
    """Calls routes at an address, with a token."""

    address: str
    token: str | None

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, raw: bytes = b""
    ) -> Answer:
        """Send one request. path: with its query. body: JSON; raw: a body as it is."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        content = json.dumps(body).encode() if body is not None else raw or None
        request = urllib.request.Request(self.address + path, data=content, headers=sent, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=patient(60)) as response:  # noqa: S310
                return Answer(response.status, _parsed(response.read()), response.headers)
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, _parsed(refused.read()), refused.headers)


def _parsed(content: bytes) -> Any:
    return json.loads(content) if content else None
