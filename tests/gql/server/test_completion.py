"""What is completed for many objects at once is what the core completes object by object."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from enum import Enum
from typing import Any

import numpy as np
import pytest
import strawberry
from graphql import ExecutionResult, GraphQLSchema, execute, parse, validate
from graphql.execution import Executor
from hypothesis import given, settings
from hypothesis import strategies as st

from gql.base.batched import batched, one_of
from gql.base.context import Info
from gql.server.answers import json_encode
from gql.server.bounds import Bound
from gql.server.completion import BulkExecutor, executor_of
from graph.stopping import Stop


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class BrokenError(Exception):
    """A resolver failed."""


def of(value: Any) -> Any:
    """Return a value, or raise it."""
    if isinstance(value, Exception):
        raise value
    return value


async def _friends(things: Sequence[Thing], info: Info, first: int = 9) -> list[Any]:
    """Return for each thing what its friends are, or the error: one that raises raises for itself alone."""
    assert info.context is not None
    await asyncio.sleep(0)
    drawn = [thing.own["friends"] for thing in things]
    return [value[:first] if isinstance(value, list) else value for value in drawn]


@strawberry.interface
class Thing:
    """Each field's value is drawn, fit or not. `raises`: of a method, the value that it raises or returns."""

    id: strawberry.ID
    text: str | None
    must: str
    number: int | None
    ratio: float
    colour: Colour | None
    texts: list[str] | None
    ratios: list[float]
    part: PartType | None
    parts: list[ThingType]
    own: strawberry.Private[dict[str, Any]]

    @strawberry.field
    def computed(self) -> int:
        """Return a number, without waiting."""
        result: int = of(self.own["computed"])
        return result

    @strawberry.field
    async def fetched(self, times: int = 1) -> str | None:
        """Return a text after a turn of the loop."""
        await asyncio.sleep(0)
        text = of(self.own["fetched"])
        return text if text is None else text * times

    @strawberry.field
    async def others(self, info: Info, first: int = 9) -> list[ThingType | None]:
        """Return things, some of them null."""
        assert info.context is not None
        await asyncio.sleep(0)
        result: list[Any] = of(self.own["others"])
        return result[:first] if isinstance(result, list) else result

    @strawberry.field
    @batched(_friends)
    async def friends(self, info: Info, first: int = 9) -> list[ThingType] | None:
        """Return things, resolved for many at once."""
        result: list[Any] | None = one_of(await _friends([self], info, first))
        return result

    @strawberry.field
    def either(self) -> EitherType | None:
        """Return one of two types."""
        return of(self.own["either"])  # type: ignore[no-any-return]


@strawberry.type
class Pump(Thing):
    """A kind of thing."""

    power: float | None


@strawberry.type
class Valve(Thing):
    """Another kind."""

    is_open: bool


@strawberry.type
class Part:
    """No kind of thing."""

    name: str
    whole: ThingType | None


@strawberry.type
class Numbers:
    """Columns of numbers."""

    maybe: list[float | None]
    must: list[float]


ThingType = Thing
PartType = Part
EitherType = Pump | Valve


@strawberry.type
class Query:
    """The roots. Their value is the root of the execution."""

    @strawberry.field
    def things(self, info: Info) -> list[Thing]:
        """Return all."""
        return info.root_value["things"]  # type: ignore[index,no-any-return]

    @strawberry.field
    def numbers(self, info: Info) -> Numbers | None:
        """Return columns."""
        return info.root_value

    @strawberry.field
    async def thing(self, info: Info) -> Thing | None:
        """Return one."""
        return info.root_value["thing"]  # type: ignore[index,no-any-return]


SCHEMA: GraphQLSchema = strawberry.Schema(Query, types=[Pump, Valve])._schema
OWN: type[BulkExecutor] = executor_of(SCHEMA, bounds=defaultdict(lambda: Bound(None)))

BROKEN = BrokenError("broken")
TEXTS = st.sampled_from(["a", "b", "", None, 5, BROKEN])
FIT_TEXTS = st.sampled_from(["a", "b", "c", "d", "e", "f", None, BROKEN])
NUMBERS = st.sampled_from([1, 2, 3, 4, 5, 6, 2**40, None, "x", BROKEN])
RATIOS = st.sampled_from([1.0, 2.5, 3.0, 4.0, 5.0, float("nan"), 3, None, BROKEN])


