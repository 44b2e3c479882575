"""The cookie of a session: a bearer's token that a browser sends by itself, and to pages of its own origin alone.

`SameSite=Strict` excludes other sites, and JavaScript cannot read it. What is left are pages of the same site, such as
those of another port or a neighbouring host: their requests say where they come from.
"""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from gql.access.auth import bearer_of
from gql.access.gate import Gate
from gql.errors import ForbiddenError
from graph.errors import LimitExceededError

# What every such cookie's name begins with, after the prefix of those for https alone.
COOKIE: Final = "argus_session"
# Browsers take 4,096 bytes with the name and what else is said of it.
_TOKEN_CHARS_MAX: Final = 3_800
_SECURE: Final = "__Host-"
_SIGN_IN: Final = "argus_sign_in"
_FOREIGN: Final = (
    "The session is for pages of this Argus alone, and this request comes from another one. Behind a proxy that "
    "changes the header Host: see ARGUS_TRUSTED_PROXIES and ARGUS_PUBLIC_URL."
)
# Of a token that does not expire by itself.
_LONGEST_S: Final = 30 * 24 * 3600


class Cookies:
    """Reads and sets the cookies of one Argus.

    identity: tells them from those of another on the same host. public_url: where browsers find it; None: not known.
    """

    def __init__(self, gate: Gate, *, identity: str = "", public_url: str | None = None) -> None:
        self._gate = gate
        own = f"_{identity}" if identity else ""
        self._session, self._sign_in = COOKIE + own, _SIGN_IN + own
        self._public = None if public_url is None else urlsplit(public_url)

    def credentials(self, connection: HTTPConnection) -> str | None:
        """Return the token of a request: of its header Authorization, or else of its cookie; None without either.

        Raises UnauthenticatedError for any other scheme than Bearer, ForbiddenError where a page of elsewhere sent it.
        """
        header = connection.headers.get("authorization")
        return self.session(connection) if header is None else bearer_of(header)

    def session(self, connection: HTTPConnection) -> str | None:
        """Return the token of the cookie. Raises ForbiddenError where a page of elsewhere sent it."""
        name, token = self._named(connection, self._session)
        if token is None:
            return None
        self.own_page_check(connection, is_secure=name.startswith(_SECURE))
        return token

    def own_page_check(self, connection: HTTPConnection, *, is_secure: bool = False) -> None:
        """Raise ForbiddenError where a page of elsewhere sent a request. is_secure: pages without https are elsewhere.

        Programs that are no browser say nothing of it, and no browser can be made to send what it is not asked for.
        """
        site = connection.headers.get("sec-fetch-site")
        origin = connection.headers.get("origin")
        if site is not None:
            is_own = site in {"same-origin", "none"}
        elif origin is None:
            is_own = True
        else:
            parts = urlsplit(origin)
            is_own = parts.netloc.lower() in self._hosts(connection) and (parts.scheme == "https" or not is_secure)
        if not is_own:
            raise ForbiddenError(_FOREIGN)

    def sign_in(self, connection: HTTPConnection) -> str | None:
        """Return what this browser was given when it began to sign in."""
        return self._named(connection, self._sign_in)[1]

    def session_set(
        self, connection: HTTPConnection, response: Response, token: str, *, expires_at: float | None
    ) -> None:
        """Let the browser keep a session. Raises LimitExceededError where its token is too long for that."""
        if len(token) > _TOKEN_CHARS_MAX:
            message = f"This token is longer than a browser keeps ({_TOKEN_CHARS_MAX} characters)."
            raise LimitExceededError(message, path=("token",))
        lasts_s = _LONGEST_S if expires_at is None else min(max(int(expires_at - time.time()), 0), _LONGEST_S)
        self._set(connection, response, self._session, token, lasts_s=lasts_s, same_site="strict")

    def sign_in_set(self, connection: HTTPConnection, response: Response, token: str, *, lasts_s: float) -> None:
        """Let the browser keep what the end of a sign-in is compared with: it comes back from another site."""
        self._set(connection, response, self._sign_in, token, lasts_s=int(lasts_s), same_site="lax")

    def session_clear(self, response: Response) -> None:
        """Let the browser forget the session."""
        self._clear(response, self._session)

    def sign_in_clear(self, response: Response) -> None:
        """Let the browser forget the sign-in."""
        self._clear(response, self._sign_in)

    def is_secure(self, connection: HTTPConnection) -> bool:
        """Return whether the browser reaches this Argus by https."""
        if self._public is not None:
            return self._public.scheme == "https"
        scheme = self._gate.of_proxy(connection, "x-forwarded-proto") or connection.headers.get("origin", "")
        return connection.url.scheme in {"https", "wss"} or scheme.startswith("https")

    def _named(self, connection: HTTPConnection, name: str) -> tuple[str, str | None]:
        # Nearly all requests of programs end here.
        if name not in connection.headers.get("cookie", ""):
            return name, None
        # Over https the prefixed one alone: a neighbouring host can plant a cookie of any other name.
        names = (_SECURE + name,) if self.is_secure(connection) else (_SECURE + name, name)
        for full in names:
            if token := connection.cookies.get(full):
                return full, token
        return name, None

    def _set(
        self, connection: HTTPConnection, response: Response, name: str, value: str, *, lasts_s: int, same_site: str
    ) -> None:
        secure = self.is_secure(connection)
        response.set_cookie(
            _SECURE + name if secure else name,
            value,
            max_age=lasts_s,
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax" if same_site == "lax" else "strict",
        )

    @staticmethod
    def _clear(response: Response, name: str) -> None:
        for full, secure in ((_SECURE + name, True), (name, False)):
            response.delete_cookie(full, path="/", secure=secure, httponly=True, samesite="strict")

    def _hosts(self, connection: HTTPConnection) -> set[str]:
        """Return the hosts that this Argus goes by, for this request."""
        named = (connection.headers.get("host"), self._gate.of_proxy(connection, "x-forwarded-host"))
        hosts = {host.lower() for host in named if host}
        return hosts if self._public is None else {*hosts, self._public.netloc.lower()}
