"""What `argus import series` makes of a file: the readings that it would send, and what it says of the rest."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from argus.cli.main import main
from argus.client import ArgusClient, ClientError
from argus.importing.columns import Columns, SeriesError
from argus.importing.series import Sent, series_send
from domain.exchange.tables.cells import CellForm


class Recorder(ArgusClient):
    """A client that keeps what it would send."""

    def __init__(self) -> None:
        self.readings: list[Mapping[str, Any]] = []

    def devices(self, **_where: Any) -> Iterator[dict[str, Any]]:
        return iter(())

    def has_device(self, external_id: str) -> bool:
        return external_id != "nobody"

    def ingest(self, readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        self.readings += readings
        return {"accepted": len(readings), "rejected": 0, "duplicates": 0, "errors": []}


def send(path: Path, data: str | bytes, **form: Any) -> tuple[Sent, list[tuple[str, dict[str, Any]]]]:
    """Send a file; return the result, and each reading's time and metrics."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    client = Recorder()
    form = {"timestamps": ("t",), "device": "probe"} | form
    sent = series_send(path, Columns(**form), client=client, progress=lambda _done, _total: None)
    return sent, [(reading["timestamp"], reading["metrics"]) for reading in client.readings]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def test_a_logger_s_file_of_another_country(file: Path) -> None:
    text = 'Zeit;Größe;Zähler\n31.01.2026 12:00;21,5;"1000"\n31.01.2026 12:10;-nan;1001\n'
    sent, readings = send(
        file, text.encode("latin-1"), timestamps=("Zeit",), timestamp_format="d.m.y", timezone="Europe/Zurich",
        encoding="latin-1", cells=CellForm(decimal=","),
    )  # fmt: skip
    assert readings == [
        ("2026-01-31T11:00:00+00:00", {"Größe": 21.5, "Zähler": 1000}),
        ("2026-01-31T11:10:00+00:00", {"Zähler": 1001}),
    ]
    assert (sent.rows, sent.accepted, sent.faults_total) == (2, 2, 0)


def test_a_cell_that_cannot_be_read_costs_itself_alone(file: Path) -> None:
    sent, readings = send(file, 't,a,b\n2026-01-31,1e400,2\n2026-02-01,"21,5",3\n')
    assert readings == [("2026-01-31T00:00:00+00:00", {"b": 2}), ("2026-02-01T00:00:00+00:00", {"b": 3})]
    assert (sent.rows_failed, sent.cells_failed, sent.faults_total) == (0, 2, 2)
    assert [(fault.line, fault.message.partition(" ")[0]) for fault in sent.faults] == [(2, "a:"), (3, "a:")]


def test_rows_without_a_time_are_left_out_and_all_are_counted(file: Path) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(1_458_031_648_545, 1_458_031_648_795))
    sent, readings = send(file, f"t,a\n2026-01-31T00:00Z,1\n{rows}")
    assert len(readings) == 1
    assert (sent.rows, sent.rows_failed, sent.faults_total, len(sent.faults)) == (251, 250, 250, 100)
    assert "--timestamp-format epoch-ms" in sent.faults[0].message
    sent, readings = send(file, f"t,a\n{rows}", timestamp_format="epoch-ms")
    assert (len(readings), sent.faults_total) == (250, 0)


def test_the_hours_of_a_year_of_local_times_are_all_there(file: Path) -> None:
    rows = ["2020-11-01 00:00", "2020-11-01 01:00", "2020-11-01 01:00", "2020-11-01 02:00"]
    text = "t,a\n" + "".join(f"{at},{n}\n" for n, at in enumerate(rows))
    sent, readings = send(file, text, timezone="America/Los_Angeles")
    assert readings == [(f"2020-11-01T{hour:02}:00:00+00:00", {"a": n}) for n, hour in enumerate((7, 8, 9, 10))]
    assert (sent.times_ambiguous, sent.instants_repeated, sent.faults_total) == (2, 0, 0)
    sent, readings = send(
        file, "t,a\n2020-03-08 01:59,1\n2020-03-08 02:30,2\n2020-03-08 03:00,3\n", timezone="America/Los_Angeles"
    )
    assert [metrics["a"] for _, metrics in readings] == [1, 3]
    assert (sent.rows_failed, sent.faults_total) == (1, 1)


