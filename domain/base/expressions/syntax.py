"""Parse a CEL expression into its syntax tree. The only module that knows the parser.

The text is parsed by the CEL project's own parser (https://github.com/google/cel-spec), which hands its tree over as a
serialized `cel.expr.ParsedExpr`; the fields read here are numbered in that specification's syntax.proto. Macros other
than `has` are refused: they loop.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cel_expr_python import cel

from graph.errors import BadInputError, LimitExceededError

SOURCE_CHARS_MAX: Final = 4_000
NODES_MAX: Final = 500
# The parser's own bound.
DEPTH_MAX: Final = 32

Path = tuple[str, ...]

_ENVIRONMENT = cel.NewEnv()
_POSITION = re.compile(r"<input>:(\d+):(\d+): (.*)")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal. value: float (whole numbers too), bool or str."""

    value: float | bool | str
    column: int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, with the members selected of it: `attributes.pump.size` has ("attributes", "pump", "size").

    is_test: within `has(...)`.
    """

    parts: tuple[str, ...]
    column: int
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator under CEL's name for it, such as `_+_`, `_?_:_` and `!_`."""

    function: str
    arguments: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of expressions."""

    elements: tuple[Node, ...]
    column: int


Node = Constant | Name | Call | Listed


def expression_parse(source: str, *, path: Path) -> Node:
    """Return the tree of an expression. column: the position of a node, from 1 on, in the text as one line.

    Raises BadInputError at `path`, saying where, for what is no CEL or uses what Argus has not; LimitExceededError
    above SOURCE_CHARS_MAX characters, NODES_MAX nodes or DEPTH_MAX levels.
    """
    if len(source) > SOURCE_CHARS_MAX:
        msg = f"An expression has at most {SOURCE_CHARS_MAX} characters; this has {len(source)}."
        raise LimitExceededError(msg, path=path)
    try:
        parsed = _ENVIRONMENT.compile(source, disable_check=True).serialize()
    except (RuntimeError, ValueError) as error:
        if "recursion" in str(error):
            raise _too_much(path) from None
        raise BadInputError(_message(str(error)), path=path) from None
    # google.protobuf.Any: the type's address, the message.
    message = _Message(_Message(parsed).bytes_of(2))
    positions = dict(_positions(_Message(message.bytes_of(3))))
    reader = _Reader(positions, path)
    return reader.node(_Message(message.bytes_of(2)))


def _too_much(path: Path) -> LimitExceededError:
    return LimitExceededError(f"An expression has at most {NODES_MAX} parts, nested {DEPTH_MAX} deep.", path=path)


def _message(text: str) -> str:
    match = _POSITION.search(text)
    if match is None:
        return f"This is no CEL expression: {text[:300]}"
    line, column, what = match.groups()
    return f"This is no CEL expression: line {line}, column {column}: {what.partition(' expecting ')[0][:300]}."


@dataclass(slots=True)
class _Reader:
    positions: dict[int, int]
    path: Path
    nodes: int = 0

    def node(self, expr: _Message) -> Node:
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise _too_much(self.path)
        column = self.positions.get(expr.number_of(2), 0) + 1
        if (constant := expr.get(3)) is not None:
            return self._constant(_Message(constant), column)
        if (ident := expr.get(4)) is not None:
            return Name((_Message(ident).text_of(1),), column)
        if (select := expr.get(5)) is not None:
            return self._select(_Message(select), column)
        if (call := expr.get(6)) is not None:
            return self._call(_Message(call), column)
        if (listed := expr.get(7)) is not None:
            elements = [self.node(_Message(item)) for item in _Message(listed).all_of(1)]
            return Listed(tuple(elements), column)
        what = "a loop (all, exists, map, filter)" if expr.get(9) is not None else "a map or a message"
        raise self.refusal(f"An expression cannot hold {what}.", column)

    def refusal(self, message: str, column: int) -> BadInputError:
        return BadInputError(f"{message} It is at character {column}.", path=self.path)

    def _constant(self, constant: _Message, column: int) -> Node:
        for field, value in constant.fields():
            match field:
                case 2:
                    return Constant(bool(value), column)
                case 3:
                    # Whole numbers come as two's complement of 64 bits.
                    return Constant(float(value - 2**64 if value >= 2**63 else value), column)
                case 4:
                    return Constant(float(value), column)
                case 5 if math.isfinite(number := struct.unpack("<d", value)[0]):
                    return Constant(number, column)
                case 6:
                    return Constant(value.decode(), column)
                case _:
                    break
        raise self.refusal("Constants are finite numbers, texts, true and false.", column)

    def _select(self, select: _Message, column: int) -> Node:
        operand = self.node(_Message(select.bytes_of(1)))
        if not isinstance(operand, Name):
            raise self.refusal("Only members of `attributes` can be selected.", column)
        return Name((*operand.parts, select.text_of(2)), operand.column, bool(select.number_of(3)))

    def _call(self, call: _Message, column: int) -> Node:
        arguments = [self.node(_Message(item)) for item in call.all_of(3)]
        function = call.text_of(2)
        if call.get(1) is not None:
            raise self.refusal(f"There is no method {function!r}.", column)
        if function == "_[_]":
            operand, index = arguments
            if isinstance(operand, Name) and isinstance(index, Constant) and isinstance(index.value, str):
                return Name((*operand.parts, index.value), operand.column)
            raise self.refusal('Only metrics["name"] and attributes["name"] can be looked up.', column)
        return Call(function, tuple(arguments), column)


class _Message:
    """A protobuf message on the wire: numbers (varint), eight bytes, or bytes, by field number."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def fields(self) -> Iterator[tuple[int, Any]]:
        data, at = self._data, 0
        while at < len(data):
            key, at = _varint(data, at)
            field, kind = key >> 3, key & 7
            if kind == _VARINT:
                value, at = _varint(data, at)
                yield field, value
                continue
            size = 8 if kind == _FIXED64 else 4
            if kind == _BYTES:
                size, at = _varint(data, at)
            elif kind not in {_FIXED64, _FIXED32}:
                msg = f"Wire type {kind} is not of this version of protobuf."
                raise ValueError(msg)
            yield field, data[at : at + size]
            at += size

    def get(self, field: int) -> Any:
        return next((value for number, value in self.fields() if number == field), None)

    def all_of(self, field: int) -> list[bytes]:
        return [value for number, value in self.fields() if number == field]

    def bytes_of(self, field: int) -> bytes:
        return self.get(field) or b""

    def text_of(self, field: int) -> str:
        return self.bytes_of(field).decode()

    def number_of(self, field: int) -> int:
        return self.get(field) or 0


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  (the last byte of a varint)
            return value, at
        shift += 7


def _positions(info: _Message) -> Iterator[tuple[int, int]]:
    """Yield (id of a node, its offset in the text)."""
    for entry in info.all_of(4):
        yield _Message(entry).number_of(1), _Message(entry).number_of(2)
