"""The page about REST: every example does what it says on a running installation, and every route has one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from gql.server.rest.routes import BASE, ROUTES
from testing.installation import PROJECT, Installation
from testing.rest import Answer, RestClient
from testing.waits import wait_until

pytestmark = pytest.mark.slow

PAGE = PROJECT / "docs" / "reference" / "rest.md"
_FENCE = re.compile(r"^```(http|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"{{([\w.]+)}}")
# One that would take what the page still uses, said in words.
_IN_WORDS = {("DELETE", "asset-profiles/{id}")}


@dataclass(frozen=True, slots=True)
class Example:
    """One request of the page, as it is written there."""

    name: str | None
    method: str
    target: str
    headers: Mapping[str, str]
    body: str

    def route(self) -> tuple[str, str] | None:
        """The method and the path of the route that takes it."""
        path = _NAMED.sub("x", self.target.partition("?")[0]).removeprefix(f"{BASE}/")
        for route in ROUTES:
            if route.method == self.method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", route.path), path):
                return route.method, route.path
        return None


def examples(text: str) -> Iterator[Example]:
    for part in text.split("###\n"):
        lines = part.strip().split("\n")
        name = lines.pop(0).removeprefix("# @name ") if lines[0].startswith("#") else None
        method, _, target = lines.pop(0).partition(" ")
        split = lines.index("") if "" in lines else len(lines)
        headers = dict(line.split(": ", 1) for line in lines[:split])
        yield Example(name, method, target, headers, "\n".join(lines[split + 1 :]))


@dataclass(slots=True)
class Reader:
    """Sends what the page shows. answers: by the name of the request."""

    rest: RestClient
    answers: dict[str, Any] = field(default_factory=dict)
    named: dict[str, Example] = field(default_factory=dict)
    last: Example | None = None

    def send(self, example: Example) -> Answer:
        """Send a request, and remember its answer."""
        target = quote(self.filled(example.target), safe='/?&=:.-_{}[]",', encoding="utf-8")
        target = target.replace('"', "%22").replace("{", "%7B").replace("}", "%7D")
        headers = {name: self.filled(value) for name, value in example.headers.items() if name != "Authorization"}
        answer = self.rest.call(example.method, target, headers=headers, raw=self.filled(example.body).encode())
        assert 200 <= answer.status < 300, (example, answer.body)
        if example.name is not None:
            self.answers[example.name], self.named[example.name] = answer.body, example
        self.last = example
        return answer

    def filled(self, text: str) -> str:
        """Return a text with what earlier answers have."""
        return _NAMED.sub(lambda match: match[1] if match[1] == "token" else str(self.value(match[1])), text)

    def value(self, name: str) -> Any:
        """Return a value of an earlier answer; what is not there yet is read again until it is."""
        first, *steps = name.split(".")

        def is_there() -> bool:
            try:
                _at(self.answers[first], steps)
            except IndexError:
                self.send(self.named[first])
                return False
            return True

        wait_until(is_there)
        return _at(self.answers[first], steps)

    def expect(self, shown: Any) -> None:
        """Read the last request's answer until it is as the page shows it."""
        example = self.last
        assert example is not None
        if example.method != "GET":
            assert _has(self.answers[""], shown), self.answers[""]
        wait_until(
            lambda: example.method != "GET" or _has(self.send(example).body, shown), details=lambda: self.answers
        )


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def _has(answer: Any, shown: Any) -> bool:
    """Return whether an answer has all that is shown of it."""
    if isinstance(shown, dict):
        return isinstance(answer, dict) and all(name in answer and _has(answer[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        return isinstance(answer, list) and len(answer) == len(shown) and all(map(_has, answer, shown))
    return bool(answer == shown)


def test_every_route_has_an_example() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = {
        example.route() for language, part in _FENCE.findall(text) if language == "http" for example in examples(part)
    }
    # Of five kinds of entity one stands for all where they are deleted.
    assert {(route.method, route.path) for route in ROUTES} - shown == _IN_WORDS
    for method, path in _IN_WORDS:
        assert f"{method} {BASE}/{path}" in text


def test_the_page_does_what_it_says(installation: Installation) -> None:
    client = installation.organization("Rest", "admin")
    reader = Reader(RestClient(client.url.removesuffix("/graphql"), client.token))
    sent = 0
    for language, text in _FENCE.findall(PAGE.read_text(encoding="utf-8")):
        if language == "json":
            reader.expect(json.loads(text))
            continue
        for example in examples(text):
            reader.answers[""] = reader.send(example).body
            sent += 1
    assert sent > len(ROUTES)