def test_rows_on_one_instant_are_counted_by_device(file: Path) -> None:
    text = "t,d,a\n2026-01-31,x,1\n2026-01-31,y,1\n2026-01-31T00:00Z,x,2\n2026-01-31,,5\n"
    sent, readings = send(file, text, device=None, device_column="d")
    assert len(readings) == 3
    assert (sent.instants_repeated, sent.rows_failed) == (1, 1)


def test_without_a_header_columns_have_numbers(file: Path) -> None:
    sent, readings = send(
        file, "1769860800\t5\t6\n", timestamps=("1",), timestamp_format="epoch-s", has_header=False,
        placed={"2": ("probe", "supply")}, metrics=("2",),
    )  # fmt: skip
    assert readings == [("2026-01-31T12:00:00+00:00", {"supply": 5})]
    assert sent.columns_left_out == ["3"]


def test_a_quotation_mark_that_is_not_closed_costs_its_line_alone(file: Path) -> None:
    sent, readings = send(file, 't,a\n2026-01-31,"1\n2026-02-01,2\n2026-02-02,"3\n2026-02-03,4\n')
    assert [metrics["a"] for _, metrics in readings] == [2, 4]
    assert [fault.line for fault in sent.faults] == [2, 4]
    sent, readings = send(file, 't,a\n2026-01-31,"open\nsoon"\n2026-02-01,2\n')
    assert (len(readings), [fault.line for fault in sent.faults]) == (1, [2, 3])
    many = "".join(f"2026-02-01T{n // 60:02}:{n % 60:02},3\n" for n in range(1_000))
    sent, readings = send(file, f't,a\n2026-01-31,1\n2026-01-31T12:00,"2\n{many}')
    assert (len(readings), sent.rows, sent.rows_failed) == (1_001, 1_002, 1)
    assert (sent.faults[0].line, "is not closed" in sent.faults[0].message) == (3, True)


def test_a_header_may_have_line_breaks(file: Path) -> None:
    _, readings = send(file, 't,"a\n(C)"\n2026-01-31,1\n')
    assert readings == [("2026-01-31T00:00:00+00:00", {"a\n(C)": 1})]


def test_what_programs_print_after_a_delimiter_is_no_part_of_a_cell(file: Path) -> None:
    _, readings = send(file, 't, "a", "b"\n2026-01-31, "1", "on, off"\n')
    assert readings == [("2026-01-31T00:00:00+00:00", {"a": 1, "b": "on, off"})]


def test_a_date_and_a_time_of_columns_of_their_own_are_joined(file: Path) -> None:
    text = "Datum;Zeit;a\n31.01.2026;12:00;1\n31.01.2026;;2\n;;\n"
    sent, readings = send(file, text, timestamps=("Datum", "Zeit"), timestamp_format="d.m.y")
    assert readings == [("2026-01-31T12:00:00+00:00", {"a": 1}), ("2026-01-31T00:00:00+00:00", {"a": 2})]
    assert (sent.rows, sent.faults_total, sent.columns_left_out) == (2, 0, [])


def test_lines_before_the_header_are_skipped(file: Path) -> None:
    sent, readings = send(file, "A logger, v 1\n\nt;a\n2026-01-31;1\n2026-01-32;1\n", skip=2)
    assert readings == [("2026-01-31T00:00:00+00:00", {"a": 1})]
    assert [fault.line for fault in sent.faults] == [5]


def test_names_of_columns_are_one_in_whatever_form_they_come(file: Path) -> None:
    composed, decomposed = "d\u00e9bit", "de\u0301bit"
    for header, named in ((composed, decomposed), (decomposed, composed)):
        text = f"t,{header},z\n2026-01-31,1,2\n"
        _, readings = send(file, text, device=None, placed={named: ("probe", None)}, metrics=(named,))
        assert readings == [("2026-01-31T00:00:00+00:00", {composed: 1})]
    with pytest.raises(SeriesError, match="twice"):
        send(file, f"t,{composed},{decomposed}\n2026-01-31,1,2\n")


def test_texts_among_numbers_are_reported(file: Path) -> None:
    text = "t,a,b,c\n2026-01-31,1,on,1\n2026-02-01,---,off,2\n2026-02-02,---,on,3\n2026-02-03,4,1_0,4\n"
    sent, _ = send(file, text)
    [column] = sent.mixed_columns
    assert (column.column, column.numbers, column.texts, column.example, column.line) == ("a", 2, 2, "---", 3)
    sent, readings = send(file, text, cells=CellForm(absent={"---"}))
    assert (sent.mixed_columns, readings[1][1]) == ([], {"b": "off", "c": 2})


