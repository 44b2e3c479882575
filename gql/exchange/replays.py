"""Replays: reprocess the readings of a time span."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import strawberry

from domain.exchange.replays.model import Replay as ReplayRow
from domain.exchange.replays.operations import replay_cancel, replay_order
from domain.exchange.replays.queries import replay_get, replays_get, replays_page
from gql.access.principal import OPERATORS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.entities import Node
from gql.base.ids import uuid_named, uuid_or_none
from gql.base.named import id_named
from gql.base.roots import mutation, mutations, queries, query, subscription, subscriptions
from gql.base.scalars import JSON, DateTime
from gql.errors import UserError, user_error
from graph.errors import ArgusError
from graph.paging import PageRequest

# How often the progress of a replay is sent to subscribers.
PROGRESS_S = 0.5


@strawberry.type
class Replay(Node):
    """A replay: readings of a range, processed again by the current configuration.

    Attributes:
        state: QUEUED, RUNNING, FINISHED, CANCELLED or FAILED.
        total: Number of readings in the range, as counted when it began.
        done: Number of readings processed so far.
        changes: What differed and was corrected, or with `dryRun` would be: counts of points (points = added + removed
            + changed) and of dead letters (letters), and some points as samples.
        dry_run: True: it only reports what would change.
        side_effects: True: new events may create activities and notifications.
        message: Why it failed; null: it has not.
        ordered_by: Who ordered it: the subject of the token.
        from_: Start of the range of event time, inclusive.
        to: End of the range of event time, exclusive.
        started_at: When it began to run; null: not yet.
        finished_at: When it was over; null: not yet.
    """

    state: str
    total: float
    done: float
    changes: JSON | None
    dry_run: bool
    side_effects: bool
    message: str | None
    ordered_by: str
    from_: DateTime = strawberry.field(name="from")
    to: DateTime
    created_at: DateTime
    started_at: DateTime | None
    finished_at: DateTime | None


ReplayConnection = Connection[Replay]


@strawberry.input
class ReplayInput:
    """A replay of the readings of [from, to).

    Attributes:
        from_: Start of the range of event time, inclusive.
        to: End of the range of event time, exclusive.
        device_ids: Only readings of these devices, at most 10,000. Default: of all.
        side_effects: True: new events may create activities and notifications.
    """

    from_: DateTime = strawberry.field(name="from")
    to: DateTime
    device_ids: list[strawberry.ID] | None = None
    dry_run: bool = False
    side_effects: bool = False


@strawberry.type
class ReplayPayload:
    """Result of ordering or cancelling a replay.

    Attributes:
        replay: The replay after the change; null if it was refused.
    """

    replay: Replay | None
    errors: list[UserError]


@queries
class ReplayQuery:
    """Replays."""

    @query(VIEWERS)
    async def replay(self, info: Info, id: strawberry.ID) -> Replay | None:
        """One replay; null if there is none with this id.

        Args:
            id: Id of the replay.
        """
        identity = uuid_or_none(id)
        if identity is None:
            return None
        replays = await info.context.read(replays_get, ids=[identity])
        return to_replay(replays[identity]) if identity in replays else None

    @query(VIEWERS)
    @paged()
    async def replays(self, info: Info, *, page: PageRequest) -> ReplayConnection | None:
        """All replays, the newest first."""
        rows = await page_read(info, replays_page, page)
        return ReplayConnection(rows=rows, show=to_replay)


@mutations
class ReplayMutation:
    """Mutations of replays."""

    @mutation(OPERATORS)
    async def replay_telemetry(self, info: Info, input: ReplayInput) -> ReplayPayload:
        """Order a replay: readings of a range are processed again, beside live readings, which go first.

        Only differences are written; subscribers are notified by `invalidated`, and what depends on it is recomputed.
        At most 100 replays of an organization may be queued or running, else CONFLICT.

        Args:
            input: What to replay, and how.
        """
        context = info.context
        try:
            devices = None
            if input.device_ids is not None:
                devices = [
                    uuid_named(device_entity_id, "input", "deviceIds", str(n))
                    for n, device_entity_id in enumerate(input.device_ids)
                ]
            ordered = await context.read(
                replay_order,
                replay_id=context.services.new_id(),
                begins=input.from_,
                ends=input.to,
                device_ids=devices,
                dry_run=input.dry_run,
                side_effects=input.side_effects,
                actor=context.principal.actor,
                now=context.services.clock(),
            )
        except ArgusError as error:
            return ReplayPayload(replay=None, errors=[user_error(error)])
        return ReplayPayload(replay=to_replay(ordered), errors=[])

    @mutation(OPERATORS)
    async def cancel_replay(self, info: Info, id: strawberry.ID) -> ReplayPayload:
        """Cancel a replay. Its corrections so far are kept. CONFLICT if it is over.

        Args:
            id: Id of the replay.
        """
        context = info.context
        try:
            cancelled = await context.read(replay_cancel, replay_id=uuid_named(id, "id"), now=context.services.clock())
        except ArgusError as error:
            return ReplayPayload(replay=None, errors=[user_error(error)])
        return ReplayPayload(replay=to_replay(cancelled), errors=[])


@subscriptions
class ReplaySubscription:
    """The progress of replays."""

    @subscription(VIEWERS)
    async def replay_progress(self, info: Info, id: strawberry.ID) -> AsyncIterator[Replay]:
        """Follow a replay: it is sent each time it has progressed, until it is over.

        Args:
            id: Id of the replay. NOT_FOUND if there is none.
        """
        identity = await id_named(info.context, replays_get, id, "id")
        read = partial(info.context.read, replay_get, replay_id=identity)
        last_sent: ReplayRow | None = None
        while last_sent is None or not last_sent.state.is_over:
            row = await read()
            if row != last_sent:
                last_sent = row
                yield to_replay(row)
            else:
                await asyncio.sleep(PROGRESS_S)


def to_replay(row: ReplayRow) -> Replay:
    """Convert a replay to its GraphQL object."""
    return Replay(
        id=strawberry.ID(str(row.id)),
        state=row.state.value,
        total=row.total,
        done=row.done,
        changes=JSON(dict(row.changes)),
        dry_run=row.dry_run,
        side_effects=row.side_effects,
        message=row.message,
        ordered_by=row.actor,
        from_=DateTime(row.begins),
        to=DateTime(row.ends),
        created_at=DateTime(row.created_at),
        started_at=None if row.started_at is None else DateTime(row.started_at),
        finished_at=None if row.finished_at is None else DateTime(row.finished_at),
    )
