"""The console at `/`: its files with their forms and headers, and the page where it is not there yet."""

from __future__ import annotations

import gzip
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import brotli
import pytest

from gql.server.console import Building, Console
from testing.api import Api, api_serve
from testing.installation import free_port
from testing.servers import TestServers
from testing.waits import patient, wait_until

INDEX = b"<!doctype html><head><script type=module src=./assets/app-1.js></script></head>"
SCRIPT = b"export const answer = 42;\n" * 100
FILES: dict[str, tuple[bytes, str]] = {
    "index.html": (INDEX, "text/html; charset=utf-8"),
    "third-party-notices.txt": (b"Licences", "text/plain; charset=utf-8"),
    "assets/app-1.js": (SCRIPT, "text/javascript; charset=utf-8"),
    "assets/work-2.mjs": (SCRIPT, "text/javascript; charset=utf-8"),
    "assets/letters-3.woff2": (b"wOF2", "font/woff2"),
    "assets/land-4.json": (b"{}", "application/json"),
    "assets/sign-5.svg": (b"<svg/>", "image/svg+xml"),
    "assets/pack-6.wasm": (b"\0asm", "application/wasm"),
}


@dataclass
class Built:
    """A console whose sources and build are what a test says."""

    dist: Path
    wanted: str | None = "one"
    building: Building | None = None
    console: Console = field(init=False)

    def __post_init__(self) -> None:
        self.console = Console(self.dist, wanted=lambda: self.wanted, building=lambda: self.building, command="make it")

    def write(self, stamp: str) -> None:
        for name, (content, _) in FILES.items():
            file = self.dist / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            if name.endswith("js"):
                file.with_name(file.name + ".br").write_bytes(brotli.compress(content))
                file.with_name(file.name + ".gz").write_bytes(gzip.compress(content))
        (self.dist / "STAMP").write_text(f"{stamp}\n")
        self.look()

    def look(self) -> None:
        """Let it look again at once."""
        self.console._looked_s = self.console._wanted_s = float("-inf")


@pytest.fixture(scope="module")
def running(servers: TestServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Built]]:
    built = Built(tmp_path_factory.mktemp("console") / "dist")
    database = servers.database_create()
    try:
        with api_serve(database, servers.bus_server.url, console=built.console) as served:
            served.organization("plant")
            yield served, built
    finally:
        servers.database_drop(database)


@pytest.fixture
def built(running: tuple[Api, Built]) -> Built:
    made = running[1]
    made.wanted, made.building = "one", None
    made.write("one")
    return made


@pytest.fixture
def api(running: tuple[Api, Built], built: Built) -> Api:
    return running[0]


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patient(30))
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("name", FILES)
def test_each_file_has_its_type(api: Api, name: str) -> None:
    content, media_type = FILES[name]
    status, headers, body = get(api.port, "/" if name == "index.html" else f"/{name}")
    assert (status, headers["Content-Type"], body) == (200, media_type, content)
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


def test_the_page_is_looked_at_again_and_what_has_its_digest_in_its_name_is_not(api: Api) -> None:
    status, headers, _ = get(api.port, "/")
    assert headers["Cache-Control"] == "no-cache"
    assert get(api.port, "/", If_None_Match=headers["ETag"])[0::2] == (304, b"")
    assert get(api.port, "/", If_None_Match='"other"')[0] == 200
    assert get(api.port, "/assets/app-1.js")[1]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert get(api.port, "/third-party-notices.txt")[1]["Cache-Control"] == "no-cache"
    assert status == 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0.1, gzip", "gzip"), ("br;q=0", None),
        ("identity", None), ("", None), ("*", "gzip"),
    ],
)  # fmt: skip
def test_the_form_that_the_browser_accepts(api: Api, accepted: str, coding: str | None) -> None:
    _, headers, body = get(api.port, "/assets/app-1.js", Accept_Encoding=accepted)
    unpack: Any = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert (headers["Content-Encoding"], unpack(body)) == (coding, SCRIPT)
    assert headers["Vary"] == "Accept-Encoding"
    # A file that is there in no other form is sent as it is.
    assert get(api.port, "/assets/land-4.json", Accept_Encoding=accepted)[1]["Content-Encoding"] is None


def test_forms_of_a_file_have_tags_of_their_own(api: Api) -> None:
    tags = {get(api.port, "/assets/app-1.js", Accept_Encoding=coding)[1]["ETag"] for coding in ("br", "gzip", "x")}
    assert len(tags) == 3