def test_times_without_an_offset_are_counted(file: Path) -> None:
    sent, _ = send(file, "t,a\n2026-01-31 12:00,1\n2026-01-31T12:00:00Z,1\n")
    assert sent.times_local == 1


def test_a_line_of_zero_bytes_costs_itself_alone(file: Path) -> None:
    sent, readings = send(file, "t,a\n2026-01-31,1\n" + "\0" * 5_000 + "\n2026-02-01,2\n2026-02-02,3\0\n")
    assert (len(readings), [fault.line for fault in sent.faults]) == (2, [3, 5])
    assert "zero bytes" in sent.faults[0].message


def test_milliseconds_that_are_seconds_are_no_times_of_1970(file: Path) -> None:
    sent, readings = send(file, "t,a\n1769860800000,1\n1769860800,2\n", timestamp_format="epoch-ms")
    assert (readings, sent.rows_failed) == ([("2026-01-31T12:00:00+00:00", {"a": 1})], 1)
    assert "as epoch-s has" in sent.faults[0].message


def test_an_unknown_device_is_refused_before_anything_is_sent(file: Path) -> None:
    for form in ({"device": "nobody"}, {"device": None, "placed": {"a": ("nobody", None)}}):
        with pytest.raises(SeriesError, match="no device with the external id 'nobody'"):
            send(file, "t,a\n2026-01-31,1\n", **form)


