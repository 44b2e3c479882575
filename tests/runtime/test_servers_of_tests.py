"""The servers of tests do not outlive a start that failed."""

from __future__ import annotations

import subprocess

import pytest

from runtime.embedded import postgres
from testing.servers import servers_open


@pytest.mark.parametrize(("module", "step"), [("valkey", "start"), ("postgres", "database_ensure")])
def test_what_was_started_is_stopped_where_a_later_step_fails(
    monkeypatch: pytest.MonkeyPatch, module: str, step: str
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = postgres.start

    def start_recorded(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(start(*arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("does not start")

    monkeypatch.setattr(postgres, "start", start_recorded)
    monkeypatch.setattr(f"runtime.embedded.{module}.{step}", fail)
    with pytest.raises(RuntimeError, match="does not start"), servers_open("argus-failing-"):
        pass
    [process] = started
    try:
        assert process.poll() is not None
    finally:
        process.kill()
        process.wait()
