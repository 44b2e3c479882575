"""The console at `/`: the files that were built of it, or a page that says why it is not there yet.

Its addresses are relative, so that it works below any path that a proxy gives it.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import os
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gql.server.compression import coding_of

STAMP_HEADER: Final = "Argus-Console"
INDEX: Final = "index.html"
_STAMP_FILE: Final = "STAMP"
# Of these the name says what is in them, so that they never change.
_HASHED: Final = "assets/"
_SUFFIXES: Final = {"br": ".br", "gzip": ".gz"}
_LOOK_EVERY_S: Final = 1.0
# What the table of the system may not have, or have otherwise.
_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".pmtiles": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; img-src 'self' data: blob:; "
    "style-src 'self'{styles}; style-src-attr 'unsafe-inline'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# Elements that libraries put into the page, by their text.
_STYLES: Final[tuple[str, ...]] = ()
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_GUARDS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
main { max-width: 40rem; padding: 2rem; }
progress { width: 100%; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid; border-radius: 4px; white-space: pre-wrap; }
"""
_SCRIPT: Final = """
const look = async () => {
  try {
    const answer = await fetch('./', { cache: 'no-store' });
    if (answer.headers.has('Argus-Console')) { location.reload(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const [now, then] = [page.getElementById('state'), document.getElementById('state')];
    if (now && now.innerHTML !== then.innerHTML) then.replaceWith(now);
  } catch { }
  setTimeout(look, 1000);
};
setTimeout(look, 1000);
"""
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div id="state" role="status">{state}</div>
{footer}
</main>
{script}</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Building:
    """How far a build of the console is. failed: why it ended without one; None: it goes on."""

    step: int
    steps: int
    doing: str
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What was built: its stamp, when that was written, and the files by name, each with the codings it is there in."""

    stamp: str
    written_ns: int
    files: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class Console:
    """The console of one API.

    dist: what was built. wanted: the stamp that its sources ask for; None: there are no sources, whatever was built is
    served. building: how far a build is; None: there is none. command: what builds it. graphiql: whether that is there.
    """

    dist: Path
    wanted: Callable[[], str | None]
    building: Callable[[], Building | None]
    command: str
    graphiql: bool = True
    _manifest: _Manifest | None = None
    _looked_s: float = field(default=float("-inf"))
    _wanted: str | None = None
    _wanted_s: float = field(default=float("-inf"))

    @property
    def stamp(self) -> str | None:
        """The stamp of what was built. It is looked at once a second, however often it is asked for."""
        manifest = self._look()
        return None if manifest is None else manifest.stamp

    async def index(self, request: Request) -> Response:
        """Answer a request for the page."""
        wanted = await self._wanted_stamp()
        manifest = self._look()
        if manifest is None or wanted not in {None, manifest.stamp}:
            building = await asyncio.to_thread(self.building)
            return self._page_of_state(building, is_outdated=manifest is not None)
        response = await self._file(request, manifest, INDEX)
        return self._page_of_state(None, is_outdated=False) if response is None else response

    async def asset(self, request: Request) -> Response | None:
        """Answer a request for a file; None: there is none of that name."""
        manifest = self._look()
        name = request.scope["path"].removeprefix("/")
        if manifest is None or name not in manifest.files or name == INDEX:
            return None
        return await self._file(request, manifest, name)

    async def _file(self, request: Request, manifest: _Manifest, name: str) -> Response | None:
        codings = manifest.files.get(name)
        if codings is None:
            return None
        coding = coding_of(", ".join(request.headers.getlist("accept-encoding")), codings)
        is_hashed = name.startswith(_HASHED)
        tag = f'"{manifest.stamp}-{coding or "identity"}"'
        headers = {
            **_GUARDS,
            "Cache-Control": "public, max-age=31536000, immutable" if is_hashed else "no-cache",
            "ETag": tag,
            "Vary": "Accept-Encoding",
            STAMP_HEADER: manifest.stamp,
        }
        if name.endswith(".html"):
            headers["Content-Security-Policy"] = _POLICY.format(styles=_hashes(_STYLES))
        if _is_known(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        if coding is not None:
            headers["Content-Encoding"] = coding
        path = self.dist / (name + ("" if coding is None else _SUFFIXES[coding]))
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError:
            # It is being built again just now.
            return None
        return Response(content, headers=headers, media_type=_type_of(name))

    def _page_of_state(self, building: Building | None, *, is_outdated: bool) -> Response:
        if building is None:
            reason = "The sources of the console have changed since it was built." if is_outdated else (
                "The console is not built yet."
            )  # fmt: skip
            state = f"<p>{reason} Build it with:</p><pre>{escape(self.command)}</pre>"
        elif building.failed is not None:
            state = (
                f"<p>The console could not be built.</p><pre>{escape(building.failed)}</pre><p>When that is mended, "
                f"run:</p><pre>{escape(self.command)}</pre><p>The wheel and the image of Argus have the console built "
                "in, and need no Node.js.</p>"
            )
        else:
            state = (
                f"<p>The console is being built: {escape(building.doing.lower())}.</p>"
                f'<progress max="{building.steps}" value="{building.step - 1}"></progress>'
            )
        footer = '<p>The API answers meanwhile: <a href="graphql">GraphiQL</a>.</p>' if self.graphiql else ""
        return page(state, footer=footer, script=_SCRIPT)

    def _look(self) -> _Manifest | None:
        """Return what was built, as of a second ago at most."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_EVERY_S:
            return self._manifest
        self._looked_s = now_s
        try:
            written_ns = (self.dist / _STAMP_FILE).stat().st_mtime_ns
            if self._manifest is None or self._manifest.written_ns != written_ns:
                stamp = (self.dist / _STAMP_FILE).read_text(encoding="ascii").strip()
                self._manifest = _Manifest(stamp, written_ns, _files(self.dist))
        except (OSError, UnicodeDecodeError):
            self._manifest = None
        return self._manifest

    async def _wanted_stamp(self) -> str | None:
        now_s = time.monotonic()
        if now_s - self._wanted_s >= _LOOK_EVERY_S:
            self._wanted, self._wanted_s = await asyncio.to_thread(self.wanted), now_s
        return self._wanted


