"""Tables of text, of any encoding and delimiter."""

from __future__ import annotations

import csv
import gzip
import io
import os
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.exchange.tables.rows import Row, RowFault, Table
from domain.exchange.tables.texts import LINE_MAX_CHARS, lines_read, text_of, undecodable
from graph.errors import BadInputError


def rows(text: str, **form: object) -> list[tuple[int, dict[str, str]]]:
    table = Table(io.StringIO(text, newline=""), **form)  # type: ignore[arg-type]
    return [(row.line, dict(row.cells)) for row in table.rows() if isinstance(row, Row)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    text = f't{delimiter}"a, b; c"\r\n1{delimiter}"2,5"\r\n\r\n3{delimiter}4\r\n'
    assert rows(text) == [(2, {"t": "1", "a, b; c": "2,5"}), (4, {"t": "3", "a, b; c": "4"})]


def test_a_spreadsheet_names_its_delimiter() -> None:
    assert rows("sep=;\r\nt;a,b\r\n1;2\r\n") == [(3, {"t": "1", "a,b": "2"})]


def test_without_a_header_columns_are_numbers() -> None:
    assert rows("\n5;6\n7;8\n", has_header=False) == [(2, {"1": "5", "2": "6"}), (3, {"1": "7", "2": "8"})]


def test_columns_without_a_name_are_left_out() -> None:
    assert rows("a;b;\n1;2;\n") == [(2, {"a": "1", "b": "2"})]


def test_a_row_has_the_cells_it_has() -> None:
    table = Table(io.StringIO("a,b\n1\n1,2,3\n1,2,\n"))
    assert list(table.rows()) == [
        Row(2, {"a": "1"}),
        RowFault(3, "The line has more cells than there are columns."),
        Row(4, {"a": "1", "b": "2"}),
    ]


def test_a_line_that_is_too_long_costs_itself_alone() -> None:
    table = Table(["a,b\n", "1," + "x" * 1_000_001 + "\n", "3,4\n"])
    [fault, row] = table.rows()
    assert isinstance(fault, RowFault)
    assert row == Row(3, {"a": "3", "b": "4"})


def test_a_quotation_mark_that_is_not_closed_is_a_fault() -> None:
    is_open = "A quotation mark opens a cell in this line and is not closed"
    table = Table(io.StringIO('a,b\n1,"2\n3,4\n'))
    assert list(table.rows()) == [RowFault(2, f"{is_open}."), Row(3, {"a": "3", "b": "4"})]
    # The cells of this row have line breaks, and only the last one of it is not closed.
    table = Table(io.StringIO('a,b\n"1\n""x",2\n"3","4\n5,6\n'))
    assert list(table.rows()) == [
        Row(3, {"a": '1\n"x', "b": "2"}),
        RowFault(4, f"{is_open}."),
        Row(5, {"a": "5", "b": "6"}),
    ]
    # The next mark closes it where no cell can end.
    table = Table(io.StringIO('a,b\n1,"2\n3,4\n5,"6"\n'))
    [fault, *rows_] = table.rows()
    assert fault == RowFault(2, f"{is_open} before line 4: ',' expected after '\"'.")
    assert rows_ == [Row(3, {"a": "3", "b": "4"}), Row(4, {"a": "5", "b": "6"})]
    table = Table(io.StringIO('a,b\n1,"2"x\n3,4" wide\n'))
    assert list(table.rows()) == [
        RowFault(2, "This is not CSV: ',' expected after '\"'."), Row(3, {"a": "3", "b": '4" wide'}),
    ]  # fmt: skip


def test_a_quotation_mark_that_is_not_closed_does_not_bring_the_whole_file() -> None:
    table = Table(["a,b\n", '1,"2\n', *(f"{n},{n}\n" for n in range(100_000))])
    [fault, *rows_] = table.rows()
    assert (fault.line, len(rows_), rows_[-1]) == (2, 100_000, Row(100_002, {"a": "99999", "b": "99999"}))


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.text('ab ",;\n', max_size=4), min_size=2, max_size=2), min_size=1, max_size=5),
    st.integers(0, 5), st.booleans(),
)  # fmt: skip
def test_rows_come_back_as_they_were_written(cells: list[list[str]], skip: int, header: bool) -> None:
    file = io.StringIO(newline="")
    file.write("no table\n" * skip)
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(["x", "y"])
    writer.writerows(cells)
    file.seek(0)
    table = Table(file, delimiter=",", skip=skip, has_header=header)
    expected = [row for row in cells if any(cell.strip() for cell in row)]
    read = [list(row.cells.values()) for row in table.rows() if isinstance(row, Row)]
    assert read == (expected if header else [["x", "y"], *expected])


