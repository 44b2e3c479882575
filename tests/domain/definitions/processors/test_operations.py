"""Promotions of versions of a stage: refusals and bounds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.base.streams import DERIVE
from domain.definitions.processors.model import PROMOTIONS_MAX
from domain.definitions.processors.operations import processor_promote
from domain.definitions.processors.queries import processor_get
from graph.errors import ArgusError
from testing.line import NOW
from testing.world import World

BEGIN = NOW - timedelta(hours=1)


def test_invalid_promotions_are_reported(world: World) -> None:
    cases = (
        ({"stage": "normalize", "version": 2}, "NOT_FOUND", ("stage",)),
        ({"stage": DERIVE, "version": 9}, "NOT_FOUND", ("version",)),
        ({"stage": DERIVE, "version": 2, "effective_from": NOW.replace(tzinfo=None)}, "BAD_USER_INPUT",
         ("effectiveFrom",)),
    )  # fmt: skip
    for arguments, code, path in cases:
        with world.changing() as (session, change), pytest.raises(ArgusError) as refused:
            processor_promote(session, change=change, **arguments)  # type: ignore[arg-type]
        assert (refused.value.code, refused.value.path) == (code, path)
    with world.changing() as (session, change):
        for n in range(PROMOTIONS_MAX):
            since = NOW + timedelta(days=n)
            processor_promote(session, change=change, stage=DERIVE, version=1 + n % 2, effective_from=since)
        with pytest.raises(ArgusError) as refused:
            processor_promote(session, change=change, stage=DERIVE, version=2, effective_from=BEGIN)
        assert (refused.value.code, refused.value.path) == ("LIMIT_EXCEEDED", ("effectiveFrom",))
        replaced = processor_promote(session, change=change, stage=DERIVE, version=2, effective_from=NOW)
    assert len(replaced.promotions) == PROMOTIONS_MAX
    assert (replaced.in_force(NOW - timedelta(seconds=1)), replaced.in_force(NOW)) == (1, 2)
    with world.session() as session:
        assert processor_get(session, organization_id=world.organization_id, stage=DERIVE) == replaced