def drawn_things() -> st.SearchStrategy[Any]:
    def thing(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = st.lists(inner, max_size=3)
        common = {
            "id": st.sampled_from(["1", "2"]),
            "text": TEXTS,
            "must": FIT_TEXTS,
            "number": NUMBERS,
            "ratio": RATIOS,
            "colour": st.sampled_from([Colour.RED, Colour.BLUE, "red", None]),
            "texts": st.none() | st.lists(st.sampled_from(["a", "b", None]), max_size=3),
            "ratios": st.lists(RATIOS, max_size=3),
            "part": st.none() | st.builds(Part, name=FIT_TEXTS, whole=inner) | st.just(BROKEN),
            "parts": lists | st.sampled_from([None, BROKEN]),
            "own": st.fixed_dictionaries(
                {
                    "computed": NUMBERS,
                    "fetched": FIT_TEXTS,
                    "others": lists | st.lists(st.none() | inner, max_size=3) | st.sampled_from([None, BROKEN]),
                    "friends": lists | st.lists(st.none() | inner, max_size=3) | st.sampled_from([None, BROKEN]),
                    "either": inner | st.sampled_from([None, BROKEN, "neither"]),
                }
            ),
        }
        return st.builds(Pump, power=RATIOS, **common) | st.builds(
            Valve, is_open=st.sampled_from([True, False, True, None]), **common
        )

    return st.recursive(st.just(None) | st.just(BROKEN), thing, max_leaves=8)


LEAVES = [
    "id", "text", "must", "t: text", "number", "ratio", "colour", "texts", "ratios", "computed", "fetched",
    "twice: fetched(times: 2)", "fetched(times: $n)", "__typename", "x: must @include(if: $yes)", "must @skip(if: $yes)",
    "... on Pump { power }", "... on Valve { isOpen }", "...Some",
]  # fmt: skip


def selections() -> st.SearchStrategy[str]:
    leaves = st.lists(st.sampled_from(LEAVES), min_size=1, max_size=5).map(" ".join)

    def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        deeper = st.lists(
            st.one_of(
                inner.map(lambda text: f"parts {{ {text} }}"),
                inner.map(lambda text: f"others(first: 2) {{ {text} }}"),
                inner.map(lambda text: f"friends(first: 2) {{ {text} }}"),
                inner.map(lambda text: f"part {{ name whole {{ {text} }} }}"),
                inner.map(lambda text: f"either {{ ... on Pump {{ {text} }} ... on Valve {{ id }} }}"),
            ),
            min_size=1,
            max_size=3,
            unique_by=lambda text: text.split()[0],
        ).map(" ".join)
        return st.tuples(leaves, deeper, st.booleans()).map(
            lambda drawn: " ".join(drawn[:2] if drawn[2] else drawn[1::-1])
        )

    return st.recursive(leaves, nested, max_leaves=4)


class _Context:
    """As much of a context as completion asks for."""

    def __init__(self) -> None:
        self.stop = Stop()

    def charge(self, cost: float) -> None:
        raise AssertionError(cost)


def answer(query: str, root: dict[str, Any], executor: type[Executor[Any]]) -> ExecutionResult:
    async def run() -> ExecutionResult:
        result = execute(
            SCHEMA,
            parse(query),
            root_value=root,
            context_value=_Context(),
            variable_values={"n": 3, "yes": True},
            executor_class=executor,
        )
        done = await result if isinstance(result, Awaitable) else result
        assert isinstance(done, ExecutionResult)
        return done

    return asyncio.run(run())


class EveryError(Executor[Any]):
    """The core, with each error where it is, however much of the answer the rest would make null."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.error_propagation = False


def errors(result: ExecutionResult) -> set[tuple[str, str]]:
    return {(str(error.path), error.message) for error in result.errors or ()}


def nulled(result: ExecutionResult) -> set[tuple[str | int, ...]]:
    """Return the places that are null because of an error, at or below them."""
    places = set()
    for error in result.errors or ():
        value, place = result.data, []
        for key in error.path or ():
            if value is None:
                break
            value = value[key]  # type: ignore[index]
            place.append(key)
        assert value is None, error
        places.add(tuple(place))
    return places


# The core leaves what it no longer needs unawaited.
@pytest.mark.filterwarnings("ignore:coroutine")
def test_answers_are_those_of_the_core() -> None:
    seen = {"errors": 0, "nulls": 0, "objects": 0}

    @settings(max_examples=150, deadline=None)
    @given(selections(), st.lists(drawn_things(), max_size=4), drawn_things())
    def check(selection: str, things: list[Any], thing: Any) -> None:
        query = (
            f"query Q($n: Int!, $yes: Boolean!) {{ things {{ {selection} }} thing {{ {selection} }}"
            " all: thing { fetched(times: $n) must @include(if: $yes) ...Some } }"
            " fragment Some on Thing { s: text computed }"
        )
        document = parse(query)
        if validate(SCHEMA, document):
            return
        root = {"things": things, "thing": thing}
        own, core, every = (answer(query, root, executor) for executor in (OWN, Executor, EveryError))
        # The order of keys is that of the selection.
        assert json.dumps(own.data) == json.dumps(core.data)

        # Of several errors for which the same is null, which are reported is free.
        assert nulled(own) == nulled(core), query
        assert errors(own) <= errors(every), query
        seen["errors"] += len(own.errors or ())
        seen["nulls"] += json.dumps(own.data).count("null")
        seen["objects"] += json.dumps(own.data).count("{")

    check()
    assert all(count > 100 for count in seen.values()), seen


@pytest.mark.parametrize(
    ("values", "maybe", "must"),
    [
        ([1.5, 2.0], [1.5, 2.0], [1.5, 2.0]),
        ([], [], []),
        ([1.5, float("nan")], [1.5, None], None),
        ([float("inf")], [None], None),
    ],
    ids=["finite", "none", "not a number", "infinite"],
)
def test_numbers_are_answered_without_an_object_each(
    values: list[float], maybe: list[float | None], must: list[float] | None
) -> None:
    def answered(field: str) -> Any:
        column: Any = np.array(values)
        root = Numbers(maybe=column, must=column)
        result = execute(SCHEMA, parse(f"{{ numbers {{ {field} }} }}"), root, _Context(), executor_class=OWN)
        assert isinstance(result, ExecutionResult)
        numbers = json.loads(json_encode(result.data))["numbers"]
        return None if numbers is None else numbers[field]

    assert answered("maybe") == maybe
    assert answered("must") == must
