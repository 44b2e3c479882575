"""Open a text file whatever its encoding: as its byte order mark says, as the caller says, else UTF-8."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, Final, TextIO

from graph.errors import BadInputError

# The longest first: the mark of UTF-32 begins like that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOK_BYTES: Final = 4096
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

    Raises BadInputError where there is no such encoding, or the file begins like UTF-16 without a mark. What cannot be
    decoded raises UnicodeDecodeError while it is read; `undecodable` says it in a sentence.
    """
    buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(file)  # type: ignore[type-var]
    begin = buffered.peek(_LOOK_BYTES)[:_LOOK_BYTES]
    codec = next((codec for mark, codec in _MARKS if begin.startswith(mark)), None)
    if encoding is not None:
        named = encoding_check(encoding)
        # A mark of the encoding that was named is no character of the first cell.
        codec = codec if codec is not None and codec.split("-")[:2] == named.split("-")[:2] else named
    elif codec is None and b"\0" in begin:
        message = "The file holds zero bytes, as UTF-16 does: name its encoding (utf-16-le, utf-16-be)."
        raise BadInputError(message, path=("encoding",))
    return io.TextIOWrapper(buffered, encoding=codec or "utf-8", newline="")


def lines_read(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file. Of one longer than LINE_MAX_CHARS only the beginning is kept, too long still."""
    while line := file.readline(LINE_MAX_CHARS + 1):
        rest = line
        while len(rest) > LINE_MAX_CHARS and not rest.endswith("\n"):
            rest = file.readline(LINE_MAX_CHARS + 1)
        yield line


def undecodable(error: UnicodeDecodeError) -> str:
    """Return what to tell whoever has named no encoding, or a wrong one."""
    byte = error.object[error.start]
    return (
        f"The file is not {error.encoding} (byte 0x{byte:02x}): name its encoding, such as latin-1, cp1252 or utf-16."
    )
