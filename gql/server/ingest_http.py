"""Ingest readings over plain HTTP, for devices that speak no GraphQL; accepted and answered as by the mutation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from domain.base.errors import RateLimitedError
from domain.base.quotas import whole_seconds
from domain.telemetry.ingest.accept import Acceptance
from domain.telemetry.ingest.transports import forms
from domain.telemetry.ingest.transports.forms import Form, form_of
from domain.telemetry.ingest.transports.plain import plain_add
from domain.telemetry.ingest.transports.sent import Sent
from domain.telemetry.model.readings import UserError, readings_count_check
from gql.access.auth import bearer_of, challenge
from gql.access.principal import Principal
from gql.access.trace import trace_id_of
from gql.base.services import Services
from gql.errors import DEFECT_MESSAGE
from gql.server.bodies import OFF_LOOP_BYTES, body_read
from gql.server.failures import CODE_STATUS
from gql.server.json_numbers import readings_json_loads
from gql.server.json_sizes import json_size_check
from graph.errors import ArgusError, BadInputError, UnavailableError

_NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_FORMS = {"application/senml+json": Form.SENML}
_JSON = frozenset({"application/json", "text/json", ""})
_RETRY_AFTER_S = 1
_THREADS: Final = 2
_NOTHING_TAKEN = 422
# A database that is frozen is noticed within 6 s; who waits for it then, connects again first.
ANSWER_WITHIN_S: Final = 9.0
LATE_MESSAGE: Final = (
    "The database did not answer in time. Send this again: readings that were stored are then recognised as repeats."
)
# Nobody is there to be answered.
_GONE = 499

_log = structlog.get_logger(__name__)


class IngestOverHttp:
    """Answers POST on the ingest addresses."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bodies")

    def stop(self) -> None:
        """Take no more."""
        self._threads.shutdown(wait=False)

    async def answer(self, http: Request) -> Response:
        """Answer a call with the token in its header."""
        return await self._answer(http, None, None)

    async def answer_thingsboard(self, http: Request) -> Response:
        """Answer a call as ThingsBoard's devices make it, with the token in the address."""
        return await self._answer(http, http.path_params["token"], Form.THINGSBOARD)

    async def _answer(self, http: Request, token: str | None, form: Form | None) -> Response:
        trace_id = trace_id_of(http)
        return await http_guarded(
            partial(self._answered, http, token, form, trace_id),
            trace_id=trace_id,
            has_token=token is not None or "authorization" in http.headers,
            defect="ingest.defect",
        )

    async def _answered(self, http: Request, token: str | None, form: Form | None, trace_id: str) -> Response:
        # Authentication, directory and commit wait for the same database: together no longer than this.
        async with asyncio.timeout(ANSWER_WITHIN_S) as limit:
            sent, done = await self._taken(http, token, form, trace_id, limit)
        _log.debug("readings_accepted", trace_id=trace_id, accepted=done.accepted, rejected=done.rejected)
        rejected = done.rejected + len(sent.errors)
        errors = sent.located_errors(done.errors)
        answer = {
            "accepted": done.accepted,
            "rejected": rejected,
            "duplicates": done.duplicates,
            "errors": _errors(errors),
        }
        status = _NOTHING_TAKEN if rejected and not done.accepted else 200
        if done.retry_after_s is None:
            return http_response(status, answer, trace_id)
        # Where nothing else is wrong, a device knows from the status alone what to do.
        if not done.accepted and all(error.code == "RATE_LIMITED" for error in errors):
            status = CODE_STATUS["RATE_LIMITED"]
        return http_response(status, answer, trace_id, _retry_after(done.retry_after_s))

    async def _taken(
        self, http: Request, token: str | None, form: Form | None, trace_id: str, limit: asyncio.Timeout
    ) -> tuple[Sent, Acceptance]:
        """Return what a call sent and what became of it. limit: paused while the client sends its body."""
        token = token or bearer_of(http.headers.get("authorization"))
        bearer = await self._services.gate.admit(http, token)
        principal = self._services.denials.permit(bearer, root="Mutation", field="ingestTelemetry")
        loop = asyncio.get_running_loop()
        left_s = (limit.when() or loop.time()) - loop.time()
        limit.reschedule(None)
        raw = await body_read(http, may_be_packed=True)
        limit.reschedule(loop.time() + left_s)
        now_s = self._services.clock().timestamp()
        if len(raw) <= OFF_LOOP_BYTES:
            sent = _sent(http, raw, form, now_s, principal)
        else:
            sent = await loop.run_in_executor(self._threads, _sent, http, raw, form, now_s, principal)
        done = await self._services.acceptor.accept(
            readings=sent.readings,
            organization_id=principal.organization_id,
            own_device_id=principal.device_id,
            under=principal.under,
            transport="http",
            trace_id=trace_id,
        )
        return sent, done