def page(state: str, *, title: str = "Argus", footer: str = "", script: str = "", status: int = 200) -> Response:
    """Return a small page of the server's own. state, footer: HTML; script: looks after the page."""
    policy = _PAGE_POLICY.format(script=_hashes((script,)).strip() or "'none'", style=_hashes((_STYLE,)).strip())
    element = f"<script>{script}</script>\n" if script else ""
    body = _PAGE.format(title=escape(title), style=_STYLE, state=state, footer=footer, script=element)
    headers = {**_GUARDS, "Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return HTMLResponse(body, status, headers=headers)


def _files(dist: Path) -> dict[str, tuple[str, ...]]:
    """Return the files by name, with slashes, each with the codings it is there in."""
    names = {
        (Path(directory) / name).relative_to(dist).as_posix() for directory, _, files in os.walk(dist) for name in files
    }
    return {
        name: tuple(coding for coding, suffix in _SUFFIXES.items() if name + suffix in names)
        for name in names
        if not name.endswith(tuple(_SUFFIXES.values())) and name != _STAMP_FILE
    }


def _is_known(if_none_match: str, tag: str) -> bool:
    tags = {item.strip().removeprefix("W/") for item in if_none_match.split(",")}
    return tag in tags or "*" in tags


def _type_of(name: str) -> str:
    suffix = Path(name).suffix.lower()
    # For text Starlette adds the charset.
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _hashes(texts: tuple[str, ...]) -> str:
    """Return the sources of a policy that allow elements of these texts, each after a space."""
    digests = [b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts if text]
    return "".join(f" 'sha256-{digest}'" for digest in digests)
