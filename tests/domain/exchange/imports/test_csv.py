"""Entities and edges from CSV: how cells become fields, times and attributes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.exchange.imports.files import Format, TableForm, records_read
from domain.exchange.imports.records import EdgeRecord, EntityRecord
from domain.exchange.tables.cells import CellForm
from graph.errors import BadInputError

EDGE_HEADER = "source,relationship,target,validFrom,validUntil"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def from_table(*lines: str, **form: Any) -> list[Any]:
    return list(records_read([f"{line}\n" for line in lines], Format.CSV, table=TableForm(**form)))


def from_csv(*lines: str, **form: Any) -> list[Any]:
    return from_table(*lines, cells=CellForm(**form))


def test_blanks_around_a_cell_are_no_part_of_it() -> None:
    [record] = from_csv("kind, externalId, name, attributes.a", 'ASSET , P-1 , "Pump 1", 5 ')
    assert isinstance(record, EntityRecord)
    assert (record.kind, record.external_id, record.name, record.attributes) == ("ASSET", "P-1", "Pump 1", {"a": 5})


def test_truth_is_read_as_spreadsheets_write_it() -> None:
    [record] = from_csv("kind,name,attributes.a,attributes.b,attributes.c", "ASSET,x,TRUE,false,Truth")
    assert record.attributes == {"a": True, "b": False, "c": "Truth"}
    [edge] = from_csv("source,relationship,target,exclusive", "a,MONITORED_BY,b,TRUE")
    assert edge.exclusive is True


@pytest.mark.parametrize("cell", ["#REF!", "#N/A", "#NAME?"])
def test_an_error_of_a_spreadsheet_is_no_name(cell: str) -> None:
    [remark, record] = from_csv("kind,externalId,name,attributes.a", f"ASSET,{cell},x,1", f"ASSET,P-1,x,{cell}")
    assert (remark.code, remark.path, remark.line) == ("BAD_USER_INPUT", ("externalId",), 2)
    assert record.attributes == {}


def test_half_a_point_is_reported() -> None:
    [remark] = from_csv("kind,name,longitude,latitude", "ASSET,x,8.5,")
    assert (remark.code, remark.path) == ("BAD_USER_INPUT", ("longitude",))


def test_texts_like_numbers_with_a_decimal_comma_are_counted() -> None:
    lines = ("kind;name;attributes.kW;attributes.n", "ASSET;x;5,5;1", "ASSET;y,5;6,25;n", "ASSET;z;7;1,5 m")
    *records, remark = from_csv(*lines)
    assert [record.attributes["kW"] for record in records] == ["5,5", "6,25", 7]
    assert (remark.subject, remark.code, "2 texts" in remark.message, "'5,5'" in remark.message) == (
        "attributes.kW", None, True, True,
    )  # fmt: skip
    assert len(from_csv(*lines, decimal=",")) == 3


def test_a_column_that_no_record_has_is_refused_at_once() -> None:
    for header, column in (("kind,name,External ID", "External ID"), ("source,relationship,target,kind", "kind")):
        with pytest.raises(BadInputError, match=f"There is no column '{column}': "):
            from_csv(header, *["1,2,3"] * 3)


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("d.m.y", "31.01.2026 12:00"), ("m/d/y", "1/31/2026 12:00 PM"), ("excel", "46053.5"), ("epoch-s", "1769860800"),
        ("iso", "2026-01-31 12:00"), ("iso", "2026-01-31T13:00:00+01:00"), ("%d-%b-%y %H:%M", "31-Jan-26 12:00"),
    ],
)  # fmt: skip
def test_times_are_read_in_the_form_that_is_named(form: str, cell: str) -> None:
    [edge] = from_table(EDGE_HEADER, f"a,FEEDS,b,{cell},", timestamp_format=form, timezone="UTC")
    assert isinstance(edge, EdgeRecord)
    assert (edge.valid_from, edge.valid_until) == (NOON, None)
    header = "kind,name,id,deletedAt"
    [gone] = from_table(
        header, f"ASSET,x,{'0' * 8}-0000-7000-8000-{'0' * 12},{cell}", timestamp_format=form, timezone="UTC"
    )
    assert gone.deleted_at == NOON
    [task] = from_table("kind,name,dueAt", f"ACTIVITY,x,{cell}", timestamp_format=form, timezone="UTC")
    assert task.details["due_at"] == NOON


def test_a_time_in_another_form_is_reported_with_the_option_that_reads_it() -> None:
    lines = [EDGE_HEADER, "a,FEEDS,b,,31.01.2026 12:00", "a,FEEDS,b,46053.5,", "a,FEEDS,b,2026-W05-6T12:00:00Z,"]
    remarks = from_table(*lines)
    assert [(remark.line, remark.code, remark.path) for remark in remarks] == [
        (2, "BAD_USER_INPUT", ("validUntil",)),
        (3, "BAD_USER_INPUT", ("validFrom",)),
        (4, "BAD_USER_INPUT", ("validFrom",)),
    ]
    assert ["--timestamp-format d.m.y" in remarks[0].message, "--timestamp-format excel" in remarks[1].message] == [
        True,
        True,
    ]


def test_times_without_an_offset_are_of_the_zone_and_counted_where_none_is_named() -> None:
    rows = [EDGE_HEADER, "a,FEEDS,b,2026-01-31 12:00,2026-02-01T12:00:00Z", "a,FEEDS,c,2026-02-01,"]
    *edges, remark = from_table(*rows)
    assert [edge.valid_from for edge in edges] == [NOON, datetime(2026, 2, 1, tzinfo=UTC)]
    assert (remark.code, remark.line) == (None, None)
    assert remark.message.startswith("2 without an offset were taken as UTC")
    edges = from_table(*rows, timezone="Europe/Zurich")
    assert [edge.valid_from.hour for edge in edges] == [11, 23]
    # An hour that comes twice is the first one, whatever the order of rows; one that never comes is a fault.
    rows = [EDGE_HEADER, *(f"a,FEEDS,b,2026-{time}," for time in ("10-25 02:30", "10-25 02:10", "03-29 02:30"))]
    first, second, fault, remark = from_table(*rows, timezone="Europe/Zurich")
    assert [(edge.valid_from.hour, edge.valid_from.minute) for edge in (first, second)] == [(0, 30), (0, 10)]
    assert (fault.code, fault.path) == ("BAD_USER_INPUT", ("validFrom",))
    assert (remark.code, remark.message[:7]) == (None, "2 were ")


def test_a_table_may_have_no_header_and_lines_before_it() -> None:
    rows = ["Plant,,,", "", "P-1,ASSET,since 1980,Pump", "P-2,ASSET,,Fan"]
    records = from_table(*rows, names=["externalId", "kind", "", "name"], skip=2)
    assert [(item.external_id, item.kind, item.name, item.line) for item in records] == [
        ("P-1", "ASSET", "Pump", 3),
        ("P-2", "ASSET", "Fan", 4),
    ]
    [record] = from_table("Plant", "kind,name", "ASSET,Pump", skip=1)
    assert (record.name, record.line) == ("Pump", 3)
    [fault] = from_table("ASSET,Pump,more", names=["kind", "name"])
    assert (fault.line, fault.code) == (1, "BAD_USER_INPUT")
    for names, message in ((["kind", "name", "name"], "'name' twice"), (["name"], "names the columns")):
        with pytest.raises(BadInputError, match=message):
            from_table("ASSET,Pump", names=names)