def _sent(http: Request, raw: bytes, form: Form | None, now_s: float, principal: Principal) -> Sent:
    content_type = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type in _NDJSON:
        return _lines(raw)
    if content_type not in _JSON and content_type not in _FORMS:
        known = ", ".join(sorted({"application/json", "application/x-ndjson", *_FORMS}))
        raise BadInputError(f"The body is one of {known}.", code="UNSUPPORTED")
    json_size_check(raw)
    try:
        body = readings_json_loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadInputError(f"The body is no JSON: {error}.", path=("body",)) from None
    form = _format_of(http) or form or _FORMS.get(content_type) or form_of(body)
    return forms.body_read(body, form, now_s=now_s, own=principal.device_id is not None)


def _format_of(http: Request) -> Form | None:
    text = http.query_params.get("format")
    if text is None:
        return None
    try:
        return Form(text)
    except ValueError:
        raise BadInputError(f"format is one of {', '.join(Form)}; it was {text!r}.", path=("format",)) from None


def _lines(raw: bytes) -> Sent:
    json_size_check(raw)
    sent = Sent()
    lines = [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    readings_count_check(len(lines))
    for number, line in lines:
        try:
            plain_add(sent, readings_json_loads(line), str(number))
        except orjson.JSONDecodeError as error:
            sent.refuse("BAD_USER_INPUT", f"The line is no JSON: {error}.", str(number))
    return sent


def _errors(errors: Sequence[UserError]) -> list[dict[str, Any]]:
    return [{"code": error.code, "message": error.message, "path": list(error.path)} for error in errors]


async def http_guarded(
    answer: Callable[[], Awaitable[Response]], *, trace_id: str, has_token: bool, defect: str
) -> Response:
    """Return an answer, or the refusal for what it raises.

    has_token: a token came with the call. defect: the event by which the unexpected is logged.
    """
    try:
        return await answer()
    except TimeoutError:
        return http_refusal(UnavailableError(LATE_MESSAGE), trace_id)
    except ArgusError as error:
        return http_refusal(error, trace_id, has_token=has_token)
    except ClientDisconnect:
        return Response(status_code=_GONE)
    except Exception:  # noqa: BLE001  (masked, logged, traceable)
        _log.exception(defect, trace_id=trace_id)
        return http_refusal(ArgusError(DEFECT_MESSAGE), trace_id)


def http_refusal(error: ArgusError, trace_id: str, *, has_token: bool = False) -> Response:
    """Return the answer to a call of which nothing was taken. has_token: a token came with it."""
    headers: dict[str, str] = {}
    if error.code == "UNAUTHENTICATED":
        headers["WWW-Authenticate"] = challenge(has_token=has_token)
    if isinstance(error, RateLimitedError):
        headers |= _retry_after(error.retry_after_s)
    elif error.code == "UNAVAILABLE":
        headers["Retry-After"] = str(_RETRY_AFTER_S)
    code = "BAD_USER_INPUT" if error.code == "UNSUPPORTED" else error.code
    located_errors = _errors([UserError(code, error.message, error.path)])
    answer = {"accepted": 0, "rejected": 0, "duplicates": 0, "errors": located_errors}
    return http_response(CODE_STATUS.get(error.code, 400), answer, trace_id, headers)


def _retry_after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(whole_seconds(seconds))}


def http_response(
    status: int, answer: Mapping[str, Any], trace_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer in JSON."""
    return Response(
        orjson.dumps(answer),
        status,
        media_type="application/json",
        headers={"X-Trace-Id": trace_id, "Cache-Control": "no-store", **(headers or {})},
    )
