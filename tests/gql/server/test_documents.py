"""Checks of a document before it is parsed."""

from __future__ import annotations

import pytest
from graphql import GraphQLError, TokenKind
from graphql.language import Lexer, Source, parse
from hypothesis import given
from hypothesis import strategies as st

from gql.base.scalars import duration_parse
from gql.server import documents
from gql.server.documents import document_check, variables_check
from gql.server.sample_queries import Sample, samples
from graph.errors import BadInputError, LimitExceededError

BOMBS = {
    "a comment": "#" * 7_900_000,
    "comments": "#\n" * 49_000,
    "tokens": "{" + "a " * 4_000 + "}",
    "brackets": "{ a(b: " + "[" * 3_000 + "]" * 3_000 + ") }",
    "braces": "{a" * 1_500 + "}" * 1_500,
    "spreads": "{" + "...F " * 401 + "} fragment F on Query { __typename }",
    "fragments": "{ ...F0 }" + "".join(f"fragment F{n} on Query {{a}}" for n in range(200)),
    "operations": "".join(f"query Q{n} {{a}}" for n in range(201)),
    "directives": "{ a " + "@skip(if: true) " * 201 + "}",
    "quotes": '"' * 99_999,
    "open block strings": '{a(b:"""' + '""\\"""' * 14_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_is_parsed(name: str) -> None:
    if name in {"quotes", "open block strings"}:
        # No bomb to a reader of each character once: refused by the parser.
        assert document_check(BOMBS[name], tokens_max=100_000) > 0
        return
    with pytest.raises(LimitExceededError):
        document_check(BOMBS[name])


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.title)
def test_the_samples_are_far_from_every_bound(sample: Sample) -> None:
    assert document_check(sample.query) < documents.TOKENS_MAX / 4


NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
WORDS = st.lists(
    st.one_of(
        NAME, st.sampled_from(["{", "}", "(", ")", "[", "]", ":", "!", "$x", "@d", "...", "12", "-1.5e3", '"a\\"b"', '"""c"d\n"""', '"""\\\\ """', '"""a\\"""b"""']),
        st.sampled_from(["# no\n", ",", "\n", " "]),
    ),
    max_size=60,
)  # fmt: skip


@given(words=WORDS)
def test_tokens_are_counted_as_the_language_has_them(words: list[str]) -> None:
    text = " ".join(words)
    lexer, expected = Lexer(Source(text)), 0
    token = lexer.token
    while token.kind is not TokenKind.EOF:
        token = lexer.token = token.next or lexer.read_next_token(token.end)
        expected += token.kind is not TokenKind.EOF
        if expected > 1_000:
            break
    try:
        counted = document_check(text)
    except LimitExceededError:
        return
    # $x and @d are two tokens each to the language, and to us.
    assert counted == expected


def test_variables_are_bounded_in_depth_and_in_number() -> None:
    deep: object = 1
    for _ in range(documents.VARIABLES_DEPTH_MAX + 5):
        deep = [deep]
    with pytest.raises(LimitExceededError, match="levels"):
        variables_check({"v": deep})
    with pytest.raises(LimitExceededError, match="values"):
        variables_check({"v": [0] * (documents.VARIABLES_VALUES_MAX + 1)})
    variables_check({"readings": [{"metrics": {"a": 1, "b": [1, 2]}}] * 1_000})


def test_a_document_within_the_bounds_parses() -> None:
    text = "{" + "a " * 3_990 + "}"
    assert document_check(text) < documents.TOKENS_MAX
    assert parse(text, max_tokens=documents.TOKENS_MAX)


@pytest.mark.parametrize("number", ["9" * 4_301, "-" + "9" * 4_301, "0." + "1" * 4_301, "1e" + "9" * 4_301])
@pytest.mark.parametrize("query", ["{{ entities(first: {0}) }}", "query($n: Int = {0}) {{ entities(first: $n) }}"])
def test_a_number_too_long_to_be_read_is_bad_input(query: str, number: str) -> None:
    """Python refuses to read it, which was once reported as a defect."""
    with pytest.raises(BadInputError, match="number"):
        document_check(query.format(number))
    assert document_check(query.format("9" * documents.NUMBER_MAX_CHARS)) > 0
    assert document_check(f'{{ a(b: "{number}") {"n" * 2_000} }}') > 0


def test_a_duration_too_long_to_be_read_is_bad_input() -> None:
    with pytest.raises(GraphQLError, match="not an ISO 8601 duration"):
        duration_parse(f"P{'9' * 4_301}D")
