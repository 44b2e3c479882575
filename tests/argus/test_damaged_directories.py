"""Damaged or foreign data directories: repaired where possible, otherwise reported."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.embedded import postgres, process, valkey
from runtime.embedded.account import account_for, admit
from runtime.embedded.home import Home, HomeError
from runtime.embedded.postgres import free_port, programs


@pytest.fixture
def bus_server(tmp_path_factory: pytest.TempPathFactory) -> valkey.ValkeyServer:
    directory = tmp_path_factory.mktemp("damaged")
    account = account_for(directory, programs(), valkey.program())
    admit(account, directory)
    return valkey.ValkeyServer(directory / "valkey", directory / "valkey.log", account, free_port(), "secret")


@pytest.mark.parametrize("file", ["appendonly.aof.1.incr.aof", "appendonly.aof.manifest"])
def test_a_bus_whose_data_is_garbage_starts_empty(bus_server: valkey.ValkeyServer, file: str) -> None:
    valkey.stop(valkey.start(bus_server))
    damaged = bus_server.directory / "appendonlydir" / file
    damaged.write_bytes(damaged.read_bytes() + b"\x00garbage\r\n" * 100)
    said: list[str] = []
    valkey.stop(valkey.start(bus_server, patience=process.Patience(say=said.append)))
    [line] = said
    assert "set aside" in line
    assert (bus_server.directory / "appendonlydir.damaged-1" / file).read_bytes().endswith(b"garbage\r\n")


def test_a_server_that_cannot_start_for_another_reason_keeps_its_data(bus_server: valkey.ValkeyServer) -> None:
    valkey.stop(valkey.start(bus_server))
    running = valkey.start(bus_server)
    try:
        other = valkey.ValkeyServer(
            bus_server.directory.with_name("other"), bus_server.log, bus_server.account, bus_server.port, "else"
        )
        other.directory.mkdir()
        shutil.copytree(bus_server.directory / "appendonlydir", other.directory / "appendonlydir")
        with pytest.raises(process.ServerError, match="Valkey"):
            valkey.start(other)
        assert (other.directory / "appendonlydir").exists()
    finally:
        valkey.stop(running)


def test_data_without_its_secrets_is_reported(tmp_path: Path) -> None:
    Home.open(tmp_path / "home", ports=(1, 2))
    (tmp_path / "home" / "postgres").mkdir()
    (tmp_path / "home" / "argus.json").unlink()
    with pytest.raises(HomeError, match=r"but not its argus\.json.*backup"):
        Home.open(tmp_path / "home", ports=(1, 2))
    assert not (tmp_path / "home" / "argus.json").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"postgres_port": "abc"}, "postgres_port must be a port, a number from 1 to 65535"),
        ({"valkey_port": 0}, "valkey_port must be a port"),
        ({"valkey_port": True}, "valkey_port must be a port"),
        ({"postgres_password": 5}, "postgres_password must be a text"),
        ({"secret": None}, "secret must be a text"),
        ({"jwt_secret": ...}, "jwt_secret is missing"),
        ({"more": 1}, "more is none of its keys, postgres_port, "),
        ([], "it must be a JSON object"),
        ("text", "it is no JSON"),
    ],
)
def test_a_damaged_file_is_reported_by_its_key(tmp_path: Path, change: object, message: str) -> None:
    Home.open(tmp_path / "home", ports=(1, 2))
    path = tmp_path / "home" / "argus.json"
    if isinstance(change, dict):
        content = json.loads(path.read_text()) | change
        path.write_text(json.dumps({name: value for name, value in content.items() if value is not ...}))
    else:
        path.write_text(json.dumps(change) if isinstance(change, list) else "{")
    with pytest.raises(HomeError) as refused:
        Home.open(tmp_path / "home", ports=(1, 2))
    assert f"argus.json is damaged: {message}" in str(refused.value)
    assert "backup" in str(refused.value)


def test_a_wrong_password_is_reported_at_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("password")
    account = account_for(directory, programs(), valkey.program())
    admit(account, directory)
    server = postgres.PostgresServer(directory / "postgres", directory / "p.log", account, free_port(), "right")
    postgres.prepare(server)
    with pytest.raises(process.ServerError, match=r"refuses the postgres_password in .*/argus\.json"):
        postgres.start(replace(server, password="wrong"), settings={}, patience=process.Patience(stalled_s=300))
    postgres.stop(postgres.start(server, settings={}))


def test_a_wait_ends_when_the_operator_asks(tmp_path: Path) -> None:
    said_s = time.monotonic()
    patience = process.Patience(is_over=lambda: time.monotonic() - said_s > 0.2)
    with subprocess.Popen(["sleep", "60"]) as sleeping:
        with pytest.raises(process.StartEndedError):
            process.wait_until(lambda: False, process=sleeping, name="it", log=tmp_path / "log", patience=patience)
        sleeping.kill()


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    mode = tmp_path.stat().st_mode
    with pytest.raises(HomeError, match=r"is not empty.*photo\.jpg.*--home"):
        Home.open(tmp_path, ports=(1, 2))
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]
    assert tmp_path.stat().st_mode == mode


def test_an_interrupted_first_start_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "lock").touch()
    (tmp_path / "argus.json.123").touch()
    assert Home.open(tmp_path, ports=(1, 2)).postgres_port == 1


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(process, "time", made)
    return made


def test_a_start_may_take_long_while_it_makes_progress(clock: Clock, tmp_path: Path) -> None:
    log = tmp_path / "log"
    said: list[str] = []
    wait = process.Wait(name="PostgreSQL", log=log, patience=process.Patience(say=said.append))
    for second in range(1, 300):
        clock.now += 1
        log.write_text("redo in progress\n" * (1 + second // 30))
        wait.look([])
    assert said[0] == "Waiting for PostgreSQL (11 s): redo in progress"
    log.write_text("ready?")
    clock.now += 1
    wait.look([])
    clock.now += 60
    wait.look([])
    clock.now += 1
    with pytest.raises(process.ServerError, match=r"PostgreSQL did not answer, and has made no progress for 60 s"):
        wait.look([])


def test_a_start_may_be_given_a_time_in_all(clock: Clock, tmp_path: Path) -> None:
    log = tmp_path / "log"
    wait = process.Wait(name="Valkey", log=log, patience=process.Patience(deadline_s=130.0))
    for second in range(30):
        clock.now += 1
        log.write_text("x" * second)
        wait.look([])
    clock.now += 1
    with pytest.raises(process.ServerError, match="Valkey did not answer within 31 s"):
        wait.look([])


def test_processor_time_is_progress() -> None:
    before = process.ticks_used(1)
    assert before >= 0
    assert process.ticks_used(2**22 + 1) == 0
