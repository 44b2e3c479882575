"""Chromium under Playwright, and a page of the console that remembers what it asked and what failed in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from testing.installation import Client, Installation
from testing.waits import Deadline, patient

AXE: Final = Path(__file__).resolve().parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
WIDE: Final = 1350
NARROW: Final = 360
HEIGHT: Final = 900
THEMES: Final = ("light", "dark", "contrast")
_IDLE_S: Final = 30.0
_LOOK_EVERY_MS: Final = 60
# axe's rules by tag: all of WCAG 2.2 A and AA, and its best practices.
_AXE_TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@dataclass(slots=True)
class ConsolePage:
    """A page of the console in a context of its own: cookies and storage are not shared."""

    page: Page
    context: BrowserContext
    base: str
    requests: list[Request] = field(default_factory=list)
    # Those that are not answered yet.
    pending: set[Request] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    # Patterns of failures that the test provokes.
    allowed: tuple[str, ...] = ()

    def open(self, route: str, *, heading: str | None = None) -> None:
        """Go to a route, e.g. "/devices?at=…", and wait for its heading."""
        # From nothing: a page that only changed its route still shows the one before for a moment.
        self.page.goto("about:blank")
        # What that page requested and left behind need not be reported as failed.
        self.pending.clear()
        self.page.goto(f"{self.base}#{route}")
        assert self.page.locator("#root").count() == 1, f"This is not the console:\n{self.page.inner_text('body')}"
        self.page.locator("main h1").first.wait_for()
        if heading is not None:
            self.page.get_by_role("heading", name=heading, level=1).wait_for()

    def wait_idle(self) -> None:
        """Wait until nothing is asked and nothing says that it is loading."""
        deadline, quiet = Deadline(_IDLE_S), 0
        # Twice in a row: an answer may lead to the next request.
        while quiet < 2:
            self.page.wait_for_timeout(_LOOK_EVERY_MS)
            is_busy = bool(self.pending) or self.page.locator("[aria-busy=true], .skeleton").count() > 0
            quiet = 0 if is_busy else quiet + 1
            if is_busy:
                deadline.pause(f"Not answered, or still loading: {[request.url for request in self.pending]}")

    def theme(self, name: str) -> None:
        """Show the page in another theme, as the display settings do."""
        self.page.evaluate("name => { document.documentElement.dataset.theme = name; }", name)

    def operations(self) -> list[str]:
        """Return the names of the GraphQL operations that were asked over HTTP so far."""
        names: list[str] = []
        for request in self.requests:
            if request.method == "POST" and urlsplit(request.url).path.endswith("/graphql"):
                query = json.loads(request.post_data or "{}").get("query", "")
                names.append(query.split("(", 1)[0].split("{", 1)[0].strip().split(" ")[-1])
        return names

    def violations(self) -> list[str]:
        """Return what axe finds wrong, one line each with the element."""
        # The policy lets no script in that the console does not serve; the debugger may evaluate one.
        self.page.evaluate(AXE.read_text())
        result: Mapping[str, Any] = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", list(_AXE_TAGS)
        )
        return [
            f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]

    def check(self) -> None:
        """Fail where something failed in the page, or something was asked of another host."""
        assert self.foreign == []
        unexpected = [line for line in self.failures if not any(pattern in line for pattern in self.allowed)]
        assert unexpected == []


@dataclass(slots=True)
class Browser:
    """The browser."""

    chromium: Chromium

    @contextmanager
    def page(
        self,
        installation: Installation,
        client: Client | None,
        *,
        width: int = WIDE,
        zone: str = "UTC",
        theme: str = "light",
    ) -> Iterator[ConsolePage]:
        """Open a page. client: whose token signs in; None: nobody."""
        base = f"http://127.0.0.1:{installation.port}/"
        context = self.chromium.new_context(
            viewport={"width": width, "height": HEIGHT},
            timezone_id=zone,
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(patient(20_000))
        try:
            if client is not None:
                answer = context.request.post(f"{base}session", data={"token": client.token})
                assert answer.ok, answer.text()
            opened = ConsolePage(context.new_page(), context, base)
            _watch(opened)
            yield opened
        finally:
            context.close()


def _watch(opened: ConsolePage) -> None:
    def requested(request: Request) -> None:
        opened.requests.append(request)
        opened.pending.add(request)
        if not request.url.startswith((opened.base, "data:", "blob:", "about:")):
            opened.foreign.append(request.url)

    def ended(request: Request) -> None:
        opened.pending.discard(request)

    def answered(response: Response) -> None:
        if response.status >= 400:
            opened.failures.append(f"{response.status} {response.url}")

    def printed(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            opened.failures.append(f"console {message.type}: {message.text}")

    opened.page.on("request", requested)
    opened.page.on("requestfinished", ended)
    opened.page.on("requestfailed", ended)
    opened.page.on("response", answered)
    opened.page.on("console", printed)
    opened.page.on("pageerror", lambda error: opened.failures.append(f"page error: {error}"))


@contextmanager
def browser_open(executable: str) -> Iterator[Browser]:
    """Run Chromium, headless."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-quic"],
        )
        try:
            yield Browser(chromium)
        finally:
            chromium.close()
