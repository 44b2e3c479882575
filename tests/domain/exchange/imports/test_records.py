"""Entities and edges with dates, from NDJSON and CSV: idempotent, in any order, one fault not stopping the rest."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest
from graphql import GraphQLError
from sqlalchemy import text

from argus.cli.options import instant
from domain.exchange.exports.graph import graph_export
from domain.exchange.imports import apply, files
from domain.exchange.imports.apply import records_apply
from domain.exchange.imports.files import Format, TableForm, records_read
from domain.exchange.imports.outcome import Outcome
from domain.exchange.imports.records import EntityRecord, Remark
from domain.exchange.tables import rows, texts
from domain.exchange.tables.cells import CellForm
from domain.nodes.operations import entity_delete
from gql.base.scalars import date_time_parse
from graph.edges.bulk import EdgeDraft, edges_create
from graph.entities.bulk import NewEntity, entities_create
from graph.entities.model import EntityDraft
from graph.entities.queries import entity_by_external_id
from graph.errors import BadInputError, LimitExceededError
from graph.kinds import EntityKind
from testing.world import World, day, new_id

PUMP = {
    "record": "entity",
    "kind": "ASSET",
    "externalId": "P-1",
    "name": "Pump",
    "type": "pump",
    "attributes": {"kW": 5},
}
HALL = {"record": "entity", "kind": "SPACE", "externalId": "H", "name": "Hall"}
METER = {"record": "entity", "kind": "DEVICE", "externalId": "M-7", "name": "Meter", "firmwareVersion": "1.2"}
IN_HALL = {
    "record": "edge",
    "source": "P-1",
    "relationship": "LOCATED_IN",
    "target": "H",
    "validFrom": "2020-01-02T00:00:00Z",
}
METERED = {
    "record": "edge", "source": {"kind": "ASSET", "externalId": "P-1"}, "relationship": "MONITORED_BY",
    "target": {"kind": "DEVICE", "externalId": "M-7"}, "port": 2, "validFrom": "2020-01-02T01:00:00+01:00",
    "validUntil": "2020-02-01T00:00:00Z", "metadata": {"metrics_mapping": {"t": "temperature"}},
    "exclusive": True,
}  # fmt: skip
PUMP_SHORT = {"record": "entity", "kind": "ASSET", "name": "Pump"}
ALL = [PUMP, HALL, METER, IN_HALL, METERED]


def bring(
    world: World, lines: Iterable[str], form: Format = Format.NDJSON, valid_from: datetime | None = None
) -> Outcome:
    def run(work: Callable[..., Any]) -> Any:
        with world.changing() as (session, change):
            return work(session, change)

    return records_apply(records_read(lines, form), run=run, valid_from=valid_from)


def ndjson(*records: Any) -> list[str]:
    return [json.dumps(record) + "\n" for record in records]


def exported(world: World, as_of: datetime | None = None) -> list[dict[str, Any]]:
    with world.session() as session:
        return list(graph_export(session, organization_id=world.organization_id, as_of=as_of))


def counts(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.created, outcome.updated, outcome.unchanged,
            outcome.edges_created, outcome.edges_updated, outcome.edges_unchanged)  # fmt: skip


def test_an_import_is_idempotent(world: World) -> None:
    assert counts(bring(world, ndjson(*ALL))) == (3, 0, 0, 2, 0, 0)
    assert counts(bring(world, ndjson(*ALL))) == (0, 0, 3, 0, 0, 2)
    by_id = {record.get("externalId", record["record"]): record for record in exported(world, day(5))}
    assert by_id["P-1"]["attributes"] == {"kW": 5}
    assert by_id["M-7"]["firmwareVersion"] == "1.2"
    [metered] = [record for record in exported(world, day(5)) if record.get("relationship") == "MONITORED_BY"]
    assert metered == {**METERED, "validFrom": "2020-01-02T00:00:00Z"}


def test_an_activity_that_is_done_has_its_required_items_done(world: World) -> None:
    item = {"text": "Lock out", "required": True}
    task = {"record": "entity", "kind": "ACTIVITY", "externalId": "T", "name": "Task"}
    bad, good = ({**task, "status": "done", "checklist": [{**item, "done": done}]} for done in (False, True))
    for before in ([], [{**task, "checklist": [item]}]):
        bring(world, ndjson(*before))
        outcome = bring(world, ndjson(bad))
        assert [(remark.code, remark.path) for remark in outcome.remarks] == [("CONFLICT", ("status",))]
        assert counts(outcome) == (0, 0, 0, 0, 0, 0)
    assert counts(bring(world, ndjson(good))) == (0, 1, 0, 0, 0, 0)


def test_an_import_updates_given_fields_and_leaves_others(world: World) -> None:
    bring(world, ndjson(*ALL))
    changed = [
        {**PUMP, "name": "Big pump", "attributes": {"rpm": 900}},
        {key: METER[key] for key in ("record", "kind", "externalId", "name")},
        {**METERED, "validUntil": None},
    ]
    assert counts(bring(world, ndjson(*changed))) == (0, 1, 1, 0, 1, 0)
    by_id = {record.get("externalId", record.get("relationship")): record for record in exported(world)}
    assert by_id["P-1"]["name"] == "Big pump"
    assert by_id["P-1"]["attributes"] == {"kW": 5, "rpm": 900}
    assert by_id["M-7"]["firmwareVersion"] == "1.2"
    assert "validUntil" not in by_id["MONITORED_BY"]


def test_an_edge_may_precede_its_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "CHUNK_RECORDS", 1)
    outcome = bring(world, ndjson(IN_HALL, METERED, METER, HALL, PUMP))
    assert (counts(outcome), outcome.remarks) == ((3, 0, 0, 2, 0, 0), [])


@pytest.mark.parametrize("chunk", [1, 1000])
@pytest.mark.parametrize("order", [1, -1])
def test_corrections_make_room_for_each_other_in_whatever_order_they_come(
    world: World, monkeypatch: pytest.MonkeyPatch, chunk: int, order: int
) -> None:
    monkeypatch.setattr(apply, "CHUNK_RECORDS", chunk)

    def link(source: str, begins: float, ends: float | None, **more: Any) -> dict[str, Any]:
        edge = {"record": "edge", "source": source, "relationship": "MONITORED_BY", "target": "M-7", **more}
        return edge | {
            "validFrom": day(begins).isoformat(),
            "validUntil": None if ends is None else day(ends).isoformat(),
        }

    assets = [{**PUMP, "externalId": name} for name in "ABCDE"]
    stored = [link("B", 0, None), link("C", 31, None), link("D", 90, 100)]
    assert bring(world, ndjson(*assets, METER, *stored)).remarks == []
    # C is alone on the port once B has ended, and E would be but for a day of D's.
    wanted = [
        link("E", 60, 95, exclusive=True),
        link("D", 90, 91),
        link("C", 31, 60, exclusive=True),
        link("B", 0, 31),
    ]
    first, second = (bring(world, ndjson(*wanted[::order])) for _ in range(2))
    assert (first.edges_created, first.edges_updated) == (0, 3)
    assert [remark.code for remark in first.remarks] == ["CONFLICT"]
    assert second.written == 0
    wanted[0] = link("E", 60, 90, exclusive=True)
    third, fourth = (bring(world, ndjson(*wanted[::order])) for _ in range(2))
    assert (third.edges_created, third.remarks, fourth.written, fourth.remarks) == (1, [], 0, [])


def test_a_fault_is_reported_by_its_line_and_the_rest_goes_through(world: World) -> None:
    lines = [
        *ndjson(PUMP, HALL),
        "{not json\n",
        "\n",
        *ndjson(
            {"record": "thing"},
            {**METER, "kind": "GADGET"},
            {**METER, "email": "a@b"},
            {**PUMP, "externalId": "P-2", "name": ""},
            {**IN_HALL, "target": "nowhere"},
            {**IN_HALL, "relationship": "NO_SUCH"},
            {**IN_HALL, "validFrom": "2020-01-02"},
            {**IN_HALL, "validUntil": "2019-01-02T00:00:00Z"},
            {**IN_HALL, "port": 1},
            [1],
            {"record": []},
            IN_HALL,
        ),
    ]
    outcome = bring(world, lines)
    assert counts(outcome) == (2, 0, 0, 1, 0, 0)
    assert sorted((refusal.line, refusal.code, refusal.path) for refusal in outcome.refused) == [
        (3, "BAD_USER_INPUT", ()),
        (5, "BAD_USER_INPUT", ("record",)),
        (6, "BAD_USER_INPUT", ("kind",)),
        (7, "BAD_USER_INPUT", ("email",)),
        (8, "BAD_USER_INPUT", ("name",)),
        (9, "NOT_FOUND", ()),
        (10, "BAD_USER_INPUT", ("relationship",)),
        (11, "BAD_USER_INPUT", ("validFrom",)),
        (12, "BAD_USER_INPUT", ("validUntil",)),
        (13, "BAD_USER_INPUT", ("port",)),
        (14, "BAD_USER_INPUT", ()),
        (15, "BAD_USER_INPUT", ("record",)),
    ]


LAX_TIMES = [
    "2026-W03-1T00:00:00Z", "20260111T00Z", "20260111T000000,5+01:00:30", "2026-01-11T00:00Z", "2026-01-11 00:00:00Z",
    "2026-01-11T00:00:00", "2026-01-11T00:00:00,5Z", "2026-01-11T24:00:00Z", "2026-02-30T00:00:00Z",
    "2026-01-11T00:00:00+01:00:30", "٢٠٢٦-01-11T00:00:00Z", "0001-01-01T00:00:00+01:00",
]  # fmt: skip


@pytest.mark.parametrize("time", LAX_TIMES)
def test_times_are_read_as_strictly_as_by_the_api(time: str) -> None:
    [remark] = records_read(ndjson({**IN_HALL, "validFrom": time}), Format.NDJSON)
    assert isinstance(remark, Remark)
    assert (remark.code, remark.path) == ("BAD_USER_INPUT", ("validFrom",))
    with pytest.raises(argparse.ArgumentTypeError, match="RFC 3339"):
        instant(time)
    with pytest.raises(GraphQLError):
        date_time_parse(time)


def test_an_external_id_of_two_kinds_wants_the_kind_named(world: World) -> None:
    outcome = bring(
        world,
        ndjson(
            PUMP,
            {**HALL, "externalId": "P-1"},
            {**METER, "externalId": "M"},
            {**METERED, "source": "P-1", "target": "M"},
        ),
    )
    assert [(refusal.code, refusal.path) for refusal in outcome.refused] == [("BAD_USER_INPUT", ("source",))]
    assert "asset and a space" in outcome.refused[0].message


def test_the_same_twice_in_a_file_is_one(world: World) -> None:
    outcome = bring(world, ndjson(PUMP, HALL, {**PUMP, "attributes": {"kW": 6}}, IN_HALL, IN_HALL))
    assert counts(outcome) == (2, 1, 0, 1, 0, 1)
    assert [r["attributes"] for r in exported(world) if r.get("externalId") == "P-1"] == [{"kW": 6}]


def test_csv_says_the_same(world: World) -> None:
    entities = [
        "kind,externalId,name,type,attributes.kW,attributes.maker,firmwareVersion,longitude,latitude\n",
        "ASSET,P-1,Pump,pump,5,Acme,,8.5,47.25\n",
        "SPACE,H,Hall,,,,,,\n",
        "DEVICE,M-7,Meter,,,,1.2,,\n",
        "DEVICE,M-8,Meter,,,,1.2,,,too,many\n",
    ]
    outcome = bring(world, entities, Format.CSV)
    assert counts(outcome) == (3, 0, 0, 0, 0, 0)
    assert [(refusal.line, refusal.code) for refusal in outcome.refused] == [(5, "BAD_USER_INPUT")]
    edges = [
        "source,sourceKind,relationship,target,targetKind,port,validFrom,metadata.note\n",
        "P-1,ASSET,MONITORED_BY,M-7,DEVICE,2,2020-01-02T00:00:00Z,\n",
        "P-1,,LOCATED_IN,H,,,,by hand\n",
    ]
    assert counts(bring(world, edges, Format.CSV)) == (0, 0, 0, 2, 0, 0)
    assert counts(bring(world, edges, Format.CSV)) == (0, 0, 0, 0, 0, 2)
    by_id = {record.get("externalId", record.get("relationship")): record for record in exported(world)}
    assert by_id["P-1"]["attributes"] == {"kW": 5, "maker": "Acme"}
    assert by_id["P-1"]["location"] == {"type": "Point", "coordinates": [8.5, 47.25]}
    assert (by_id["MONITORED_BY"]["port"], by_id["LOCATED_IN"]["metadata"]) == (2, {"note": "by hand"})


def test_what_was_deleted_is_not_restored_and_its_external_id_is_free(world: World) -> None:
    bring(world, ndjson(PUMP))
    with world.session() as session:
        was = entity_by_external_id(
            session, organization_id=world.organization_id, kind=EntityKind.ASSET, external_id="P-1"
        )
    assert was is not None
    with world.changing() as (session, change):
        entity_delete(session, change=change, entity_id=was.id)
    outcome = bring(world, ndjson({**PUMP, "id": str(was.id)}))
    assert [(remark.code, remark.path) for remark in outcome.remarks] == [("CONFLICT", ("id",))]
    # By its external id alone it is another.
    assert counts(bring(world, ndjson(PUMP))) == (1, 0, 0, 0, 0, 0)
    assert counts(bring(world, ndjson(PUMP))) == (0, 0, 1, 0, 0, 0)
    # By its id it is the one that was deleted, unless the external id says that it is the other.
    assert counts(bring(world, ndjson({**PUMP, "id": str(was.id)}))) == (0, 0, 1, 0, 0, 0)


def test_a_moved_deletion_has_its_own_time(world: World) -> None:
    gone = {**PUMP_SHORT, "id": str(new_id()), "deletedAt": day(5).isoformat()}
    never = {**PUMP_SHORT, "id": str(new_id()), "deletedAt": "9000-01-01T00:00:00Z"}
    outcome = bring(world, ndjson(gone, never))
    assert [(remark.line, remark.code, remark.path) for remark in outcome.remarks] == [
        (2, "BAD_USER_INPUT", ("deletedAt",))
    ]
    assert {record["id"]: record.get("deletedAt") for record in exported(world)} == {
        gone["id"]: "2020-01-06T00:00:00Z",
        never["id"]: None,
    }
    assert [record["id"] for record in exported(world, day(4))] == [gone["id"], never["id"]]
    assert [record["id"] for record in exported(world, day(5))] == [never["id"]]
    # One of another kind is reported, and stays.
    outcome = bring(world, ndjson({**never, "kind": "SPACE", "deletedAt": day(5).isoformat()}))
    assert [remark.code for remark in outcome.remarks] == ["CONFLICT"]
    assert outcome.written == 0


def test_names_are_one_in_whatever_form_a_file_has_them(world: World) -> None:
    composed, decomposed = "Pum\u00e9", "Pume\u0301"
    for form in (composed, decomposed):
        bring(
            world, ndjson({**PUMP, "externalId": form, "name": form, "type": form}, HALL, {**IN_HALL, "source": form})
        )
    again = [{**PUMP, "externalId": form} for form in (composed, decomposed)]
    assert counts(bring(world, ndjson(*again))) == (0, 1, 1, 0, 0, 0)
    link = {**METERED, "source": decomposed, "metadata": {"metrics_mapping": {decomposed: decomposed}}}
    assert counts(bring(world, ndjson(METER, link, {**IN_HALL, "source": decomposed}))) == (1, 0, 0, 1, 0, 1)
    [stored] = [record for record in exported(world) if record.get("relationship") == "MONITORED_BY"]
    assert stored["metadata"] == {"metrics_mapping": {composed: composed}}


def test_the_metadata_of_a_link_is_what_links_have(world: World) -> None:
    bring(world, ndjson(PUMP, METER, HALL))
    records = [
        {**METERED, "metadata": {"metrics_maping": {"t": "temperature"}}},
        {**METERED, "metadata": {"metrics_mapping": {"t": 1}}},
        {**IN_HALL, "metadata": {"metrics_maping": "of another edge, whatever it says"}},
    ]
    outcome = bring(world, ndjson(*records))
    assert [(remark.line, remark.code, remark.path) for remark in outcome.remarks] == [
        (1, "BAD_USER_INPUT", ("metadata", "metrics_maping")),
        (2, "BAD_USER_INPUT", ("metadata", "metrics_mapping", "t")),
    ]
    assert outcome.edges_created == 1


def test_bounds_are_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "WAITING_MAX", 0)
    monkeypatch.setattr(files, "LINE_MAX_CHARS", 200)
    monkeypatch.setattr(apply, "CHUNK_RECORDS", 1)
    outcome = bring(world, ndjson(IN_HALL, {**PUMP, "name": "x" * 200}, HALL))
    assert [(refusal.line, refusal.code) for refusal in outcome.refused] == [(1, "NOT_FOUND"), (2, "BAD_USER_INPUT")]
    assert outcome.created == 1


def test_more_than_are_written_at_once_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.entities.bulk.DRAFTS_MAX", 1)
    monkeypatch.setattr("graph.edges.bulk.DRAFTS_MAX", 1)
    drafts = [NewEntity(draft=EntityDraft(name="x"))] * 2
    edges = [EdgeDraft(source_id=new_id(), target_id=new_id(), relationship="FEEDS")] * 2
    with world.changing() as (session, change):
        with pytest.raises(LimitExceededError):
            entities_create(session, change=change, kind=EntityKind.ASSET, new=drafts)
        with pytest.raises(LimitExceededError):
            edges_create(session, change=change, drafts=edges)


@pytest.mark.parametrize("form", Format)
def test_a_line_that_is_too_long_is_reported_and_the_next_is_read(
    form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (files, rows, texts):
        monkeypatch.setattr(module, "LINE_MAX_CHARS", 100)
    long = "x" * 1_000
    lines = {
        Format.NDJSON: ndjson(PUMP_SHORT, {**PUMP_SHORT, "name": long}, PUMP_SHORT),
        Format.CSV: ["kind,name\n", "ASSET,Pump\n", f"ASSET,{long}\n", "ASSET,Pump\n"],
    }[form]
    read = list(texts.lines_read(io.StringIO("".join(lines))))
    assert [len(line) for line in read] == [min(len(line), 101) for line in lines]
    first, fault, last = records_read(read, form)
    assert isinstance(first, EntityRecord)
    assert isinstance(fault, Remark)
    assert isinstance(last, EntityRecord)
    assert (fault.code, fault.line, last.line) == ("BAD_USER_INPUT", len(lines) - 1, len(lines))


def test_an_import_that_writes_nothing_leaves_no_trace(world: World) -> None:
    def revision() -> int:
        with world.session() as session:
            return int(session.execute(text("SELECT revision FROM graph_clocks")).scalar_one())

    assert bring(world, ndjson(*ALL)).written == 5
    before = revision()
    again = bring(world, ndjson(*ALL, {**PUMP, "name": ""}, {**IN_HALL, "target": "nowhere"}))
    assert (again.written, len(again.refused)) == (0, 2)
    assert revision() == before
    assert bring(world, ndjson({**PUMP, "status": "off"})).written == 1
    assert revision() == before + 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("a,b", "names the columns"),
        ("", "is empty|names the columns"),
        ("kind,name,name", "'name' twice"),
        ("x" * 200_000, "is not CSV"),
    ],
    ids=["other columns", "none", "one twice", "too long"],
)
def test_csv_without_usable_columns_is_refused_whole(header: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        list(records_read([f"{header}\n", "1,2\n"], Format.CSV))


def test_a_deleted_entity_is_not_restored_by_an_import(world: World) -> None:
    entity_id = str(new_id())
    bring(world, ndjson({**PUMP, "id": entity_id}))
    with world.session() as session:
        session.execute(text("UPDATE entities SET deleted_at = now()"))
    outcome = bring(world, ndjson({**PUMP, "id": entity_id}))
    assert [(refusal.code, refusal.path) for refusal in outcome.refused] == [("CONFLICT", ("id",))]


def test_a_cell_that_is_no_json_is_a_text_and_a_number_beyond_the_doubles_is_refused() -> None:
    cells: list[tuple[str, Any]] = [
        ("-Infinity", "-Infinity"),
        ("[" * 5_000, "[" * 5_000),
        ("9" * 5_000, "9" * 5_000),
    ]
    cells += [("1e21", 1e21), (str(2**64), float(2**64)), (str(2**64 - 1), 2**64 - 1), ("1e16", 10**16)]
    for cell, value in cells:
        [record] = records_read(["kind,name,attributes.v\n", f"ASSET,x,{cell}\n"], Format.CSV)
        assert isinstance(record, EntityRecord)
        assert record.attributes == {"v": value}
    [remark] = records_read(["kind,name,attributes.v\n", "ASSET,x,1e400\n"], Format.CSV)
    assert isinstance(remark, Remark)
    assert (remark.code, remark.path) == ("BAD_USER_INPUT", ("attributes", "v"))


def test_a_cell_without_a_value_gives_no_attribute_and_a_decimal_comma_is_read_where_it_is_named() -> None:
    lines = ["kind;name;attributes.kW;attributes.gone;longitude;latitude\n", "ASSET;x;5,5;#N/A;8,5;47,25\n"]
    [record] = records_read(lines, Format.CSV, table=TableForm(cells=CellForm(decimal=",")))
    assert isinstance(record, EntityRecord)
    assert record.attributes == {"kW": 5.5}
    assert record.location == {"type": "Point", "coordinates": [8.5, 47.25]}
    [remark] = records_read([lines[0], "ASSET;x;5.5;;;\n"], Format.CSV, table=TableForm(cells=CellForm(decimal=",")))
    assert isinstance(remark, Remark)
    assert (remark.code, remark.path) == ("BAD_USER_INPUT", ("attributes", "kW"))


@pytest.mark.parametrize("value", ["NaN", "1e400", "1" + "0" * 400, '"\\ud800"', '"a\\u0000"'])
def test_a_line_with_a_value_that_cannot_be_answered_is_refused_at_its_place(value: str) -> None:
    line = f'{{"record": "entity", "kind": "ASSET", "name": "x", "attributes": {{"v": [{value}]}}}}'
    [remark] = records_read([line], Format.NDJSON)
    assert isinstance(remark, Remark)
    assert (remark.code, remark.path) == ("BAD_USER_INPUT", ("attributes", "v", "0"))


def test_a_name_twice_in_an_object_is_reported() -> None:
    lines = ['{"record": "entity", "kind": "ASSET", "name": "x", "name": "y"}', '{"record": "entity"', "[1]"]
    remarks = list(records_read(lines, Format.NDJSON))
    assert [(remark.line, remark.code) for remark in remarks if isinstance(remark, Remark)] == [
        (1, "BAD_USER_INPUT"), (2, "BAD_USER_INPUT"), (3, "BAD_USER_INPUT"),
    ]  # fmt: skip
    assert [remark.message for remark in remarks if isinstance(remark, Remark)] == [
        "This is not JSON: an object has the name 'name' twice.",
        "This is not JSON: Expecting ',' delimiter, at character 20.",
        "A record is a JSON object, on a line of its own.",
    ]
