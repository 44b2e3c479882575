"""A browser as far as sessions go: it keeps cookies, and says where its requests come from."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from testing.waits import patient

VIEWER = "{ viewer { subject role } }"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request."""

    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def body(self) -> Any:
        """What it says in JSON."""
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        """The code of its first error."""
        code: str = self.body["errors"][0]["extensions"]["code"]
        return code


@dataclass(slots=True)
class Browser:
    """Keeps the cookies that it is given, and says where its requests come from as browsers do."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        """Send a request. headers: with `_` for `-`; None: not that one."""
        sent = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        sent |= self._cookie()
        if method == "POST" and "Origin" not in headers:
            sent["Origin"] = f"http://127.0.0.1:{self.port}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patient(30))
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        for text in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(text).items():
                self.cookies.pop(name, None)
                if morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
        return answer

    def graphql(self, query: str = VIEWER, **headers: str | None) -> Answer:
        """Send an operation."""
        return self.request("POST", "/graphql", {"query": query}, **headers)

    def sign_in(self, token: str, **headers: str | None) -> Answer:
        """Paste a token."""
        return self.request("POST", "/session", {"token": token}, **headers)

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def socket(self, **headers: str) -> Any:
        """Open a WebSocket and introduce oneself without a token; return the answer, or the code it was closed with."""
        with connect(
            f"ws://127.0.0.1:{self.port}/graphql",
            subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
            additional_headers={**self._cookie(), **{name.replace("_", "-"): text for name, text in headers.items()}},
        ) as opened:
            try:
                opened.send(json.dumps({"type": "connection_init"}))
                assert json.loads(opened.recv(patient(10)))["type"] == "connection_ack"
                opened.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": VIEWER}}))
                return json.loads(opened.recv(patient(10)))["payload"]
            except ConnectionClosed as closed:
                return None if closed.rcvd is None else closed.rcvd.code
