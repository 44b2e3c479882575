"""GraphiQL in a browser that reaches nothing but this machine: it renders, and a query and a subscription run."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from websockets.sync.client import ClientConnection, connect

from testing.installation import Installation
from testing.waits import Deadline, patient, quiet_period, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --remote-debugging-port=0 --window-size=1500,900"
).split()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (.ci/run installs it)"),
]


class Page:
    """One page, over the DevTools protocol."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.number = 0
        self.requested: list[str] = []

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout=patient(20)))
            if message.get("method") == "Network.requestWillBeSent":
                self.requested.append(message["params"]["request"]["url"])
            if message.get("id") == self.number:
                result: dict[str, Any] = message["result"]
                return result

    def evaluate(self, expression: str) -> Any:
        return self.command("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait(self, expression: str) -> Any:
        deadline = Deadline(30)
        while not (value := self.evaluate(expression)):
            deadline.pause(f"{expression}\n{self.evaluate('document.body.innerText')}")
        return value


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    assert CHROMIUM is not None
    profile = tmp_path / "profile"
    with subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as browser:
        try:
            port_file = profile / "DevToolsActivePort"
            wait_until(lambda: port_file.exists() and port_file.read_text().strip())
            port = port_file.read_text().split("\n", 1)[0]
            with urlopen(f"http://127.0.0.1:{port}/json", timeout=patient(10)) as answer:
                [target] = [load for load in json.loads(answer.read()) if load["type"] == "page"]
            with connect(target["webSocketDebuggerUrl"], max_size=None) as socket:
                yield Page(socket)
        finally:
            browser.kill()


def test_the_samples_run_in_the_browser(installation: Installation, page: Page) -> None:
    client = installation.organization("Browser")
    client.call('mutation { createSpace(input: {name: "Works", externalId: "site"}) { errors { code } } }')
    client.call('mutation { createDevice(input: {name: "d", externalId: "d"}) { errors { code } } }')
    page.command("Network.enable")
    page.command("Page.enable")
    page.command("Page.navigate", url=f"{installation.url}#token={client.token}")
    page.wait("!!document.querySelector('.graphiql-execute-button')")
    assert page.evaluate("document.querySelectorAll('.graphiql-tab').length") == 3
    assert page.evaluate("window.location.hash") == ""

    page.evaluate("document.querySelector('.graphiql-execute-button').click()")
    shown = "document.querySelector('.result-window') ? document.querySelector('.result-window').innerText : ''"
    page.wait(f"({shown}).includes('Browser') && ({shown}).includes('Works')")

    # An example of the list is opened in a tab of its own, with the times that it needs.
    page.wait("document.querySelectorAll('.samples button').length > 30")
    page.evaluate(
        "[...document.querySelectorAll('.samples button')].find((b) => b.innerText === 'How it went').click()"
    )
    page.wait("document.querySelector('.graphiql-tab-active')?.innerText === 'Account'")
    quiet_period(patient(2))
    page.evaluate("document.querySelector('.graphiql-execute-button').click()")
    page.wait(f"({shown}).includes('ingestAccount') && ({shown}).includes('received')")

    # The second tab subscribes; a reading sent now is shown.
    page.evaluate("[...document.querySelectorAll('.graphiql-tab button')].find((b) => b.innerText === 'Live').click()")
    page.wait("[...document.querySelectorAll('.cm-keyword')].some((each) => each.innerText === 'subscription')")
    # GraphiQL notices which operation the editor holds a little after it has changed.
    quiet_period(patient(2))
    page.evaluate("document.querySelector('.graphiql-execute-button').click()")
    deadline = Deadline()
    while True:
        client.call(
            'mutation { ingestTelemetry(readings: [{externalId: "d", metrics: {temperature: 4321}}]) { accepted } }'
        )
        if page.evaluate(f"({shown}).includes('4321')"):
            break
        deadline.pause(page.evaluate(shown), seconds=0.5)

    elsewhere = [
        url
        for url in page.requested
        if not url.startswith((f"http://127.0.0.1:{installation.port}/", "data:", "blob:"))
    ]
    assert elsewhere == []
