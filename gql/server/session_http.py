"""Sign in and out of the console: by a token that is pasted, by a link, or at an identity provider.

What is signed in is a cookie of the browser; nothing is stored here. Each call counts as one without a token, so that
guessing is limited as it is everywhere else.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain.base.errors import RateLimitedError
from domain.base.quotas import whole_seconds
from gql.access.auth import challenge
from gql.access.oidc import Provider
from gql.access.principal import Principal, Role
from gql.access.sign_in import (
    LINK_S,
    SESSION_BY_LINK_S,
    SESSION_S,
    SIGN_IN_S,
    Signer,
    Use,
)
from gql.access.trace import trace_id_of
from gql.base.services import Services
from gql.errors import DEFECT_MESSAGE, ForbiddenError, UnauthenticatedError, transport_error
from gql.server.bodies import body_read
from gql.server.console import page
from gql.server.failures import STATUS
from graph.errors import ArgusError, BadInputError, NotFoundError

_BODY_MAX_BYTES: Final = 16 * 1024
_RETRY_AFTER_S: Final = "2"
_GONE: Final = 499
_CALLBACK: Final = "sign-in/callback"
_SAFE: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_USED: Final = "This link was used before."

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInWays:
    """How people sign in.

    signer: of sessions and links; None: no process has a secret for it. provider: where they do; None: nowhere.
    public_url: where browsers find this Argus, with a slash at the end. has_links: whether links are handed out here.
    once: tells whether something is used for the first time, and remembers it so long. Raises UnavailableError.
    """

    signer: Signer | None = None
    provider: Provider | None = None
    public_url: str | None = None
    has_links: bool = False
    once: Callable[[str, float], Awaitable[bool]] | None = None


class SessionOverHttp:
    """Answers what the console's sign-in page calls."""

    def __init__(self, services: Services, ways: SignInWays) -> None:
        self._services = services
        self._ways = ways

    @property
    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/session", self._guarded(self._show), methods=["GET"]),
            Route("/session", self._guarded(self._begin), methods=["POST"]),
            Route("/session/end", self._guarded(self._end), methods=["POST"]),
            Route("/sign-in", self._guarded(self._link, is_page=True), methods=["GET"]),
            Route("/sign-in/start", self._guarded(self._start, is_page=True), methods=["GET"]),
            Route("/sign-in/callback", self._guarded(self._callback, is_page=True), methods=["GET"]),
        ]

    def _guarded(
        self, answer: Callable[[Request], Awaitable[Response]], *, is_page: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers a request, or refuses it: in JSON, or with a page for people."""

        async def guarded(http: Request) -> Response:
            try:
                return await answer(http)
            except ClientDisconnect:
                return Response(status_code=_GONE)
            except ArgusError as error:
                return _refusal_page(error, http) if is_page else _refusal(error, trace_id_of(http))
            except Exception:  # noqa: BLE001  (masked, logged, traceable)
                trace_id = trace_id_of(http)
                _log.exception("session.defect", trace_id=trace_id)
                defect = ArgusError(DEFECT_MESSAGE)
                return _refusal_page(defect, http) if is_page else _refusal(defect, trace_id)

        return guarded

    async def _show(self, http: Request) -> Response:
        """Say who is signed in, and how one can sign in."""
        cookies = self._services.cookies
        token = cookies.session(http)
        bearer, is_over = None, False
        try:
            bearer = await self._services.gate.admit(http, token)
        except UnauthenticatedError:
            is_over = True
        response = self._state(bearer)
        if is_over:
            cookies.session_clear(response)
        return response

    async def _begin(self, http: Request) -> Response:
        """Sign in by a token that the user has."""
        cookies, gate = self._services.cookies, self._services.gate
        cookies.own_page_check(http)
        # Before anything is read of it: who has sent too many bad ones waits.
        gate.address_check(http)
        if http.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise BadInputError("The body must be application/json.", code="UNSUPPORTED")
        token = _token_in(await body_read(http, most=_BODY_MAX_BYTES))
        bearer = await gate.admit(http, token)
        assert bearer is not None  # noqa: S101  (there is a token)
        if bearer.role is Role.DEVICE:
            raise ForbiddenError("This is a device's token; the console is for people.")
        response = self._state(bearer)
        cookies.session_set(http, response, token, expires_at=bearer.expires_at)
        return response

    async def _end(self, http: Request) -> Response:
        """Sign out."""
        self._services.cookies.own_page_check(http)
        response = self._state(None)
        self._services.cookies.session_clear(response)
        return response

    async def _link(self, http: Request) -> Response:
        """Sign in by a link that was printed."""
        signer, cookies, verifier = self._ways.signer, self._services.cookies, self._services.verifier
        await self._services.gate.admit(http, None)
        cookies.own_page_check(http)
        if signer is None or not self._ways.has_links:
            raise NotFoundError("Nobody signs in by a link here.")
        claims = signer.read(Use.LINK, http.query_params.get("code", ""))
        bearer = await verifier.bearer_of_session(claims)
        response = _redirect("./")
        if not await self._is_first(claims["jti"], LINK_S):
            await self._signed_in_check(http)
            return response
        session = signer.session(bearer, claims["org"], lifetime_s=SESSION_BY_LINK_S)
        cookies.session_set(http, response, session, expires_at=time.time() + SESSION_BY_LINK_S)
        return response

    async def _signed_in_check(self, http: Request) -> None:
        """Raise UnauthenticatedError where a link was used by another browser than this one."""
        token = self._services.cookies.session(http)
        if token is None:
            raise UnauthenticatedError(_USED)
        await self._services.gate.admit(http, token)

    async def _start(self, http: Request) -> Response:
        """Send the browser to the identity provider."""
        signer, provider = self._with_provider()
        await self._services.gate.admit(http, None)
        begun = await provider.begin(self._redirect_uri)
        response = _redirect(begun.url)
        remembered = signer.sign(Use.SIGN_IN, begun.remembered, lifetime_s=SIGN_IN_S)
        self._services.cookies.sign_in_set(http, response, remembered, lasts_s=SIGN_IN_S)
        return response

    async def _callback(self, http: Request) -> Response:
        """Take the browser back from the identity provider."""
        signer, provider = self._with_provider()
        cookies, verifier = self._services.cookies, self._services.verifier
        await self._services.gate.admit(http, None)
        token = cookies.sign_in(http)
        if token is None:
            raise UnauthenticatedError("The sign-in was not begun in this browser, or took too long. Try again.")
        remembered = signer.read(Use.SIGN_IN, token)
        answer = {name: http.query_params.get(name, "") for name in http.query_params}
        # A state that does not fit uses nothing up.
        provider.state_check(answer, remembered)
        if not await self._is_first(remembered["jti"], SIGN_IN_S):
            raise UnauthenticatedError("The sign-in was completed before. Try again.")
        claims = await provider.finish(answer, remembered, self._redirect_uri)
        bearer = await verifier.bearer_of_claims(claims)
        session = signer.session(bearer, verifier.organization_of(claims), lifetime_s=SESSION_S)
        response = _redirect("../")
        cookies.session_set(http, response, session, expires_at=time.time() + SESSION_S)
        cookies.sign_in_clear(response)
        return response

    async def _is_first(self, identity: str, lifetime_s: float) -> bool:
        once = self._ways.once
        return once is None or await once(identity, lifetime_s)

    def _with_provider(self) -> tuple[Signer, Provider]:
        if self._ways.signer is None or self._ways.provider is None:
            raise NotFoundError("No identity provider is set (ARGUS_OIDC_ISSUER).")
        return self._ways.signer, self._ways.provider

    @property
    def _redirect_uri(self) -> str:
        return f"{self._ways.public_url}{_CALLBACK}"

    def _state(self, bearer: Principal | None) -> Response:
        provider = self._ways.provider
        body: dict[str, Any] = {
            "signedIn": bearer is not None,
            **_who(bearer),
            "ways": {
                "token": True,
                "link": self._ways.has_links and self._ways.signer is not None,
                "provider": None if provider is None else {"name": provider.name, "start": "sign-in/start"},
            },
        }
        return Response(orjson.dumps(body), media_type="application/json", headers=_SAFE)


def _who(bearer: Principal | None) -> Mapping[str, Any]:
    if bearer is None:
        return dict.fromkeys(("subject", "organization", "role", "under", "expiresAt"))
    expires_at = None if bearer.expires_at is None else datetime.fromtimestamp(int(bearer.expires_at), UTC)
    return {
        "subject": bearer.subject,
        "organization": {"id": str(bearer.organization_public_id), "name": bearer.organization_name},
        "role": bearer.role.value,
        "under": None if bearer.under is None else [str(entity) for entity in bearer.under],
        "expiresAt": None if expires_at is None else expires_at.isoformat().replace("+00:00", "Z"),
    }


def _token_in(raw: bytes) -> str:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadInputError(f"The body is no JSON: {error}.", path=("body",)) from None
    token = body.get("token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token.strip():
        raise BadInputError("The body must be an object with a token.", path=("token",))
    token = token.strip()
    if not token.isascii() or not token.isprintable() or set(token) & set(' ",;\\'):
        raise UnauthenticatedError("The token is not valid: it has characters that no token has.")
    return token


def _redirect(address: str) -> Response:
    return Response(status_code=303, headers={**_SAFE, "Location": address})


def _refusal(error: ArgusError, trace_id: str) -> Response:
    headers = {**_SAFE, "X-Trace-Id": trace_id, **_headers_of(error)}
    code = "BAD_USER_INPUT" if error.code == "UNSUPPORTED" else error.code
    body = orjson.dumps(transport_error(code, error.message))
    return Response(body, _status(error), media_type="application/json", headers=headers)


def _refusal_page(error: ArgusError, http: Request) -> Response:
    up = "./" if http.url.path == "/sign-in" else "../"
    state = f'<p>{escape(error.message)}</p><p><a href="{up}">To the console</a></p>'
    response = page(state, title="Not signed in", status=_status(error))
    response.headers.update({**_SAFE, **_headers_of(error)})
    return response


def _headers_of(error: ArgusError) -> dict[str, str]:
    if isinstance(error, RateLimitedError):
        return {"Retry-After": str(whole_seconds(error.retry_after_s))}
    if error.code == "UNAUTHENTICATED":
        return {"WWW-Authenticate": challenge(has_token=True)}
    return {"Retry-After": _RETRY_AFTER_S} if error.code == "UNAVAILABLE" else {}


def _status(error: ArgusError) -> int:
    if error.code == "NOT_FOUND":
        return 404
    return STATUS.get(error.code, 500 if type(error) is ArgusError else 400)