def test_head_has_no_body(api: Api) -> None:
    for path in ("/", "/assets/app-1.js"):
        status, headers, body = get(api.port, path, "HEAD")
        assert (status, body) == (200, b"")
        assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    "path",
    ["/assets/none.js", "/assets/", "/assets", "/STAMP", "/assets/app-1.js.br", "/index.html", "/../pyproject.toml",
     "/assets/../STAMP", "/assets/%2e%2e/STAMP", "/%2e%2e/%2e%2e/etc/passwd", "//assets/app-1.js", "/assets//app-1.js"],
)  # fmt: skip
def test_what_is_no_file_of_it_is_not_found(api: Api, path: str) -> None:
    status, headers, body = get(api.port, path)
    assert (status, headers["Content-Type"]) == (404, "application/json")
    assert b"NOT_FOUND" in body


def test_other_methods_and_other_addresses_are_refused_as_ever(api: Api) -> None:
    assert get(api.port, "/assets/app-1.js", "POST")[0] == 404
    assert get(api.port, "/", "POST")[0] == 405
    assert get(api.port, "/graphql", "PUT")[0] == 405
    assert get(api.port, "/healthz")[0] == 200


def test_nothing_is_loaded_from_elsewhere_nor_written_into_the_page(api: Api) -> None:
    policy = get(api.port, "/")[1]["Content-Security-Policy"]
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert {directives[name] for name in ("script-src", "connect-src", "worker-src", "font-src")} == {"'self'"}
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in policy.replace("style-src-attr 'unsafe-inline'", "")


def test_answers_name_the_stamp_so_that_a_tab_knows_of_a_newer_console(api: Api, built: Built) -> None:
    assert get(api.port, "/")[1]["Argus-Console"] == "one"
    assert get(api.port, "/graphql?query={__typename}")[1]["Argus-Console"] == "one"
    assert get(api.port, "/graphql", Accept="text/html")[1]["Argus-Console"] == "one"
    built.wanted = "two"
    built.write("two")
    assert get(api.port, "/graphql?query={__typename}")[1]["Argus-Console"] == "two"


def test_a_console_of_other_sources_is_not_served(api: Api, built: Built) -> None:
    built.wanted = "two"
    built.look()
    status, headers, body = get(api.port, "/")
    assert (status, headers["Argus-Console"], headers["Cache-Control"]) == (200, None, "no-store")
    assert b"have changed" in body
    assert b"make it" in body
    assert b'href="graphql"' in body
    # Without sources, as in a wheel, what was built is served.
    built.wanted = None
    built.look()
    assert get(api.port, "/")[2] == INDEX


def test_a_build_says_how_far_it_is_and_why_it_failed(api: Api, built: Built) -> None:
    (built.dist / "STAMP").unlink()
    built.look()
    assert b"not built yet" in get(api.port, "/")[2]
    built.building = Building(2, 4, "Installing packages")
    status, headers, body = get(api.port, "/")
    assert status == 200
    assert b"installing packages" in body
    assert b'<progress max="4" value="1">' in body
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]
    built.building = Building(0, 4, "", failed="No <npm> there")
    body = get(api.port, "/")[2]
    assert b"No &lt;npm&gt; there" in body
    assert b"wheel" in body
    assert get(api.port, "/graphql?query={__typename}")[1]["Argus-Console"] is None
    built.write("one")
    assert get(api.port, "/")[2] == INDEX


def test_without_a_console_the_root_leads_to_graphiql(servers: TestServers) -> None:
    database = servers.database_create()
    try:
        with api_serve(database, servers.bus_server.url) as served:
            status, headers, _ = get(served.port, "/")
            assert (status, headers["Location"]) == (307, "graphql")
            assert get(served.port, "/assets/app-1.js")[0] == 404
    finally:
        servers.database_drop(database)


class Proxy(BaseHTTPRequestHandler):
    """Passes on what is below /plant/argus/, without it, as proxies do that are told `location` and `proxy_pass`."""

    upstream = 0

    def do_GET(self) -> None:
        path = self.path.removeprefix("/plant/argus")
        if path == self.path:
            self.send_error(404)
            return
        status, headers, body = get(self.upstream, path, Accept=self.headers.get("Accept", "*/*"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def test_it_works_below_any_path_of_a_proxy(api: Api) -> None:
    proxy = ThreadingHTTPServer(("127.0.0.1", free_port()), type("To", (Proxy,), {"upstream": api.port}))
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        wait_until(lambda: get(proxy.server_port, "/plant/argus/")[2] == INDEX)
        assert get(proxy.server_port, "/plant/argus/assets/app-1.js")[2] == SCRIPT
        # Nothing in GraphiQL's page leads out of the path either.
        page = get(proxy.server_port, "/plant/argus/graphql", Accept="text/html")[2]
        assert b'="/' not in page
        assert get(proxy.server_port, "/plant/argus/static/graphiql.js")[0] == 200
        assert get(proxy.server_port, "/")[0] == 404
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
