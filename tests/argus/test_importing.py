"""`argus import` and `argus export`, on a database: streams, dry runs, refusals, and a round trip of a graph."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from argus.cli.main import main
from domain.exchange.imports.entities import entities_apply
from domain.exchange.imports.files import Format, records_read
from domain.exchange.imports.records import EdgeRecord, EntityRecord, Remark
from runtime.database import transaction
from testing.installation import SHARED_DATA
from testing.servers import PASSWORD, TestDatabase

GRAPH: list[dict[str, Any]] = [
    {"record": "entity", "kind": "ASSET", "externalId": "P-1", "name": "Pump", "type": "pump", "attributes": {"kW": 5}},
    {"record": "entity", "kind": "DEVICE", "externalId": "M-7", "name": "Meter", "firmwareVersion": "1.2"},
    {"record": "entity", "kind": "PERSON", "externalId": "ann", "name": "Ann", "email": "ann@example.org"},
    {"record": "entity", "kind": "SPACE", "name": "Yard", "location": {"type": "Point", "coordinates": [8.5, 47.25]}},
    {
        "record": "edge", "source": "P-1", "relationship": "MONITORED_BY", "target": "M-7", "port": 2,
        "validFrom": "2024-03-01T00:00:00Z", "validUntil": "2030-01-01T00:00:00Z", "metadata": {"metrics_mapping": {"t": "x"}},
    },
    {"record": "edge", "source": "ann", "relationship": "LOCATED_IN", "target": "P-1", "validFrom": "2024-03-02T00:00:00Z"},
]  # fmt: skip


@pytest.fixture
def argus(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`argus(word, ...)`: run a command on the test's database; its status, output and errors."""
    for role in ("owner", "api", "ingest", "pipeline"):
        name = "ARGUS_DATABASE_URL" + ("" if role == "owner" else f"_{role.upper()}")
        monkeypatch.setenv(name, database.url(role))
    monkeypatch.setenv("ARGUS_REDIS_URL", "redis://127.0.0.1:1/0")
    # It is no setting, and every command would say so.
    monkeypatch.delenv("ARGUS_TEST_PATIENCE", raising=False)
    monkeypatch.setenv("ARGUS_SECRET", "a secret of this test, long enough for a token")

    def run(*words: str) -> tuple[int, str, str]:
        status = main(words)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    for name in ("one", "other"):
        assert run("organization", "create", name)[0] == 0
    return run


def count(engine: Callable[[str], Engine], table: str) -> int:
    with transaction(engine("owner")) as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_a_graph_goes_from_one_organization_to_another(argus: Any, tmp_path: Path) -> None:
    file = written(tmp_path / "graph.ndjson", GRAPH)
    status, out, _ = argus("import", "graph", str(file), "--organization", "one", "--json")
    assert status == 0
    made = json.loads(out)
    assert (made["created"], made["edges_created"], made["remarks"], made["dry_run"]) == (4, 2, [], False)
    exports = [tmp_path / "one.ndjson", tmp_path / "other.ndjson"]
    status, out, _ = argus("export", "graph", "--organization", "one", "--out", str(exports[0]), "--json")
    assert (status, json.loads(out)) == (0, {"entities": 4, "edges": 2})
    for organization in ("other", "one", "other"):
        assert argus("import", "graph", str(exports[0]), "--organization", organization)[0] == 0
    assert argus("export", "graph", "--organization", "other", "--out", str(exports[1]))[0] == 0
    first, second = (sorted(path.read_text().splitlines()) for path in exports)
    assert first == second
    said = {record.get("externalId", record.get("relationship")): record for record in map(json.loads, first)}
    assert said["ann"]["email"] == "ann@example.org"
    assert said["MONITORED_BY"] == {
        **GRAPH[4], "source": {"kind": "ASSET", "externalId": "P-1"}, "target": {"kind": "DEVICE", "externalId": "M-7"},
        "exclusive": False,
    }  # fmt: skip
    # As of a time before the person came, the export has one edge less.
    status, out, err = argus("export", "graph", "--organization", "one", "--as-of", "2024-03-01T12:00:00Z")
    assert (status, out.count('"record":"edge"'), err) == (0, 1, "4 entities, 1 edges written\n")


