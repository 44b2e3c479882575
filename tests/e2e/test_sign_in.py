"""The console's session in a whole Argus: whichever of its processes answers, it knows who is signed in."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from testing.browsers import VIEWER, Browser
from testing.installation import Installation
from testing.waits import patient, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def organization(installation: Installation) -> str:
    installation.organization("signing in")
    return "signing in"


def link(installation: Installation, organization: str, role: str) -> str:
    """Return the path of a link that the command prints."""
    address = f"http://127.0.0.1:{installation.port}"
    done = installation.run(
        *("token", "create", "--organization", organization, "--role", role, "--subject", "lea", "--link", address)
    )
    return done.stdout.strip().removeprefix(address)


def test_a_printed_link_signs_in_once_whichever_process_answers(installation: Installation, organization: str) -> None:
    path = link(installation, organization, "admin")
    assert path.startswith("/sign-in?code=")
    browsers = [Browser(installation.port) for _ in range(8)]
    with ThreadPoolExecutor(len(browsers)) as threads:
        statuses = list(threads.map(lambda browser: browser.request("GET", path).status, browsers))
    assert sorted(statuses) == [303, *[401] * 7]
    (browser,) = (browser for browser in browsers if browser.cookies)
    # By a reader; by the process that listens, which takes readings in; and by the one that has the live data.
    assert browser.graphql().body["data"]["viewer"] == {"subject": "lea", "role": "admin"}
    taken = browser.graphql(
        'mutation { ingestTelemetry(readings: [{deviceId: "none", timestamp: "2026-01-01T00:00:00Z", metrics: {a: 1}}])'
        " { accepted rejected errors { code } } }"
    ).body
    assert taken["data"]["ingestTelemetry"]["rejected"] == 1
    answer = browser.socket(Origin=f"http://127.0.0.1:{installation.port}")
    assert answer["data"]["viewer"] == {"subject": "lea", "role": "admin"}
    assert browser.socket(Origin="http://127.0.0.1:1") == 4403


def test_a_stream_with_the_cookie_comes_from_the_live_process(installation: Installation, organization: str) -> None:
    browser = Browser(installation.port)
    browser.request("GET", link(installation, organization, "admin"))
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=patient(30))
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    query = json.dumps({"query": "subscription { entityChanged { id name } }"})
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Cookie": cookie}
    connection.request("POST", "/graphql", query, headers)
    response = connection.getresponse()
    try:
        assert (response.status, response.headers["Content-Type"].partition(";")[0]) == (200, "text/event-stream")
        made = browser.graphql('mutation { createAsset(input: {name: "seen live"}) { errors { code } } }').body
        assert made["data"]["createAsset"]["errors"] == []
        wait_until(lambda: b"seen live" in response.readline())
    finally:
        connection.close()


def test_sessions_that_were_ended_are_over_in_every_process(installation: Installation, organization: str) -> None:
    browser = Browser(installation.port)
    browser.request("GET", link(installation, organization, "viewer"))
    copied, unused = dict(browser.cookies), link(installation, organization, "viewer")
    assert browser.graphql("mutation { endOwnSessions { errors { code } } }").status == 200
    wait_until(lambda: Browser(installation.port, dict(copied)).graphql(VIEWER).status == 401)
    assert Browser(installation.port, dict(copied)).socket() == 4401
    # Nor does a link from before begin one again.
    assert Browser(installation.port).request("GET", unused).status == 401
