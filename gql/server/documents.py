"""Check the size of a document's text before it is parsed, in one pass that ends at the first bound exceeded.

Parsing and validating cost many times more than reading, so a document that is too large is refused unparsed.
"""

from __future__ import annotations

import re
from typing import Any, Final

from graph.errors import BadInputError, LimitExceededError

TEXT_MAX_CHARS: Final = 100_000
# Comments count, for they are read as well.
TOKENS_MAX: Final = 4_000
# Of a caller without a token, who can only ask what the schema is.
TOKENS_UNKNOWN_MAX: Final = 500
NESTING_MAX: Final = 100
# Definitions of operations and fragments together, and uses of fragments: rules look at each pair.
DEFINITIONS_MAX: Final = 200
SPREADS_MAX: Final = 400
DIRECTIVES_MAX: Final = 200
# Tokens outside of arguments of a mutation that is executed where readings are taken.
SELECTED_MAX: Final = 200
# The longest double written in full has 767 digits; Python reads no integer of more than 4,300.
NUMBER_MAX_CHARS: Final = 1_000
VARIABLES_DEPTH_MAX: Final = 64
VARIABLES_VALUES_MAX: Final = 1_000_000

# Every alternative matches at once or not at all, and nothing is looked at twice (possessive quantifiers).
_TOKEN: Final = re.compile(
    r"[\s,\ufeff]++"
    r'|(?P<token>"""(?:[^"\\]++|\\"""|\\|"(?!""))*+(?:"""|\Z)'
    r'|"(?:[^"\\\n\r]++|\\.)*+"?'
    r"|\#[^\n\r]*+"
    r"|\.\.\."
    r"|[A-Za-z0-9_+.\-]++"
    r"|.)",
    re.DOTALL,
)
# Of what variables are made of, what holds others.
_NESTED: Final = (dict, list)
_NESTS: Final = {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}
_NUMBER_BEGINS: Final = frozenset("-+.0123456789")


def document_check(text: str, *, tokens_max: int = TOKENS_MAX) -> int:
    """Return the number of tokens of a document.

    Raises LimitExceededError at the first bound that it exceeds, BadInputError for a number with too many digits.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise _over("document", len(text), TEXT_MAX_CHARS, "characters")
    tokens = nesting = definitions = spreads = directives = 0
    for match in _TOKEN.finditer(text):
        token = match["token"]
        if token is None:
            continue
        tokens += 1
        if tokens > tokens_max:
            raise _over("document", f"more than {tokens_max}", tokens_max, "tokens")
        # A definition opens its selection at the outside.
        definitions += nesting == 0 and token == "{"  # noqa: S105  (a token of the language)
        nesting += _NESTS.get(token, 0)
        if len(token) > NUMBER_MAX_CHARS and token[0] in _NUMBER_BEGINS:
            message = f"The document holds a number of {len(token)} characters; at most {NUMBER_MAX_CHARS} are allowed."
            raise BadInputError(message)
        spreads += token == "..."  # noqa: S105
        directives += token == "@"  # noqa: S105
        if nesting > NESTING_MAX:
            raise _over("document", f"nested more than {NESTING_MAX}", NESTING_MAX, "levels")
    for number, most, unit in (
        (definitions, DEFINITIONS_MAX, "operations and fragments"),
        (spreads, SPREADS_MAX, "uses of fragments"),
        (directives, DIRECTIVES_MAX, "directives"),
    ):
        if number > most:
            raise _over("document", number, most, unit)
    return tokens


def is_mutation_of(text: str, field: str) -> bool:
    """Return whether a document is one mutation that selects nothing but `field` at its root.

    Linear, and cheaper by far than parsing. False where in doubt: for a fragment at the root, several operations, what
    is no GraphQL, above the bounds, and where it selects so much that comparing its fields would take long.
    """
    tokens = _tokens(text)
    nesting = parentheses = mutations = selected = 0
    is_mutation = is_header = False
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if nesting == 0 and not is_header:
            if token not in {"mutation", "fragment"}:
                return False
            is_header, is_mutation = True, token == "mutation"  # noqa: S105  (a token of the language)
            mutations += is_mutation
        elif nesting == 1 and not is_header and is_mutation:
            is_name = token[0].isalpha() or token[0] == "_"
            # An alias and a directive are no fields.
            is_field = is_name and after != ":" and before != "@"
            if token == "..." or (is_field and token not in {field, "__typename"}):  # noqa: S105
                return False
        nesting += _NESTS.get(token, 0)
        parentheses += (token == "(") - (token == ")")  # noqa: S105
        selected += parentheses == 0
        # The outermost braces are those of the selection: others are in the parentheses of the variables.
        is_header = is_header and not (token == "{" and nesting == 1)  # noqa: S105
    return nesting == 0 and mutations == 1 and selected <= SELECTED_MAX


def definitions_of(text: str) -> set[str]:
    """Return what the definitions of a document begin with: `query`, `subscription`, `fragment`, `{`, ... Linear.

    Nothing for a document above the bounds.
    """
    nesting, is_header = 0, False
    definitions: set[str] = set()
    for token in _tokens(text):
        if nesting == 0 and not is_header:
            definitions.add(token)
            is_header = True
        nesting += _NESTS.get(token, 0)
        is_header = is_header and not (token == "{" and nesting == 1)  # noqa: S105  (a token of the language)
    return definitions


def _tokens(text: str) -> list[str]:
    """Return the tokens of a document, without comments; none where it is above the bounds."""
    if len(text) > TEXT_MAX_CHARS:
        return []
    tokens = [token for match in _TOKEN.finditer(text) if (token := match["token"]) and token[0] != "#"]
    return tokens if len(tokens) <= TOKENS_MAX else []


def variables_check(variables: Any) -> None:
    """Raise LimitExceededError where variables are nested too deeply, or hold too many values. Linear."""
    level: list[Any] = [variables]
    values = 0
    for _ in range(VARIABLES_DEPTH_MAX + 1):
        inner: list[Any] = []
        for node in level:
            values += len(node)
            if values > VARIABLES_VALUES_MAX:
                raise _over("variables", f"more than {VARIABLES_VALUES_MAX}", VARIABLES_VALUES_MAX, "values")
            items = node.values() if isinstance(node, dict) else node
            inner += [item for item in items if isinstance(item, _NESTED)]
        if not inner:
            return
        level = inner
    raise _over("variables", f"nested more than {VARIABLES_DEPTH_MAX}", VARIABLES_DEPTH_MAX, "levels")


def _over(part: str, size: object, most: int, unit: str) -> LimitExceededError:
    verb = "are" if part == "variables" else "is"
    if str(size).startswith("nested"):
        return LimitExceededError(f"The {part} {verb} {size} levels deep; that is the limit.")
    return LimitExceededError(
        f"The {part} ha{'ve' if verb == 'are' else 's'} {size} {unit}; at most {most} are allowed."
    )
