"""Edge cases of stays: open stays, stays across the range's ends, silence, edits, bounds."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from domain.derivation.stays import queries
from domain.derivation.stays.model import Stay
from domain.derivation.stays.queries import asset_stays_pages, space_stays_pages
from domain.derivation.stays.rules import Presence, Watch, presences_of
from domain.telemetry.model.readings import READINGS_MAX
from graph.errors import BadInputError, LimitExceededError
from graph.paging import PageRequest
from testing.deriving_plant import DerivingPlant
from testing.line import NOW
from testing.world import EPOCH
from tests.domain.derivation.stays.conftest import area_draw, space_drawn

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
YARD = 'inArea(longitude, latitude, "yard")'
SQUARE = shapely.box(0, 0, 1, 1)
INSIDE, OUTSIDE = 0.5, 3.0

Span = tuple[datetime | None, datetime | None, bool]


def fix(plant: DerivingPlant, device: UUID, *fixes: tuple[datetime, float]) -> None:
    """Send fixes: when, and how far along."""
    sent = [{"device_id": device, "timestamp": t, "metrics": {"longitude": x, "latitude": 0.5}} for t, x in fixes]
    for first in range(0, len(sent), READINGS_MAX):
        plant.line.normalize(plant.line.send(*sent[first : first + READINGS_MAX]))
    plant.drain()


def stays(
    plant: DerivingPlant, space: UUID, *, now: datetime = NOW, page: PageRequest | None = None, **when: Any
) -> list[Stay]:
    with plant.line.world.session() as session:
        [got] = space_stays_pages(
            session, organization_id=plant.organization_id, entity_ids=[space], page=page or PageRequest(50),
            **{"from_": None, "to": None, **when}, now=now,
        ).values()  # fmt: skip
    return list(got.items)


def spans(stays: list[Stay]) -> list[Span]:
    return [(stay.entered, stay.left, stay.is_lost) for stay in stays]


def moving(plant: DerivingPlant, formula: str = YARD) -> tuple[UUID, UUID]:
    """Return a device and the asset it is on."""
    plant.formulas({"in_yard": {"formula": formula, "maxAge": "PT10M"}}, since=EPOCH)
    device, pump = plant.line.device(), plant.pump()
    plant.link(device, pump, valid_from=EPOCH)
    return device, pump


def test_open_stays_and_their_beginnings(plant: DerivingPlant) -> None:
    space, (device, pump) = space_drawn(plant, "yard", SQUARE), moving(plant)
    began = NOW - 3 * DAY
    count = 3 * 24 * 12
    fix(plant, device, (began - 5 * MINUTE, OUTSIDE), *((began + n * 5 * MINUTE, INSIDE) for n in range(count)))
    last = began + (count - 1) * 5 * MINUTE
    [stay] = stays(plant, space)
    assert (stay.entity_id, stay.space_id, stay.metric) == (pump, space, "in_yard")
    # Three days ago, though nothing was asked of but this instant.
    assert spans([stay]) == [(began, None, False)]
    # Whatever range is asked of, it is the same.
    assert spans(stays(plant, space, from_=NOW - 2 * DAY, to=NOW - DAY)) == [(began, None, False)]
    assert stays(plant, space, to=began - MINUTE) == []
    assert spans(stays(plant, space, to=began)) == [(began, None, False)]
    # It falls silent: up to maxAge after the last fix it is taken to be there.
    assert spans(stays(plant, space, now=last + 10 * MINUTE - MINUTE)) == [(began, None, False)]
    assert stays(plant, space, now=last + 10 * MINUTE) == []
    assert spans(stays(plant, space, from_=NOW - DAY, now=NOW + DAY)) == [(began, last + 10 * MINUTE, True)]
    # A fix within that time, a little late, and it never was lost.
    fix(plant, device, (last + 10 * MINUTE, OUTSIDE))
    assert spans(stays(plant, space, from_=NOW - DAY, now=NOW + DAY)) == [(began, last + 10 * MINUTE, False)]


def test_ends_are_looked_for_a_week_around_the_range(plant: DerivingPlant) -> None:
    space, (device, _) = space_drawn(plant, "yard", SQUARE), moving(plant)
    began = NOW - 20 * DAY
    at = [began + n * 10 * MINUTE for n in range(18 * 24 * 6)]
    fix(plant, device, *((t, INSIDE) for t in at), (at[-1] + MINUTE, OUTSIDE))
    left = at[-1] + MINUTE
    middle = began + 9 * DAY
    assert spans(stays(plant, space, to=middle)) == [(None, None, False)]
    assert spans(stays(plant, space, to=began + 6 * DAY)) == [(began, None, False)]
    assert spans(stays(plant, space, to=left - 6 * DAY)) == [(None, left, False)]
    assert spans(stays(plant, space, from_=began + DAY, to=left - DAY)) == [(began, left, False)]


def test_a_corrected_link_and_another_area_make_other_stays(plant: DerivingPlant) -> None:
    space, (device, pump) = space_drawn(plant, "yard", SQUARE), moving(plant)
    other = plant.pump()
    [enters, leaves] = NOW - 30 * MINUTE, NOW - 10 * MINUTE
    fix(plant, device, *((NOW - n * 5 * MINUTE, INSIDE if 2 < n < 7 else OUTSIDE) for n in range(12)))
    day: dict[str, Any] = {"from_": NOW - DAY}
    assert spans(stays(plant, space, **day)) == [(enters, leaves, False)]
    assert [stay.entity_id for stay in stays(plant, space, **day)] == [pump]
    area_draw(plant, space, shapely.box(2, 0, 4, 1))
    assert spans(stays(plant, space, **day)) == [(NOW - 55 * MINUTE, enters, False), (leaves, None, False)]
    area_draw(plant, space, SQUARE)
    [edge] = plant.line.rows(
        "SELECT edge_id FROM entity_edges WHERE organization_id = :o AND source_id = :s AND upper_inf(recorded)",
        o=plant.organization_id,
        s=pump,
    )
    plant.correct(edge, valid_until=NOW - 20 * MINUTE)
    plant.link(device, other, valid_from=NOW - 20 * MINUTE)
    plant.drain()
    # The tracker was moved on at 20 past: what it says before is of the one, then of the other.
    assert [(s.entity_id, s.entered, s.left, s.is_lost) for s in stays(plant, space, **day)] == [
        (pump, enters, NOW - 25 * MINUTE + 10 * MINUTE, True),
        (other, NOW - 20 * MINUTE, leaves, False),
    ]
    with plant.line.world.session() as session:
        pages = asset_stays_pages(
            session, organization_id=plant.organization_id, entity_ids=[pump, other], page=PageRequest(1),
            from_=NOW - DAY, to=None, now=NOW,
        )  # fmt: skip
    assert [[stay.entered for stay in pages[asset].items] for asset in (pump, other)] == [[enters], [NOW - 20 * MINUTE]]


@pytest.mark.parametrize("formula", [f"{YARD} && latitude > 0", f"!{YARD}", f"{YARD} ? 1 : 0"])
def test_only_a_formula_that_is_nothing_but_an_area_says_who_stays(plant: DerivingPlant, formula: str) -> None:
    space, (device, _) = space_drawn(plant, "yard", SQUARE), moving(plant, formula)
    fix(plant, device, (NOW - MINUTE, INSIDE), (NOW, OUTSIDE))
    assert len(plant.derived("in_yard")) == 2
    assert stays(plant, space, from_=NOW - DAY) == []


def test_refusals(plant: DerivingPlant, monkeypatch: pytest.MonkeyPatch) -> None:
    space, _ = space_drawn(plant, "yard", SQUARE), moving(plant)
    with pytest.raises(BadInputError, match="later than now"):
        stays(plant, space, from_=NOW + MINUTE)
    with pytest.raises(BadInputError, match="later than to"):
        stays(plant, space, from_=NOW, to=NOW - MINUTE)
    with pytest.raises(BadInputError, match="cursor"):
        stays(plant, space, page=PageRequest(5, ("events", 1, "a", "b")))
    monkeypatch.setattr(queries, "MOVING_MAX", 0)
    with pytest.raises(LimitExceededError, match="More than 0 things"):
        stays(plant, space)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 20), st.integers(1, 6)), min_size=1, max_size=3),
)
def test_presences_are_what_each_instant_says(steps: list[tuple[int, bool]], drawn: list[tuple[int, int, int]]) -> None:
    at = np.cumsum(np.array([step for step, _ in steps], dtype=np.int64))
    values = np.array([float(value) for _, value in steps])
    watches, end = [], 0
    for gap, length, age in drawn:
        watches.append(Watch(end + gap, end + gap + length, age))
        end += gap + length

    def is_true(instant: int) -> bool:
        """Whether the newest point by then is true, young enough, and of the watch that is in force then."""
        known = [n for n, t in enumerate(at.tolist()) if t <= instant]
        watch = next((w for w in watches if w.begins_us <= instant < w.ends_us), None)
        if not known or watch is None:
            return False
        newest = int(at[known[-1]])
        return newest >= watch.begins_us and bool(values[known[-1]]) and instant < newest + watch.max_age_us

    presences = presences_of(at, values, watches)
    inside = [instant for presence in presences for instant in range(presence.begins_us, presence.ends_us)]
    assert inside == [instant for instant in range(end + 200) if is_true(instant)]
    assert all(left.ends_us < right.begins_us for left, right in pairwise(presences))
    assert all(presence.is_lost is (presence.ends_us not in at.tolist()) for presence in presences)


def test_no_points_are_no_presences() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert presences_of(nothing, nothing.astype(np.float64), [Watch(0, 10, 5)]) == []
    one = presences_of(np.array([3]), np.array([1.0]), [Watch(0, 10, 5)])
    assert one == [Presence(3, 8, is_lost=True)]
