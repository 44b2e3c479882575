"""Signing in to the console: by a token, by a link, at an identity provider; and what its cookie is good for."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from argus.tokens import link_create
from gql.access.sign_in import Use
from gql.base.services import Services
from runtime.settings.model import OidcSettings, RateSettings, TokenSettings
from testing.api import SECRET, Api, api_serve, bounds
from testing.browsers import VIEWER, Answer, Browser
from testing.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, identity_provider
from testing.servers import TestServers
from testing.waits import patient

PUBLIC = "http://plant.example/argus/"


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as running:
        yield running


@pytest.fixture(scope="module")
def served(servers: TestServers, provider: IdentityProvider) -> Iterator[Api]:
    oidc = OidcSettings(provider.issuer, CLIENT_ID, CLIENT_SECRET, "openid email")
    tokens = TokenSettings(SECRET, None, None, None, session_secret="another", oidc=oidc, public_url=PUBLIC)
    database = servers.database_create()
    try:
        with api_serve(database, servers.bus_server.url, tokens=tokens) as api:
            api.organization("plant")
            api.organization("other")
            yield api
    finally:
        servers.database_drop(database)


@pytest.fixture
def api(served: Api, provider: IdentityProvider) -> Api:
    provider.reset()
    provider.user = {"sub": "anna", "org": "plant", "role": "operator"}
    return served


@pytest.fixture
def browser(api: Api) -> Browser:
    return Browser(api.port)


def session_of(answer: Answer) -> tuple[Any, ...]:
    body = answer.body
    return body["signedIn"], body["subject"], body["role"], (body["organization"] or {}).get("name")


# By a token


def test_nobody_is_signed_in_at_first_and_the_ways_are_named(browser: Browser) -> None:
    answer = browser.request("GET", "/session")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.body == {
        "signedIn": False, "subject": None, "organization": None, "role": None, "under": None, "expiresAt": None,
        "ways": {"token": True, "link": True, "provider": {"name": "127.0.0.1", "start": "sign-in/start"}},
    }  # fmt: skip


def test_a_pasted_token_signs_in_until_it_expires(api: Api, browser: Browser) -> None:
    answer = browser.sign_in(f" {api.token('plant', 'operator')}\n")
    assert session_of(answer) == (True, "operator@test", "operator", "plant")
    assert session_of(browser.request("GET", "/session")) == (True, "operator@test", "operator", "plant")
    assert answer.body["expiresAt"].endswith("Z")
    ((name, morsel),) = SimpleCookie(answer.headers["Set-Cookie"]).items()
    assert name.startswith("argus_session_")
    assert (morsel["httponly"], morsel["samesite"].lower(), morsel["path"], morsel["secure"]) == (
        True,
        "strict",
        "/",
        "",
    )
    assert 3500 < int(morsel["max-age"]) <= 3600
    assert browser.graphql().body["data"]["viewer"] == {"subject": "operator@test", "role": "operator"}
    assert (
        browser.request("GET", f"/graphql?{urlencode({'query': VIEWER})}").body["data"]["viewer"]["role"] == "operator"
    )
    assert browser.socket(Origin=f"http://127.0.0.1:{api.port}")["data"]["viewer"]["role"] == "operator"


def test_signing_out_clears_the_cookie(api: Api, browser: Browser) -> None:
    browser.sign_in(api.token("plant", "viewer"))
    assert browser.cookies
    assert session_of(browser.request("POST", "/session/end")) == (False, None, None, None)
    assert not browser.cookies
    assert browser.graphql().code == "UNAUTHENTICATED"


def test_a_header_goes_before_the_cookie(api: Api, browser: Browser) -> None:
    browser.sign_in(api.token("plant", "viewer"))
    answer = browser.graphql(Authorization=f"Bearer {api.token('plant', 'admin')}")
    assert answer.body["data"]["viewer"]["role"] == "admin"
    assert browser.graphql(Authorization="Bearer wrong").code == "UNAUTHENTICATED"
    assert browser.cookies


def test_an_api_key_signs_in_and_a_devices_token_does_not(api: Api, browser: Browser) -> None:
    admin = api.client("plant")
    made = admin.call('mutation { createApiKey(input: {name: "board", role: "viewer"}) { key errors { code } } }')
    answer = browser.sign_in(made.data["createApiKey"]["key"])
    assert session_of(answer)[1:3] == ("key:board", "viewer")
    assert answer.body["expiresAt"] is None
    device = admin.call('mutation { createDevice(input: {name: "meter"}) { device { id } errors { code } } }')
    issued = admin.call(
        "mutation I($id: ID!) { issueDeviceToken(deviceId: $id) { token } }",
        {"id": device.data["createDevice"]["device"]["id"]},
    )
    other = Browser(api.port)
    assert other.sign_in(issued.data["issueDeviceToken"]["token"]).code == "FORBIDDEN"
    assert not other.cookies


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"token": "wrong"}, 401, "UNAUTHENTICATED"), ({"token": "a b"}, 401, "UNAUTHENTICATED"),
        ({"token": "ä"}, 401, "UNAUTHENTICATED"), ({"token": "x" * 9000}, 401, "UNAUTHENTICATED"),
        ({"token": 7}, 400, "BAD_USER_INPUT"), ({}, 400, "BAD_USER_INPUT"), ([], 400, "BAD_USER_INPUT"),
        (b"{", 400, "BAD_USER_INPUT"), ({"token": "x" * 20_000}, 413, "LIMIT_EXCEEDED"),
    ],
)  # fmt: skip
def test_what_is_no_good_token_is_refused(browser: Browser, body: Any, status: int, code: str) -> None:
    answer = browser.request("POST", "/session", body)
    assert (answer.status, answer.code) == (status, code)
    assert not browser.cookies


def test_a_form_of_another_page_cannot_sign_in(api: Api, browser: Browser) -> None:
    token = api.token("plant", "viewer")
    answer = browser.request("POST", "/session", f'{{"token": "{token}"}}'.encode(), Content_Type="text/plain")
    assert (answer.status, answer.code) == (415, "BAD_USER_INPUT")
    assert browser.sign_in(token, Origin="http://elsewhere.example").code == "FORBIDDEN"
    assert browser.sign_in(token, Origin="null").code == "FORBIDDEN"
    assert not browser.cookies


def test_other_methods_are_refused(browser: Browser) -> None:
    assert browser.request("PUT", "/session").status == 405
    assert browser.request("GET", "/session/end").status == 405
    assert browser.request("POST", "/sign-in/callback").status == 405


def test_two_organizations_have_a_session_each(api: Api, browser: Browser) -> None:
    other = Browser(api.port)
    browser.sign_in(api.token("plant", "admin"))
    other.sign_in(api.token("other", "admin"))
    assert session_of(browser.request("GET", "/session"))[3] == "plant"
    assert session_of(other.request("GET", "/session"))[3] == "other"
    made = browser.graphql('mutation { createAsset(input: {name: "pump"}) { asset { id } errors { code } } }').body
    assert made["data"]["createAsset"]["errors"] == []
    assert browser.graphql("{ assets { totalCount } }").body["data"]["assets"]["totalCount"] == 1
    assert other.graphql("{ assets { totalCount } }").body["data"]["assets"]["totalCount"] == 0


# Requests of other pages


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": "null"},
        {"Origin": None, "Sec_Fetch_Site": "cross-site"}, {"Origin": None, "Sec_Fetch_Site": "same-site"},
    ],
)  # fmt: skip
def test_the_cookie_is_for_pages_of_its_own_origin(api: Api, browser: Browser, headers: dict[str, str | None]) -> None:
    browser.sign_in(api.token("plant", "admin"))
    answer = browser.graphql(VIEWER, **headers)
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert browser.request("POST", "/session/end", **headers).code == "FORBIDDEN"
    assert browser.cookies
    sent = {name: value for name, value in headers.items() if value is not None}
    assert browser.socket(**sent) == 4403
    # With a token of its own it may.
    assert browser.graphql(VIEWER, **headers, Authorization=f"Bearer {api.token('plant', 'admin')}").status == 200


def test_own_pages_and_programs_may(api: Api, browser: Browser) -> None:
    browser.sign_in(api.token("plant", "admin"))
    assert browser.graphql(Sec_Fetch_Site="same-origin").status == 200
    assert browser.graphql(Origin=None).status == 200
    # The address that browsers have, where a proxy changes the header Host.
    assert browser.graphql(Origin="http://plant.example").status == 200
    assert browser.socket()["data"]["viewer"]["role"] == "admin"


def test_bodies_that_forms_can_send_are_not_taken(api: Api, browser: Browser) -> None:
    browser.sign_in(api.token("plant", "admin"))
    answer = browser.request("POST", "/graphql", f'{{"query": "{VIEWER}"}}'.encode(), Content_Type="text/plain")
    assert answer.status == 415
    query = urlencode({"query": "mutation { endOwnSessions { errors { code } } }"})
    assert browser.request("GET", f"/graphql?{query}").status == 405


# A session's end


def test_a_session_that_was_ended_is_refused_as_tokens_are(api: Api, browser: Browser) -> None:
    token = jwt.encode(
        {"sub": "eva", "org": "plant", "role": "admin", "iat": time.time() - 60, "exp": time.time() + 600}, SECRET
    )
    browser.sign_in(token)
    assert browser.graphql().body["data"]["viewer"]["subject"] == "eva"
    answer = browser.graphql("mutation { endOwnSessions { errors { code } } }").body
    assert answer["data"]["endOwnSessions"]["errors"] == []
    deadline = time.monotonic() + patient(10)
    while (refused := browser.graphql()).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert refused.code == "UNAUTHENTICATED"
    # The browser has forgotten it, so that what needs no token works again.
    assert not browser.cookies
    assert browser.graphql("{ __typename }").status == 200


def test_a_cookie_that_is_over_is_said_to_be_no_session(browser: Browser) -> None:
    name = f"argus_session_{'0' * 8}"
    browser.cookies = {name: "x"}
    assert browser.request("GET", "/session").body["signedIn"] is False


def test_guessing_is_limited(servers: TestServers) -> None:
    database = servers.database_create()
    try:
        limited = bounds(rate_address=RateSettings(1, 20))
        with api_serve(database, servers.bus_server.url, api=limited) as api:
            api.organization("plant")
            browser = Browser(api.port)
            statuses = [browser.sign_in(f"guess{number}").status for number in range(30)]
            assert statuses[0] == 401
            assert statuses[-1] == 429
            for path in ("/session", "/sign-in?code=x", "/sign-in/start"):
                answer = browser.request("GET", path)
                assert answer.status in {429, 404}, path
            assert int(browser.sign_in("again").headers["Retry-After"]) >= 1
    finally:
        servers.database_drop(database)


# By a link


def link_path(api: Api, **changed: Any) -> str:
    url = link_create(
        api.settings, address="http://x/",
        **{"organization": "plant", "role": "admin", "subject": "argus up", **changed},
    )  # fmt: skip
    return url.removeprefix("http://x")


def test_a_link_signs_in_once(api: Api, browser: Browser) -> None:
    path = link_path(api)
    answer = browser.request("GET", path, Sec_Fetch_Site="none")
    assert (answer.status, answer.headers["Location"], answer.headers["Referrer-Policy"]) == (303, "./", "no-referrer")
    assert session_of(browser.request("GET", "/session")) == (True, "argus up", "admin", "plant")
    assert browser.graphql().body["data"]["viewer"]["subject"] == "argus up"
    assert browser.socket()["data"]["viewer"]["subject"] == "argus up"
    # The browser that is signed in is taken there again, another one is not.
    assert browser.request("GET", path).status == 303
    other = Browser(api.port)
    answer = other.request("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (401, "text/html; charset=utf-8")
    assert b"used before" in answer.raw
    assert not other.cookies


@pytest.mark.parametrize("code", ["", "x", "a.b.c", "argus-session.x"])
def test_what_is_no_link_is_refused(browser: Browser, code: str) -> None:
    assert browser.request("GET", f"/sign-in?code={code}").status == 401
    assert not browser.cookies


def test_tokens_of_one_use_are_none_of_another(api: Api, browser: Browser) -> None:
    path = link_path(api)
    code = path.partition("code=")[2]
    assert browser.sign_in(f"argus-session.{code}").code == "UNAUTHENTICATED"
    browser.request("GET", path)
    (session,) = browser.cookies.values()
    other = Browser(api.port)
    assert other.request("GET", f"/sign-in?code={session.removeprefix('argus-session.')}").status == 401
    assert other.request("GET", f"/sign-in?code={api.token('plant', 'admin')}").status == 401
    assert not other.cookies


def test_a_link_of_another_page_signs_nobody_in(api: Api, browser: Browser) -> None:
    answer = browser.request("GET", link_path(api), Sec_Fetch_Site="cross-site")
    assert answer.status == 403
    assert not browser.cookies


def test_a_link_confines_as_it_says(api: Api, browser: Browser) -> None:
    under = "00000000-0000-4000-8000-000000000001"
    browser.request("GET", link_path(api, under=[under]))
    assert browser.request("GET", "/session").body["under"] == [under]


# At an identity provider


def at_provider(browser: Browser) -> str:
    """Begin, and return the path that the provider sends the browser back to."""
    answer = browser.request("GET", "/sign-in/start")
    assert answer.status == 303, answer.raw
    parts = urlsplit(answer.headers["Location"])
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    back = connection.getresponse().headers["Location"]
    connection.close()
    assert back.startswith(f"{PUBLIC}sign-in/callback?")
    return back.removeprefix(PUBLIC[:-1])


def test_who_signs_in_at_the_provider_is_signed_in(api: Api, browser: Browser, provider: IdentityProvider) -> None:
    answer = browser.request("GET", "/sign-in/start")
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (query["response_type"], query["client_id"], query["scope"]) == (["code"], [CLIENT_ID], ["openid email"])
    assert (query["code_challenge_method"], query["redirect_uri"]) == (["S256"], [f"{PUBLIC}sign-in/callback"])
    (morsel,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert (morsel["httponly"], morsel["samesite"].lower(), morsel["max-age"]) == (True, "lax", "600")
    answer = browser.request("GET", at_provider(browser), Sec_Fetch_Site="cross-site")
    assert (answer.status, answer.headers["Location"]) == (303, "../")
    assert session_of(browser.request("GET", "/session")) == (True, "anna", "operator", "plant")
    # Nothing is left of the way there, and the session is no token of the provider's.
    ((name, value),) = browser.cookies.items()
    assert name.startswith("argus_session_")
    claims = jwt.decode(value.removeprefix("argus-session."), options={"verify_signature": False})
    assert set(claims) == {"use", "jti", "exp", "iat", "sub", "org", "role"}
    assert browser.graphql().body["data"]["viewer"] == {"subject": "anna", "role": "operator"}
    assert len(provider.redeemed) == 1


def refused(browser: Browser, path: str, text: bytes, status: int = 401) -> None:
    answer = browser.request("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert text in answer.raw, answer.raw
    assert browser.request("GET", "/session").body["signedIn"] is False


def test_the_state_must_be_the_browsers_own(browser: Browser, provider: IdentityProvider) -> None:
    path = at_provider(browser)
    parts = urlsplit(path)
    query = {**{name: values[0] for name, values in parse_qs(parts.query).items()}, "state": "another"}
    refused(browser, f"{parts.path}?{urlencode(query)}", b"not begun in this browser")
    # Another browser with the same address.
    other = Browser(browser.port)
    refused(other, path, b"not begun in this browser")
    at_provider(other)
    refused(other, path, b"not begun in this browser")
    assert provider.redeemed == []
    # The browser that began can still go on.
    assert browser.request("GET", path).status == 303


def test_a_code_is_good_once(browser: Browser) -> None:
    path = at_provider(browser)
    before = dict(browser.cookies)
    assert browser.request("GET", path).status == 303
    thief = Browser(browser.port, before)
    refused(thief, path, b"completed before")
    browser.cookies.clear()
    refused(browser, path, b"not begun in this browser")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"nonce": "another"}, b"another sign-in"), ({"nonce": None}, b"another sign-in"),
        ({"iss": "http://elsewhere.example"}, b"not valid"), ({"aud": "another"}, b"not valid"),
        ({"aud": [CLIENT_ID, "another"]}, b"another client"), ({"azp": "another"}, b"another client"),
        ({"exp": 1_000_000}, b"not valid"), ({"role": "root"}, b"role"), ({"org": "nowhere"}, b"does not exist"),
        ({"sub": ""}, b"sub"), ({"under": "everything"}, b"confines"),
    ],
)  # fmt: skip
def test_a_token_of_the_provider_that_is_not_for_this_sign_in(
    browser: Browser, provider: IdentityProvider, changed: dict[str, Any], text: bytes
) -> None:
    provider.changed = changed
    refused(browser, at_provider(browser), text)


def test_a_token_that_another_has_signed(browser: Browser, provider: IdentityProvider) -> None:
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused(browser, at_provider(browser), b"not valid")


def test_a_code_that_has_expired_or_never_was(browser: Browser, provider: IdentityProvider) -> None:
    provider.expired = True
    refused(browser, at_provider(browser), b"invalid_grant")
    provider.expired = False
    path = at_provider(browser)
    state = parse_qs(urlsplit(path).query)["state"][0]
    refused(
        browser,
        f"/sign-in/callback?{urlencode({'state': state, 'error': '<access_denied>'})}",
        b"&lt;access_denied&gt;",
    )


def test_another_issuer_that_answers_is_refused(browser: Browser, provider: IdentityProvider) -> None:
    path = at_provider(browser)
    refused(
        browser, path.replace(urlencode({"iss": provider.issuer}), "iss=http%3A%2F%2Felsewhere"), b"another identity"
    )


def test_a_sign_in_that_takes_too_long(api: Api, browser: Browser) -> None:
    path = at_provider(browser)
    services: Services = api.services
    signer = services.verifier._signer
    assert signer is not None
    (name,) = browser.cookies
    browser.cookies[name] = signer.sign(Use.SIGN_IN, {"state": "x"}, lifetime_s=-20)
    refused(browser, path, b"expired")


def test_a_provider_that_is_broken_can_be_tried_again(servers: TestServers) -> None:
    database = servers.database_create()
    try:
        with identity_provider() as provider:
            oidc = OidcSettings(provider.issuer, CLIENT_ID, None, "openid")
            tokens = TokenSettings(SECRET, None, None, None, oidc=oidc, public_url="https://plant.example/")
            with api_serve(database, servers.bus_server.url, tokens=tokens) as api:
                browser = Browser(api.port)
                provider.broken = True
                assert browser.request("GET", "/sign-in/start").status == 503
                provider.broken, provider.named = False, "http://another.example"
                assert browser.request("GET", "/sign-in/start").status == 503
                provider.named = None
                answer = browser.request("GET", "/sign-in/start")
                assert answer.status == 303
                # By https alone, where that is how browsers reach it.
                assert "__Host-argus_sign_in" in answer.headers["Set-Cookie"]
                assert "Secure" in answer.headers["Set-Cookie"]
    finally:
        servers.database_drop(database)


def test_without_a_provider_there_is_no_such_way(servers: TestServers) -> None:
    database = servers.database_create()
    try:
        tokens = replace(TokenSettings(None, "http://127.0.0.1:9/keys", None, None))
        with api_serve(database, servers.bus_server.url, tokens=tokens) as api:
            browser = Browser(api.port)
            assert browser.request("GET", "/session").body["ways"] == {"token": True, "link": False, "provider": None}
            for path in ("/sign-in/start", "/sign-in/callback?code=x&state=y", "/sign-in?code=x"):
                assert browser.request("GET", path).status == 404
    finally:
        servers.database_drop(database)