def test_a_row_of_empty_cells_is_none() -> None:
    assert rows("a,b\n,\n1,2\n , \n,,,\n") == [(3, {"a": "1", "b": "2"})]


def test_a_line_without_an_end_is_not_read_whole() -> None:
    class Endless(io.StringIO):
        most = 0

        def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
            line = super().readline(size)
            self.most = max(self.most, len(line))
            return line

    file = Endless("a,b\n1," + "x" * 3_000_000 + "\n3,4")
    [fault, row] = Table(lines_read(file)).rows()
    assert isinstance(fault, RowFault)
    assert row == Row(3, {"a": "3", "b": "4"})
    assert file.most == LINE_MAX_CHARS + 1


@pytest.mark.parametrize(("text", "message"), [("a,b,a\n1,2,3\n", "'a' twice"), ("", "empty"), ("\n \n", "empty")])
def test_a_table_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        Table(io.StringIO(text))


TEXT = "Zeit;Größe\n1;2\n"


@pytest.mark.parametrize(
    ("encoding", "given"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("utf-32", None), ("latin-1", "latin-1"), ("cp1252", "CP1252"),
     ("utf-16-le", "utf-16-le"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16")],
)  # fmt: skip
def test_encodings(encoding: str, given: str | None) -> None:
    file = io.BufferedReader(io.BytesIO(TEXT.encode(encoding)))
    assert Table(text_of(file, given)).columns == ["Zeit", "Größe"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_found_in_however_small_pieces_it_comes(encoding: str) -> None:
    read, write = os.pipe()
    data = TEXT.encode(encoding)

    def trickle() -> None:
        with os.fdopen(write, "wb", buffering=0) as pipe:
            for byte in data:
                pipe.write(bytes([byte]))
                time.sleep(0.001)

    thread = threading.Thread(target=trickle)
    thread.start()
    with os.fdopen(read, "rb") as file:
        assert text_of(file).read() == TEXT
    thread.join()


def test_a_wrong_encoding_is_reported_in_a_sentence() -> None:
    with pytest.raises(UnicodeDecodeError) as refused:
        text_of(io.BufferedReader(io.BytesIO(TEXT.encode("latin-1")))).read()
    assert undecodable(refused.value).startswith("The file is not utf-8 (byte 0xf6): name its encoding")
    with pytest.raises(BadInputError, match="zero bytes"):
        text_of(io.BufferedReader(io.BytesIO(TEXT.encode("utf-16-le"))))
    for begin, kind in ((gzip.compress(b"t,a"), "gzip"), (b"PK\x03\x04...", "xlsx"), (b"\xd0\xcf\x11\xe0\xa1", "xls")):
        with pytest.raises(BadInputError, match=kind):
            text_of(io.BufferedReader(io.BytesIO(begin)))
    with pytest.raises(BadInputError, match="no encoding 'nonsense'"):
        text_of(io.BufferedReader(io.BytesIO(b"a")), "nonsense")
    with pytest.raises(BadInputError, match="no encoding 'base64'"):
        text_of(io.BufferedReader(io.BytesIO(b"a")), "base64")