@pytest.mark.parametrize(
    ("data", "form", "message"),
    [
        (b"t,a,a\n", {}, "'a' twice"),
        (b"", {}, "empty"),
        ("t,größe\n".encode("latin-1"), {}, "not utf-8"),
        (b"t,a\n2026-01-31,\xff\n", {}, "not utf-8"),
        ("t,a\n".encode("utf-16-le"), {"encoding": "utf-16"}, "not of the encoding"),
        ("t,a\n".encode("utf-16"), {"encoding": "latin-1"}, "mark of utf-16, and is not latin-1"),
        ("t,a\n".encode("utf-8-sig"), {"encoding": "cp1252"}, "mark of utf-8, and is not cp1252"),
        (b'"t,a\n2026-01-31,1\n', {}, "first line cannot be read: A quotation mark"),
        (b"t,a\n", {"timestamp_format": "soon"}, "no form of times"),
        (b"t,a\n", {"timezone": "Moon"}, "no IANA time zone"),
        (b"t,a\n", {"encoding": "klingon"}, "no encoding"),
        (b"time,a\n", {}, "no column t; it has time, a. Name the column of times with --timestamp-column"),
        (b"t,a,b\n", {"placed": {"a": ("x", "m"), "b": ("x", "m")}}, "a and b both have the metric m of x"),
        (b"t,a,b\n", {"placed": {"a": ("probe", "b")}}, "a and b both have the metric b of probe"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_a_sentence(
    file: Path, data: bytes, form: dict[str, Any], message: str
) -> None:
    with pytest.raises(SeriesError, match=message):
        send(file, data, **form)


def test_a_row_names_a_metric_of_a_device_once(file: Path) -> None:
    text = "t,d,a,b\n2026-01-31,x,1,2\n2026-01-31,y,3,4\n"
    sent, readings = send(file, text, device=None, device_column="d", placed={"a": ("x", "b")})
    assert [metrics for _, metrics in readings] == [{"b": 1}, {"b": 3}, {"b": 4}]
    assert (sent.cells_failed, sent.faults[0].line) == (1, 2)


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    totals: list[int | None] = []

    def write() -> None:
        with pipe.open("w") as file:
            file.write("t,a\n2026-01-31,1\n2026-02-01,2\n")

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    client = Recorder()
    columns = Columns(timestamps=("t",), device="probe")
    sent = series_send(pipe, columns, client=client, progress=lambda _done, total: totals.append(total))
    writer.join()
    assert (sent.rows, sent.accepted, totals) == (2, 2, [None])


class Limited(Recorder):
    """A client whose quota takes a few readings at once, and of some nothing ever; one reading is always refused."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.said = most, []  # type: ignore[var-annotated]
        self._on_retry = self.said.append

    def ingest(self, readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        errors, taken = [], 0
        for n, reading in enumerate(readings):
            code = "BAD" if reading["metrics"]["a"] == 7 else "" if taken < self.most else "RATE_LIMITED"
            if code:
                errors.append({"code": code, "message": f"{code}.", "path": ["readings", str(n), "metrics"]})
            else:
                self.readings.append(reading)
                taken += 1
        return {"accepted": taken, "rejected": len(errors), "duplicates": 0, "errors": errors}


def test_a_quota_slows_an_import_and_costs_no_reading(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("t,a\n" + "".join(f"{1_700_000_000 + n},{n}\n" for n in range(25)))
    columns = Columns(timestamps=("t",), timestamp_format="epoch-s", device="probe")
    pauses: list[float] = []
    monkeypatch.setattr("argus.client.time.sleep", pauses.append)
    client = Limited(10)
    sent = series_send(file, columns, client=client, progress=lambda _done, _total: None)
    assert sorted(reading["metrics"]["a"] for reading in client.readings) == [n for n in range(25) if n != 7]
    assert (sent.accepted, sent.rejected, pauses, len(client.said)) == (24, 1, [1.0, 1.0], 1)
    assert [(fault.line, fault.message) for fault in sent.faults] == [(9, "BAD. (BAD)")]
    # One that takes nothing for minutes is no quota to wait for.
    pauses.clear()
    sent = series_send(file, columns, client=Limited(0), progress=lambda _done, _total: None)
    assert (sent.accepted, sent.rejected, sent.faults_total) == (0, 25, 25)
    assert [fault.line for fault in sent.faults] == list(range(2, 27))
    assert 100 < sum(pauses) < 300


class Failing(Recorder):
    """A client whose second call is refused."""

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        super().__init__()

    def ingest(self, readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if self.readings:
            msg = "The API has gone."
            raise ClientError(msg, code="UNAVAILABLE")
        return super().ingest(readings)

    def close(self) -> None:
        """There is no connection."""


class Patient(Failing):
    """A client that is never refused."""

    def ingest(self, readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return Recorder.ingest(self, readings)


@pytest.mark.parametrize(("client", "message"), [(Failing, "The API has gone."), (Patient, "not utf-8 (byte 0xff)")])
def test_an_error_in_the_middle_of_a_file_is_reported_after_what_was_sent(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client: type[ArgusClient],
    message: str,
) -> None:
    # Beyond what is decoded at once.
    rows = "".join(f"{second},{'1' * 15}\n" for second in range(1_700_000_000, 1_700_000_000 + 2_500))
    file.write_bytes(f"t,a\n{rows}".encode() + b"\xff\n")
    monkeypatch.setattr("argus.cli.importing_series.ArgusClient", client)
    ended: list[bool] = []
    monkeypatch.setattr("argus.cli.importing_series.progress_end", lambda: ended.append(True))
    command = ["import", "series", str(file), "--organization", "one", "--token", "x", "--device", "probe"]
    command += ["--timestamp-column", "t", "--timestamp-format", "epoch-s"]
    accepted = 1_000 if client is Failing else 2_000
    assert main(command) == 1
    captured = capsys.readouterr()
    assert f"{accepted} readings accepted" in captured.out
    assert captured.err.startswith("argus: ")
    assert message in captured.err
    assert main([*command, "--json"]) == 1
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert (result["accepted"], message in result["error"], result["interrupted"]) == (accepted, True, False)
    assert ended == [True, True]
    # Of a file of which nothing was read, the error alone.
    file.unlink()
    assert main([*command, "--json"]) == 1
    captured = capsys.readouterr()
    assert (captured.out, "No such file" in captured.err) == ("", True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--map", "a=x", "--map", "a=y::b"), "'a' twice"),
        (("--device", "x", "--device-column", "a"), "not allowed with"),
        (("--device", "x", "--url", "localhost"), "is not an address"),
        (("--timezone", "Moon"), "no IANA time zone 'Moon'"),
        (("--timestamp-format", "soon"), "no form of times 'soon'"),
        (("--encoding", "klingon"), "no encoding 'klingon'"),
        (("--skip-lines", "-1"), "is not a whole number"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    file: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    command = ["import", "series", str(file), "--organization", "one", "--token", "x", *options]
    try:
        status: Any = main(command)
    except SystemExit as ended:
        status = ended.code
    assert (status, message in capsys.readouterr().err) == (2, True)
