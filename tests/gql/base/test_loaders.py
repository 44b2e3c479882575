"""What batch loaders remember, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from gql.base.loaders import BATCH_MAX, Loader, load_many
from testing.api import Api

FIRST, SECOND = UUID(int=1), UUID(int=2)


def test_a_mutation_reads_again_what_one_before_it_has_changed(api: Api) -> None:
    api.organization("loading")
    client = api.client("loading")
    made = client.call(
        """mutation { asset: createAsset(input: {name: "before"}) { asset { id } }
          other: createAsset(input: {name: "other"}) { asset { id } } third: createAsset(input: {name: "third"}) { asset { id } } }"""
    ).data
    asset, other, third = (made[name]["asset"]["id"] for name in ("asset", "other", "third"))
    data = client.call(
        """mutation M($asset: ID!, $other: ID!, $third: ID!) {
          one: createEdge(input: {sourceId: $asset, targetId: $other, relationship: "FEEDS"}) { edge { source { name } } }
          change: updateAsset(id: $asset, input: {name: "after"}) { errors { code } }
          two: createEdge(input: {sourceId: $asset, targetId: $third, relationship: "FEEDS"}) { edge { source { name } } } }""",
        {"asset": asset, "other": other, "third": third},
    ).data
    assert [data[name]["edge"]["source"]["name"] for name in ("one", "two")] == ["before", "after"]


def test_who_goes_leaves_the_others_what_they_wait_for() -> None:
    reads: list[list[UUID]] = []

    async def read(ids: Sequence[UUID]) -> dict[UUID, Any]:
        reads.append(list(ids))
        await asyncio.sleep(0)
        return {entity_id: entity_id.int for entity_id in ids if entity_id != SECOND}

    async def scenario() -> None:
        loader = Loader(read)
        going, staying = (asyncio.create_task(loader.load(FIRST)) for _ in range(2))
        absent = asyncio.create_task(loader.load_many([FIRST, SECOND, SECOND]))
        await asyncio.sleep(0)
        going.cancel()
        assert await staying == 1
        assert await absent == [1, None, None]
        assert await loader.load(SECOND) is None
        assert reads == [[FIRST, SECOND]]
        many = [UUID(int=number) for number in range(10, 11 + BATCH_MAX)]
        assert await loader.load_many(many) == [entity_id.int for entity_id in many]
        assert [len(ids) for ids in reads] == [2, BATCH_MAX, 1]

    asyncio.run(scenario())


def test_a_read_that_fails_is_made_again_for_the_next() -> None:
    failures = [ValueError("away"), None]

    async def read(ids: Sequence[UUID]) -> dict[UUID, Any]:
        failure = failures.pop(0)
        if failure is not None:
            raise failure
        return {entity_id: entity_id.int for entity_id in ids}

    async def scenario() -> None:
        loader = Loader(read)
        with pytest.raises(ValueError, match="away"):
            await loader.load_many([FIRST, SECOND])
        assert await loader.load(FIRST) == 1

    asyncio.run(scenario())


class _Context:
    """As much of a context as loaders ask for. transactions: the works of each."""

    def __init__(self) -> None:
        self.loaders: dict[Any, Any] = {}
        self.transactions: list[int] = []

    async def read(self, work: Any, **arguments: Any) -> Any:
        self.transactions.append(len(arguments["works"]) if "works" in arguments else 1)
        await asyncio.sleep(0)
        return work(None, organization_id=1, **arguments)


def _named(_session: Any, *, organization_id: int, ids: Sequence[UUID], name: str = "") -> dict[UUID, str]:
    assert organization_id == 1
    if name == "broken":
        raise ValueError(name)
    return {entity_id: f"{name}{entity_id.int}" for entity_id in ids}


def test_short_reads_that_begin_together_share_a_transaction() -> None:
    async def scenario() -> None:
        context: Any = _Context()
        one, two, long = await asyncio.gather(
            load_many(context, _named, [FIRST, SECOND], is_short=True, name="a"),
            load_many(context, _named, [FIRST], is_short=True, name="b"),
            load_many(context, _named, [FIRST], name="c"),
        )
        assert (one, two, long) == (["a1", "a2"], ["b1"], ["c1"])
        assert sorted(context.transactions) == [1, 2]

    asyncio.run(scenario())


def test_a_short_read_that_fails_fails_alone() -> None:
    async def scenario() -> None:
        context: Any = _Context()
        broken, fine = await asyncio.gather(
            load_many(context, _named, [FIRST], is_short=True, name="broken"),
            load_many(context, _named, [FIRST], is_short=True, name="a"),
            return_exceptions=True,
        )
        assert isinstance(broken, ValueError)
        assert fine == ["a1"]
        # Together, then each by itself.
        assert context.transactions == [2, 1, 1]

    asyncio.run(scenario())
