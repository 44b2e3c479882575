"""The pages for those who build on Argus: every example does what its page says, on a running installation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from testing.clients import node_needed, python_needed
from testing.cookbook import Reader, blocks
from testing.installation import PROJECT, Installation
from testing.waits import patient

pytestmark = pytest.mark.slow

_PAGES = PROJECT / "docs" / "how-to"


def page(name: str, role: str, *marks: pytest.MarkDecorator) -> object:
    return pytest.param(_PAGES / f"{name}.md", role, marks=marks, id=name)


@pytest.mark.parametrize(
    ("path", "role"),
    [
        page("api-keys", "admin"),
        page("groups", "admin"),
        page("send-readings", "admin"),
        page("change", "operator"),
        page("consumption", "operator"),
        page("integrate", "operator", python_needed()),
        page(
            "front-end",
            "operator",
            node_needed("@graphql-codegen/cli", "@graphql-codegen/client-preset", "@urql/core", "relay-compiler"),
        ),
    ],
)
def test_a_page_does_what_it_says(installation: Installation, tmp_path: Path, path: Path, role: str) -> None:
    client = installation.organization(path.stem.replace("-", " ").title(), role)
    Reader(installation, client, tmp_path / "reader").follow(path)


class Refusing(BaseHTTPRequestHandler):
    """Answers as Argus does when it cannot take what it is sent, and takes it in the end."""

    calls: list[list[Any]]

    def do_POST(self) -> None:
        readings = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.calls.append(readings)
        headers, errors = {"Retry-After": "0"}, []
        if len(self.calls) == 1:
            self.send_response(503)
        else:
            self.send_response(200)
            if len(self.calls) == 2:
                errors = [
                    {"code": "RATE_LIMITED", "message": "", "path": ["1"]},
                    {"code": "INVALID_METRICS", "message": "", "path": ["0", "metrics"]},
                ]
        answer = json.dumps(
            {"accepted": len(readings) - len(errors), "rejected": len(errors), "errors": errors}
        ).encode()
        for name, value in (headers | {"Content-Length": str(len(answer))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[HTTPServer]:
    handler = type("Calls", (Refusing,), {"calls": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_sender_of_readings_sends_again_what_was_not_taken(refusing: HTTPServer, tmp_path: Path) -> None:
    [sender] = (block for block in blocks(_PAGES / "send-readings.md") if block.file == "send.py")
    program = tmp_path / "send.py"
    program.write_text(sender.text.replace("127.0.0.1:8000", f"127.0.0.1:{refusing.server_port}"))
    readings = [{"metrics": {"flow": number}} for number in range(1_003)]
    done = subprocess.run(
        [sys.executable, str(program)],
        input="".join(json.dumps(reading) + "\n" for reading in readings),
        env={**os.environ, "DEVICE_TOKEN": "argus_dev_x"},
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=True,
    )
    assert done.stdout.splitlines() == [f"Refused: INVALID_METRICS {json.dumps(readings[0])}", "Stored: 1002"]
    calls = refusing.RequestHandlerClass.calls  # type: ignore[attr-defined]
    # Nothing of the first call was taken; of the second one not the second reading.
    assert calls == [readings[:1000], readings[:1000], [readings[1], *readings[1000:]]]
