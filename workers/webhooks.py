"""Calls a webhook: one POST, to an address that was looked at, within bounds of time and size."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Final

from domain.notifications.address import Allowed, Destination, address_refused, destination_of
from graph.errors import BadInputError

# For connecting, and for each wait for the other side.
TIMEOUT_S: Final = 5.0
# For all of a call.
TOTAL_S: Final = 10.0
# Of an answer nothing but its status is used.
ANSWER_MAX_BYTES: Final = 65_536
_OK: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)


class _Connection(http.client.HTTPConnection):
    """A connection to an address that is known already, not to whatever the host's name may mean by then."""

    def __init__(self, there: Destination, address: str) -> None:
        super().__init__(there.host, there.port, timeout=TIMEOUT_S)
        self._address = address
        self._tls = ssl.create_default_context() if there.scheme == "https" else None
        # Kept here: http.client lets go of its own while it still reads the answer.
        self._open: socket.socket | None = None
        self.is_cut = False

    def connect(self) -> None:
        """Connect to the address; a certificate must be the host's."""
        found = self._open = socket.create_connection((self._address, self.port), timeout=TIMEOUT_S)
        if self._tls is not None:
            wrapped = self._tls.wrap_socket(found, server_hostname=self.host, do_handshake_on_connect=False)
            found = self._open = wrapped
            wrapped.do_handshake()
        self.sock = found

    def cut(self) -> None:
        """End whatever waits for the other side. From another thread."""
        self.is_cut = True
        if self._open is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)


def webhook_call(url: str, *, body: bytes, headers: Mapping[str, str], allowed: Allowed) -> str | None:
    """Send a POST; return why it was not taken, or None. Redirects are not followed.

    The host's name is looked up once; where any of its addresses is refused nothing is sent.
    """
    try:
        there = destination_of(url)
        addresses = _addresses(there.host, there.port)
    except (BadInputError, OSError, UnicodeError) as fault:
        # UnicodeError: of a label too long for a name of the DNS.
        return f"There is no such place: {fault}"
    for address in addresses:
        refused = address_refused(address, host=there.host, allowed=allowed)
        if refused is not None:
            return refused
    return _exchange(_Connection(there, addresses[0]), there, body, headers)


def _exchange(connection: _Connection, there: Destination, body: bytes, headers: Mapping[str, str]) -> str | None:
    # A side that sends a byte now and then never runs into the timeout of one wait.
    watch = threading.Timer(TOTAL_S, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", there.target, body=body, headers=dict(headers))
        response = connection.getresponse()
        # The rest of a longer answer is left unread: what counts is its status.
        response.read(ANSWER_MAX_BYTES)
    except (OSError, http.client.HTTPException) as fault:
        return _slow() if connection.is_cut else f"No answer: {type(fault).__name__}: {fault}"
    finally:
        watch.cancel()
        connection.close()
    if connection.is_cut:
        return _slow()
    if response.status in _REDIRECTS:
        return f"The answer is {response.status}; redirects are not followed."
    return None if response.status in _OK else f"The answer is {response.status}."


def _slow() -> str:
    return f"The call took longer than {TOTAL_S:g} s."


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(each[4][0]) for each in found))
