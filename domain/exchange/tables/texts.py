"""Open a text file whatever its encoding: as its byte order mark says, as the caller says, else UTF-8."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, TextIO

from graph.errors import BadInputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# The longest first: the mark of UTF-32 begins like that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARK_BYTES: Final = max(len(mark) for mark, _ in _MARKS)
# What files begin with that hold no text: their kind, and what to do.
_NO_TEXT: Final = (
    (b"\x1f\x8b", "compressed (gzip): unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd): unpack it first"),
    (b"\xfd7zX", "compressed (xz): unpack it first"),
    (b"BZh", "compressed (bzip2): unpack it first"),
    (b"PK\x03\x04", "an archive or a spreadsheet (zip, xlsx, ods): unpack it, or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet (xls): save it as CSV"),
    (b"PAR1", "Parquet: write it as CSV"),
    (b"%PDF", "PDF: no table can be read from it"),
)
LINE_MAX_CHARS: Final = 1_000_000


def encoding_check(name: str) -> str:
    """Return the codec's name of an encoding of text. Raises BadInputError."""
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)
    except (LookupError, ValueError):
        message = f"There is no encoding {name!r}; try utf-8, latin-1, cp1252 or utf-16."
        raise BadInputError(message, path=("encoding",)) from None
    return codec.name


def text_of(file: BinaryIO, encoding: str | None = None) -> io.TextIOWrapper:
    """Return a file's text, line ends as they are. encoding: None: by its byte order mark, else UTF-8.

    The file is read from where it is, and stays open. Raises BadInputError where there is no such encoding, the mark is
    of another, or the file begins like UTF-16 without a mark or like a file that holds no text. What cannot be decoded
    raises UnicodeError while it is read; `undecodable` says it in a sentence.
    """
    # As many bytes as a mark has, in however small pieces a pipe brings them.
    begin = file.read(_MARK_BYTES)
    for sign, kind in _NO_TEXT:
        if begin.startswith(sign):
            raise BadInputError(f"The file is {kind}.", path=("file",))
    codec = next((codec for mark, codec in _MARKS if begin.startswith(mark)), None)
    if encoding is not None:
        named = encoding_check(encoding)
        if codec is not None and codec.split("-")[:2] != named.split("-")[:2]:
            message = (
                f"The file begins with the byte order mark of {codec.removesuffix('-sig')}, and is not {encoding}."
            )
            raise BadInputError(message, path=("encoding",))
        # A mark of the encoding that was named is no character of the first cell.
        codec = codec or named
    elif codec is None and 0 in begin:
        message = "The file begins with zero bytes, as UTF-16 does: name its encoding (utf-16-le, utf-16-be)."
        raise BadInputError(message, path=("encoding",))
    return io.TextIOWrapper(io.BufferedReader(_Begun(begin, file)), encoding=codec or "utf-8", newline="")


class _Begun(io.RawIOBase):
    """A file of which the beginning has been read; it is read again."""

    def __init__(self, begin: bytes, file: BinaryIO) -> None:
        super().__init__()
        self._begin, self._file = begin, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        # What is there, of a pipe as well, rather than all that is wanted.
        read = getattr(self._file, "read1", self._file.read)
        data = self._begin[: len(view)] or read(len(view))
        self._begin = self._begin[len(view) :]
        view[: len(data)] = data
        return len(data)


def lines_read(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file. Of one longer than LINE_MAX_CHARS only the beginning is kept, too long still."""
    while line := file.readline(LINE_MAX_CHARS + 1):
        rest = line
        while len(rest) > LINE_MAX_CHARS and not rest.endswith(("\n", "\r")):
            rest = file.readline(LINE_MAX_CHARS + 1)
        yield line


def undecodable(error: UnicodeError) -> str:
    """Return what to tell whoever has named no encoding, or a wrong one."""
    if not isinstance(error, UnicodeDecodeError):
        return f"The file is not of the encoding that was named: {error}."
    byte = error.object[error.start]
    return (
        f"The file is not {error.encoding} (byte 0x{byte:02x}): name its encoding, such as latin-1, cp1252 or utf-16."
    )