def test_an_export_that_fails_leaves_the_file_as_it_was(
    argus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argus("import", "graph", str(written(tmp_path / "graph.ndjson", GRAPH)), "--organization", "one")
    (tmp_path / "out").mkdir()
    file = tmp_path / "out" / "one.ndjson"
    command = ("export", "graph", "--organization", "one", "--out", str(file))

    def broken(*_arguments: Any, **_named: Any) -> Iterator[dict[str, Any]]:
        yield {"record": "entity"}
        raise KeyboardInterrupt

    for before in (None, "as it was"):
        if before is not None:
            file.write_text(before)
        with monkeypatch.context() as patch:
            patch.setattr("argus.cli.exporting.graph_export", broken)
            assert argus(*command)[0] == 130
        assert [item.read_text() for item in file.parent.iterdir()] == ([] if before is None else [before])
    assert argus(*command)[0] == 0
    assert [item.name for item in file.parent.iterdir()] == ["one.ndjson"]
    assert len(file.read_text().splitlines()) == 7
    status, _, err = argus(*command[:-1], "/dev/full")
    assert (status, "cannot be written: No space left on device." in err) == (1, True)
    status, _, err = argus(*command[:-1], str(tmp_path / "none" / "x"))
    assert (status, "No such file or directory." in err) == (1, True)


def standard_input(data: bytes) -> io.TextIOWrapper:
    # In the encoding of the locale, which may be any.
    return io.TextIOWrapper(io.BytesIO(data), encoding="ascii")


def test_standard_input_is_imported_and_faulty_lines_are_reported(
    argus: Any, monkeypatch: pytest.MonkeyPatch, engine: Callable[[str], Engine]
) -> None:
    lines = [json.dumps(GRAPH[0]), '{"record": "entity", "kind": "ASSET"}', "{", json.dumps(GRAPH[1])]
    given = "".join(f"{line}\n" for line in lines)
    monkeypatch.setattr("sys.stdin", standard_input(given.encode()))
    status, out, err = argus("import", "graph", "-", "--organization", "one", "--dry-run")
    assert (status, count(engine, "entities"), count(engine, "changes")) == (1, 0, 0)
    assert "Would have: entities: 2 created" in out
    monkeypatch.setattr("sys.stdin", standard_input(given.encode()))
    status, out, err = argus("import", "graph", "-", "--organization", "one")
    assert (status, count(engine, "entities")) == (1, 2)
    assert [line.partition(":")[0] for line in err.splitlines()] == ["line 2", "line 3"]
    assert all("[BAD_USER_INPUT]" in line for line in err.splitlines())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_standard_input_is_read_as_a_file_is(
    argus: Any, monkeypatch: pytest.MonkeyPatch, encoding: str, engine: Callable[[str], Engine]
) -> None:
    line = json.dumps({**GRAPH[0], "name": "Lüfter"}, ensure_ascii=False)
    monkeypatch.setattr("sys.stdin", standard_input(line.encode(encoding)))
    assert argus("import", "graph", "-", "--organization", "one")[0] == 0
    with transaction(engine("owner")) as session:
        assert session.scalars(text("SELECT name FROM entities")).all() == ["Lüfter"]


def test_an_error_in_the_middle_of_a_graph_is_reported_after_what_was_done(
    argus: Any, engine: Callable[[str], Engine], tmp_path: Path
) -> None:
    file = written(tmp_path / "many.ndjson", [{**GRAPH[0], "externalId": f"P-{n}"} for n in range(1_500)])
    file.write_bytes(file.read_bytes() + b"\xff\n")
    status, out, err = argus("import", "graph", str(file), "--organization", "one")
    assert (status, count(engine, "assets")) == (1, 1_000)
    assert out.startswith("entities: 1000 created")
    assert err.startswith("argus: The file is not utf-8 (byte 0xff)")
    status, out, _ = argus("import", "graph", str(file), "--organization", "one", "--json")
    result = json.loads(out)
    assert (status, result["unchanged"], "0xff" in result["error"]) == (1, 1_000, True)


def test_output_that_cannot_be_written_is_no_error_of_the_file(
    argus: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Broken(io.StringIO):
        error: type[OSError] | OSError = BrokenPipeError

        def write(self, _text: str, /) -> int:
            raise self.error

    file = written(tmp_path / "graph.ndjson", GRAPH)
    broken = Broken()
    monkeypatch.setattr("sys.stdout", broken)
    # Nobody reads on: as if the signal had ended it, without a word.
    status, _, err = argus("import", "graph", str(file), "--organization", "one")
    assert (status, err) == (141, "")
    for command in (("export", "graph", "--organization", "one"), ("organization", "list")):
        status, _, err = argus(*command)
        assert (status, err) == (141, "")
    broken.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    status, _, err = argus("export", "graph", "--organization", "one")
    assert (status, err) == (1, "argus: The output cannot be written: No space left on device.\n")
    monkeypatch.setattr("sys.stdout", None)
    status, _, err = argus("export", "graph", "--organization", "one")
    assert (status, err) == (1, "argus: Standard output is closed: name a file with --out.\n")


def test_a_file_at_fault_in_every_line_is_summed_up(argus: Any, tmp_path: Path) -> None:
    file = written(tmp_path / "faults.ndjson", [{"record": "entity", "kind": "PUMP", "name": "x"}] * 130)
    status, _, err = argus("import", "graph", str(file), "--organization", "one")
    lines = err.splitlines()
    assert (status, len(lines)) == (1, 101)
    assert lines[-1] == "and 30 more (30 BAD_USER_INPUT); --json has all of them"
    _, out, _ = argus("import", "graph", str(file), "--organization", "one", "--json")
    assert len(json.loads(out)["remarks"]) == 130


def test_csv_is_known_by_its_name(argus: Any, tmp_path: Path) -> None:
    entities, edges = tmp_path / "things.csv", tmp_path / "edges.CSV"
    entities.write_text("\ufeffkind,externalId,name,attributes.kW\nASSET,P-1,Pump,5\nDEVICE,M-7,Meter,\n")
    edges.write_text("source,relationship,target,port\nP-1,MONITORED_BY,M-7,1\n")
    for file, made in ((entities, (2, 0)), (edges, (0, 1))):
        status, out, _ = argus("import", "graph", str(file), "--organization", "one", "--json")
        report = json.loads(out)
        assert (status, report["created"], report["edges_created"]) == (0, *made)


def test_a_file_that_is_not_there_is_reported(argus: Any, tmp_path: Path) -> None:
    status, _, err = argus("import", "graph", str(tmp_path / "nothing.ndjson"), "--organization", "one")
    assert status == 1
    assert "cannot be read" in err


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is not here")
def test_a_model_that_does_not_parse_changes_nothing(argus: Any, engine: Callable[[str], Engine]) -> None:
    file = SHARED_DATA / "brick" / "broken_ebu3b_brick.ttl"
    status, _, err = argus("import", "brick", str(file), "--organization", "one")
    assert status == 1
    assert "line 6074" in err
    assert (count(engine, "entities"), count(engine, "entity_edges"), count(engine, "changes")) == (0, 0, 0)


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is not here")
def test_a_round_trip_of_a_whole_building(argus: Any, tmp_path: Path) -> None:
    soda, out = SHARED_DATA / "brick" / "soda_brick.ttl", tmp_path / "soda.ndjson"
    status, _, err = argus(
        "import", "brick", str(soda), "--organization", "one", "--valid-from", "2020-01-01T00:00:00Z"
    )
    assert status == 0
    assert [line.rpartition("#")[2].partition(":")[0] for line in err.splitlines()] == ["floor_8", "floor_o"]
    assert argus("export", "graph", "--organization", "one", "--out", str(out))[0] == 0
    status, output, _ = argus("import", "graph", str(out), "--organization", "other", "--json")
    assert status == 0
    made = json.loads(output)
    assert (made["created"], made["edges_created"]) == (1_696, 1_926)
    again = tmp_path / "again.ndjson"
    assert argus("export", "graph", "--organization", "other", "--out", str(again))[0] == 0
    assert sorted(again.read_text().splitlines()) == sorted(out.read_text().splitlines())


BUILDING = """
@prefix brick: <https://brickschema.org/schema/Brick#> .
@prefix : <urn:x#> .
:room a brick:Room ; brick:hasPoint :t ; brick:isServedBy :plc, :ahu .
:t a brick:Zone_Air_Temperature_Sensor ; brick:hasPoint :room .
:ahu a brick:AHU ; brick:feeds :room, :nowhere ; brick:drawnOn :sheet .
:plc a brick:Controller .
"""
SERVED = "https://brickschema.org/schema/Brick#isServedBy"


def test_what_is_not_understood_is_counted_and_refuses_nothing(argus: Any, tmp_path: Path) -> None:
    file = tmp_path / "building.ttl"
    file.write_text(BUILDING)
    command = ("import", "brick", str(file), "--organization", "one")
    status, out, _ = argus(*command, "--dry-run", "--json")
    report = json.loads(out)
    assert (status, report["created"], report["edges_created"], report["links_from_now"]) == (0, 4, 2, 1)
    assert report["not_understood"] == {"https://brickschema.org/schema/Brick#drawnOn": 1, SERVED: 2}
    status, _, err = argus(*command)
    assert status == 0
    lines = err.splitlines()
    assert len(lines) == 5
    assert f"{SERVED}: 2 statements are not understood; left out" in lines
    assert "https://brickschema.org/schema/Brick#drawnOn: 1 statement is not understood; left out" in lines
    # A record that is refused: a circle of parts.
    file.write_text(f"{BUILDING} :ahu brick:hasPart :fan . :fan a brick:Fan ; brick:hasPart :ahu .")
    assert argus(*command)[0] == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_model_may_begin_with_a_byte_order_mark(argus: Any, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "building.ttl"
    file.write_text(BUILDING, encoding=encoding)
    status, out, _ = argus("import", "brick", str(file), "--organization", "one", "--dry-run", "--json")
    assert (status, json.loads(out)["created"]) == (0, 4)
    file.write_bytes("# Lüftung".encode("latin-1"))
    status, _, err = argus("import", "brick", str(file), "--organization", "one")
    assert status == 1
    assert "cannot be read" in err


def test_links_from_now_on_do_not_meet_earlier_readings(
    argus: Any, engine: Callable[[str], Engine], tmp_path: Path
) -> None:
    file = tmp_path / "building.ttl"
    file.write_text(BUILDING)
    command = ("import", "brick", str(file), "--organization", "one")
    status, out, _ = argus(*command, "--json")
    report = json.loads(out)
    [remark] = [remark for remark in report["remarks"] if remark["subject"] == "links"]
    assert (status, remark["code"], "earlier readings will not be attributed" in remark["message"]) == (0, None, True)
    # As the remark says, the same import with a time has them begin then, once.
    dated = (*command, "--valid-from", "2015-01-01T00:00:00Z", "--json")
    for corrected, unchanged in ((2, 0), (0, 2)):
        status, out, _ = argus(*dated)
        report = json.loads(out)
        assert (status, report["edges_created"]) == (0, 0)
        assert (report["edges_updated"], report["edges_unchanged"]) == (corrected, unchanged)
        assert "--valid-from" not in out
    with transaction(engine("owner")) as session:
        begins = session.scalars(text("SELECT lower(valid)::date::text FROM entity_edges WHERE upper_inf(recorded)"))
        assert set(begins) == {"2015-01-01"}


def test_an_import_that_is_interrupted_says_what_is_done(
    argus: Callable[..., tuple[int, str, str]],
    engine: Callable[[str], Engine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count_records = 2_500
    file = written(
        tmp_path / "many.ndjson",
        [
            {"record": "entity", "kind": "ASSET", "externalId": f"P-{n}", "name": f"Pump {n}"}
            for n in range(count_records)
        ],
    )
    chunks: list[int] = []

    def interrupted(*arguments: Any, **named: Any) -> None:
        chunks.append(len(named["records"]))
        entities_apply(*arguments, **named)
        if len(chunks) == 2:
            # As Ctrl-C does, after the second chunk was written and before it is committed.
            raise KeyboardInterrupt

    monkeypatch.setattr("domain.exchange.imports.apply.entities_apply", interrupted)
    status, out, err = argus("import", "graph", str(file), "--organization", "one", "--json")
    assert status == 130
    done = json.loads(out)
    assert (done["created"], done["interrupted"]) == (1_000, True) == (count(engine, "assets"), True)
    assert err == ""
    chunks.clear()
    status, out, err = argus("import", "graph", str(file), "--organization", "one")
    assert status == 130
    assert out.startswith("entities: 0 created, 0 updated, 1000 unchanged")
    assert "Interrupted: what is counted here is done and stays. Run it again to do the rest." in err


def test_database_errors_are_reported_without_statements(
    argus: Callable[..., tuple[int, str, str]], engine: Callable[[str], Engine]
) -> None:
    with transaction(engine("owner")) as session:
        session.execute(text("ALTER TABLE organizations RENAME TO elsewhere"))
    status, out, err = argus("organization", "list")
    assert (status, out) == (1, "")
    assert err == "argus: The database has no schema of Argus, or an older one: run `argus migrate`.\n"
    assert "SELECT" not in err


def test_migrate_and_token_speak_json(
    argus: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGUS_JWT_SECRET", "a secret of this test, long enough for HS256")
    status, out, _ = argus("token", "create", "--organization", "one", "--role", "viewer", "--json")
    made = json.loads(out)
    assert (status, made["organization"], made["role"], made["subject"]) == (0, "one", "viewer", "argus token")
    assert made["token"].count(".") == 2
    assert made["expires_at"].endswith("+00:00")
    # Roles are those of all databases of the server: migrating must not give them other passwords.
    for role in ("API", "INGEST", "PIPELINE"):
        monkeypatch.setenv(f"ARGUS_ROLE_PASSWORD_{role}", PASSWORD)
    status, out, err = argus("migrate", "--json")
    done = json.loads(out)
    assert (status, err, done["left"]) == (0, "", [])
    assert done["revision"] == done["revision_before"] is not None
    status, out, err = argus("migrate")
    assert out == f"The database is up to date (revision {done['revision']}).\n"


def test_a_database_of_another_schema_is_refused_in_a_sentence(
    argus: Callable[..., tuple[int, str, str]], engine: Callable[[str], Engine]
) -> None:
    with transaction(engine("owner")) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0039'"))
    status, out, err = argus("migrate")
    assert (status, out) == (1, "")
    assert err.startswith("argus: The database has the schema of a development version of Argus (revision 0039)")
    assert "new data directory" in err
    assert "Traceback" not in err


def test_a_misspelt_variable_is_reported_at_every_command(
    argus: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGUS_PARTITION", "4")
    status, _, err = argus("organization", "list")
    assert status == 0
    assert err == ("argus: ARGUS_PARTITION is no setting of Argus and has no effect. Did you mean ARGUS_PARTITIONS?\n")


@pytest.mark.parametrize(
    "command",
    [
        ("check",), ("check", "--found"), ("check", "--repair"), ("export", "graph"), ("import", "graph", "FILE"),
        ("import", "brick", "TURTLE"), ("import", "series", "FILE"), ("simulate",), ("token", "create", "--role", "admin"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_reports_an_unknown_organization(
    argus: Callable[..., tuple[int, str, str]], command: tuple[str, ...], tmp_path: Path
) -> None:
    path = written(tmp_path / "graph.ndjson", GRAPH)
    turtle = tmp_path / "building.ttl"
    turtle.write_text("<urn:pump> a <https://brickschema.org/schema/Brick#Pump> .")
    words = [{"FILE": str(path), "TURTLE": str(turtle)}.get(word, word) for word in command]
    status, out, err = argus(*words, "--organization", "zz")
    assert (status, out) == (1, "")
    assert "There is no organization 'zz'. There are: one, other." in err


def test_the_records_in_the_help_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["import", "graph", "--help"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    ndjson = list(records_read([line for line in lines if line.startswith('{"record"')], Format.NDJSON))
    assert list(map(type, ndjson)) == [EntityRecord, EdgeRecord]
    begin = next(n for n, line in enumerate(lines) if line.startswith("kind,"))
    # Two tables beside each other.
    halves = [[part.strip() + "\n" for part in line.split("   ", 1)] for line in lines[begin : begin + 2]]
    tables = [item for table in zip(*halves, strict=True) for item in records_read(table, Format.CSV)]
    assert list(map(type, tables)) == [EntityRecord, EdgeRecord]
    for one, other in zip(ndjson, tables, strict=True):
        assert not isinstance(one, Remark)
        assert replace(one, line=2) == other


def test_a_table_of_a_graph_is_read_with_the_options_of_a_log(
    argus: Any, tmp_path: Path, engine: Callable[[str], Engine]
) -> None:
    argus("import", "graph", str(written(tmp_path / "graph.ndjson", GRAPH[:2])), "--organization", "one")
    file = tmp_path / "links.csv"
    file.write_text("Links\nP-1;MONITORED_BY;M-7;31.01.2026 12:00\n")
    command = ("import", "graph", str(file), "--organization", "one", "--skip-lines", "1", "--no-header")
    status, _, err = argus(*command)
    assert (status, "--no-header and --columns belong together" in err) == (2, True)
    columns = ("--columns", "source,relationship,target,validFrom")
    status, out, err = argus(*command, *columns, "--timestamp-format", "d.m.y", "--timezone", "Europe/Zurich")
    assert (status, "edges: 1 created" in out, err) == (0, True, "")
    with transaction(engine("owner")) as session:
        begins = session.scalars(text("SELECT lower(valid) FROM entity_edges")).one()
    assert begins.isoformat() == "2026-01-31T11:00:00+00:00"
