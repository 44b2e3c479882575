"""Carry out a page of the documentation as its reader would: save its files, run its commands, send its operations.

What a block is for follows from its language and from what surrounds it:

* a block after a line that ends in "`NAME`:" is the file of that name;
* `graphql` is sent with the reader's token; ids of what was made are variables of later operations and of the shell, by
  the alias of the field that made it;
* `sh` is run in one shell after the other, each with the variables of those before;
* `json` or `text` after such a block is its answer: `data` of an operation, what a command prints. "..." in it is
  any text.

An operation that reads is repeated until it answers as the page says: what follows from a change takes a while. A
subscription is opened, and has to be accepted.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from testing.clients import CLIENTS, PYTHON
from testing.installation import PROJECT, Client, Installation
from testing.pages import page_read
from testing.waits import patient, wait_until

# Where the pages say that Argus is.
_ADDRESS: Final = "127.0.0.1:8000"
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"`([\w./-]+\.\w+)`[^`\n]*:\s*\Z")
_SHORTENED: Final = re.compile(r"^(\w+)=(\w+)\.\.\.$", re.MULTILINE)
_ANSWERS: Final = {"json", "text"}
_INSTALL: Final = """#!/bin/sh
for name in "$@"; do
    case "$name" in -*|install) continue ;; esac
    ls -d "{installed}"/"$(echo "$name" | sed -E 's/^(@?[^@[]+).*/\\1/')" >/dev/null || exit 1
done
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page. file: the name of the file that it is; answer: what comes of it, as the page says."""

    language: str
    text: str
    file: str | None
    answer: str | None


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order, each with its answer."""
    result: list[Block] = []
    text = page_read(page)
    for fence in _FENCE.finditer(text):
        language, content = fence.groups()
        named = _FILE.search(text, 0, fence.start())
        if named is None and language in _ANSWERS and result:
            last = result.pop()
            assert last.answer is None, content
            result.append(Block(last.language, last.text, last.file, content))
        else:
            result.append(Block(language, content, named and named[1], None))
    return result


@dataclass(slots=True)
class Reader:
    """One who follows a page, in a directory of its own, with a token of an organization."""

    installation: Installation
    client: Client
    directory: Path
    ids: dict[str, str] = field(default_factory=dict)
    # Texts of answers: a page shows only how a secret begins.
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory.mkdir()
        (self.directory / "node_modules").symlink_to(CLIENTS / "node_modules")
        programs = self.directory / "programs"
        programs.mkdir()
        python = PYTHON if PYTHON.exists() else Path(sys.executable)
        packages = next(PYTHON.parents[1].glob("lib/*/site-packages"), programs)
        home = self.installation.home
        scripts = {
            "argus": f'#!/bin/sh\nPYTHONPATH={PROJECT} exec {sys.executable} -m argus "$@" --home {home}\n',
            "python": f'#!/bin/sh\nexec {python} "$@"\n',
            # Installed is what .ci/run installs; a page may name nothing else.
            "npm": _INSTALL.format(installed=CLIENTS / "node_modules"),
            "pip": _INSTALL.format(installed=packages),
        }
        for name, script in scripts.items():
            (programs / name).write_text(script)
            (programs / name).chmod(0o755)
        (self.directory / "variables").write_text("")

    def follow(self, page: Path) -> None:
        """Do what a page says, and compare what comes of it with what the page says."""
        for block in blocks(page):
            if block.file is not None:
                path = self.directory / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self._addressed(block.text))
            elif block.language == "graphql":
                self._send(block)
            else:
                assert block.language == "sh", f"Nothing says what this block is:\n{block.text}"
                self._run(block)

    def _send(self, block: Block) -> None:
        variables = {name: self.ids[name] for name in re.findall(r"\$(\w+): ID!", block.text)}

        def sent() -> dict[str, Any]:
            return self.client.call(block.text, variables).data

        if re.search(r"^mutation\b", block.text, re.MULTILINE):
            data = sent()
            refused = [payload for payload in data.values() if payload.get("errors")]
            assert refused == [] or block.answer is not None, refused
            if block.answer is not None:
                assert_answer(block, data)
            self._remember(data)
            self.installation.wait_processed(self.client)
        elif re.search(r"^subscription\b", block.text, re.MULTILINE):
            self._subscribe(block)
        else:
            assert block.answer is not None, f"The page does not say what this answers:\n{block.text}"
            expected = json.loads(block.answer)
            wait_until(lambda: is_like(expected, sent()), details=lambda: json.dumps(sent(), indent=1))

    def _subscribe(self, block: Block) -> None:
        request = urllib.request.Request(  # noqa: S310
            self.client.url,
            data=json.dumps({"query": block.text}).encode(),
            headers={
                "Authorization": f"Bearer {self.client.token}",
                "Content-Type": "application/json",
                "Accept": "text/event-stream",
            },
        )
        with urllib.request.urlopen(request, timeout=patient(30)) as stream:  # noqa: S310
            assert stream.headers["Content-Type"].startswith("text/event-stream")

    def _remember(self, data: dict[str, Any]) -> None:
        for alias, payload in data.items():
            for value in payload.values():
                if isinstance(value, dict) and "id" in value:
                    self.ids[alias] = value["id"]
        self.texts.extend(texts_of(data))

    def _run(self, block: Block) -> None:
        script = _SHORTENED.sub(self._whole, self._addressed(block.text))
        whole = f"set -euo pipefail; set -a; . ./variables; set +u\n{script}\nexport -p >variables\n"
        ids = "".join(f"{name}={value}\n" for name, value in self.ids.items())
        variables = self.directory / "variables"
        variables.write_text(variables.read_text() + ids)
        environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        environment |= {
            "PATH": f"{self.directory / 'programs'}:{environment['PATH']}",
            "TOKEN": self.client.token or "",
        }
        done = subprocess.run(
            ["bash", "-c", whole],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=patient(120),
            check=False,
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        if block.answer is not None:
            assert_answer(block, done.stdout)
        if token := re.search(r'^declare -x TOKEN="(.*)"$', variables.read_text(), re.MULTILINE):
            self.client = replace(self.client, token=token[1])
        self.texts.extend(done.stdout.split())
        self.installation.wait_processed(self.client)

    def _addressed(self, text: str) -> str:
        return text.replace(_ADDRESS, f"127.0.0.1:{self.installation.port}")

    def _whole(self, match: re.Match[str]) -> str:
        name, begin = match.groups()
        whole = [text for text in self.texts if text.startswith(begin)]
        assert whole, f"Nothing that was answered begins with {begin}."
        return f"{name}={whole[-1]}"


def assert_answer(block: Block, actual: Any) -> None:
    """Compare an answer, or the output of a command, with what the page shows."""
    assert block.answer is not None
    try:
        expected = json.loads(block.answer)
    except json.JSONDecodeError:
        expected, actual = block.answer.strip(), str(actual).strip()
    else:
        actual = json.loads(actual) if isinstance(actual, str) else actual
    assert is_like(expected, actual), f"{block.text}\nThe page says:\n{block.answer}\nIt answers:\n{actual}"


def is_like(expected: Any, actual: Any) -> bool:
    """Whether an answer is the one of a page, where "..." is any text."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(is_like(expected[name], actual[name]) for name in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(is_like, expected, actual))
    if isinstance(expected, str) and isinstance(actual, str):
        pattern = ".*".join(map(re.escape, expected.split("...")))
        return re.fullmatch(pattern, actual, re.DOTALL) is not None
    return bool(expected == actual)


def texts_of(value: Any) -> Iterator[str]:
    """Yield all texts in an answer."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_of(part)
