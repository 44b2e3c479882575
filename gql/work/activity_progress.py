"""Progress of activities: transitions, assignment, the checklist."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import strawberry

from domain.work.activities.progress import activity_assign, activity_item_complete, activity_transition
from gql.access.principal import OPERATORS
from gql.base.context import Info
from gql.base.ids import uuid_named
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations
from gql.work.activities import ActivityPayload, ActivityStateEnum, activity_payload
from graph.entities.model import Entity as EntityRow


@mutations
class ActivityProgressMutation:
    """Mutations by which activities go on."""

    @mutation(OPERATORS, scoped=True)
    async def transition_activity(
        self,
        info: Info,
        id: strawberry.ID,
        to: ActivityStateEnum,  # type: ignore[valid-type]
        note: str | None = None,
    ) -> ActivityPayload:
        """Move an activity to another state. For one that is not allowed, CONFLICT names those that are.

        Args:
            id: Id of the activity.
            to: State to which it is moved.
            note: Free text that is kept with the step, at most 2,000 characters.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(activity_transition, activity_id=uuid_named(id, "id"), to=to, note=note)

        return await payload_of(info, activity_payload, prepare, under=())

    @mutation(OPERATORS, scoped=True)
    async def assign_activity(
        self, info: Info, id: strawberry.ID, person_id: strawberry.ID | None = None
    ) -> ActivityPayload:
        """Assign an activity to a person, from now on, instead of the previous assignee. CONFLICT if it is finished.

        Args:
            id: Id of the activity.
            person_id: Id of the person. Null: to nobody; CONFLICT while it is IN_PROGRESS.
        """

        def prepare() -> Callable[..., EntityRow]:
            person = None if person_id is None else uuid_named(person_id, "personId")
            return partial(activity_assign, activity_id=uuid_named(id, "id"), person_id=person)

        return await payload_of(info, activity_payload, prepare, under=())

    @mutation(OPERATORS, scoped=True)
    async def complete_checklist_item(
        self, info: Info, activity_id: strawberry.ID, item_id: str, done: bool = True, note: str | None = None
    ) -> ActivityPayload:
        """Mark an item of an unfinished activity's checklist as done or not. Who did it, and when, is kept.

        Args:
            activity_id: Id of the activity. CONFLICT where it is finished.
            item_id: Id of the item; of one without an id, its place from 1.
            done: True: the item is done. False: it is not.
            note: Free text that is kept with the item, at most 2,000 characters.
        """

        def prepare() -> Callable[..., EntityRow]:
            return partial(
                activity_item_complete,
                activity_id=uuid_named(activity_id, "activityId"),
                item_id=item_id,
                done=done,
                note=note,
            )

        return await payload_of(info, activity_payload, prepare, under=(), named={"id": "activityId"})
