"""Notifications: calls of webhooks about events."""

from __future__ import annotations

import base64
import secrets

import strawberry
from sqlalchemy.orm import Session

from domain.work.notifications.model import Notification as NotificationRow
from domain.work.notifications.model import NotificationState, WebhookSecret
from domain.work.notifications.operations import PREVIOUS, notification_retry, webhook_secret_rotate, webhook_test
from domain.work.notifications.queries import notifications_page
from gql.base.connections import PageInfo, Rows, page_request, rows_of, wants_total
from gql.base.context import Info
from gql.base.entities import Node
from gql.base.ids import uuid_named
from gql.base.mutations import payload_of
from gql.base.scalars import JSON, DateTime, Duration
from gql.base.shown import shows
from gql.errors import UserError, user_error
from graph.change import GraphChange
from graph.errors import ArgusError

_SECRET_BYTES = 32
_DAY = Duration("P1D", 0, PREVIOUS)

NotificationStateEnum = strawberry.enum(
    NotificationState, description="What has become of a notification. DEAD: it failed as often as it may."
)


@strawberry.type
class Notification(Node):
    """A call of a webhook about what became of an event; its id is X-Argus-Delivery."""

    event_id: strawberry.ID | None = strawberry.field(description="null: a test, of no event.")
    url: str
    payload: JSON = strawberry.field(description="What is sent.")
    state: NotificationStateEnum  # type: ignore[valid-type]
    attempts: int = strawberry.field(description="Calls so far, the one under way too.")
    due_at: DateTime | None = strawberry.field(description="When it is called next; null: it is over.")
    last_error: str | None
    created_at: DateTime
    finished_at: DateTime | None


@strawberry.type
class NotificationEdge:
    """A notification in a list."""

    cursor: str
    node: Notification


@strawberry.type
class NotificationConnection:
    """A page of notifications."""

    rows: strawberry.Private[Rows[NotificationRow]]
    page_info: PageInfo

    @strawberry.field
    def nodes(self) -> list[Notification]:
        """The notifications."""
        return [notification_shown(row) for row in self.rows.items]

    @strawberry.field
    def edges(self) -> list[NotificationEdge]:
        """The notifications, each with its cursor."""
        pairs = zip(self.rows.items, self.rows.cursors, strict=True)
        return [NotificationEdge(cursor=cursor, node=notification_shown(row)) for row, cursor in pairs]

    @strawberry.field
    def total_count(self) -> int:
        """How many there are on all pages."""
        return self.rows.total or 0


@strawberry.type
class NotificationPayload:
    """The notification as it now stands; null if refused."""

    notification: Notification | None
    errors: list[UserError]


@strawberry.type
class WebhookSecretPayload:
    """The secret, shown this once; null if refused."""

    secret: str | None
    rotated_at: DateTime | None
    previous_until: DateTime | None = strawberry.field(
        description="Until when the secret before signs too; null: it does not."
    )
    errors: list[UserError]


@strawberry.type
class NotificationQuery:
    """Notifications."""

    @strawberry.field
    async def notifications(
        self,
        info: Info,
        states: list[NotificationStateEnum] | None = None,  # type: ignore[valid-type]
        first: int = 50,
        after: str | None = None,
    ) -> NotificationConnection:
        """Calls of webhooks, the newest first."""
        request, count = page_request(first, after), wants_total(info)

        def read(session: Session, *, organization_id: int) -> Rows[NotificationRow]:
            page = notifications_page(session, organization_id=organization_id, page=request, states=states)
            return rows_of(page, count=count)

        rows = await info.context.read(read)
        return NotificationConnection(rows=rows, page_info=rows.page_info)


@strawberry.type
class NotificationMutation:
    """Mutations of notifications."""

    @strawberry.mutation
    async def retry_notification(self, info: Info, id: strawberry.ID) -> NotificationPayload:
        """Have a DEAD notification called again, from the first try on."""
        context = info.context
        try:
            row = await context.read(
                notification_retry, notification_id=uuid_named(id, "id"), now=context.services.clock()
            )
        except ArgusError as error:
            return NotificationPayload(notification=None, errors=[user_error(error)])
        return NotificationPayload(notification=notification_shown(row), errors=[])

    @strawberry.mutation
    async def test_webhook(self, info: Info, url: str) -> NotificationPayload:
        """Have an address called once, with a test, within seconds; ask the notification how it went."""
        context = info.context
        try:
            row = await context.read(
                webhook_test, notification_id=context.services.new_id(), url=url, now=context.services.clock()
            )
        except ArgusError as error:
            return NotificationPayload(notification=None, errors=[user_error(error)])
        return NotificationPayload(notification=notification_shown(row), errors=[])

    @strawberry.mutation
    async def rotate_webhook_secret(self, info: Info, previous_for: Duration = _DAY) -> WebhookSecretPayload:
        """Sign calls of webhooks with a new secret from now on, shown once, and with the one before too for a while.

        previousFor: PT0S where the one before has leaked; P30D at most.
        """
        secret = "argus_whs_" + base64.urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).rstrip(b"=").decode()
        beside = previous_for.exact()

        def work(session: Session, change: GraphChange) -> WebhookSecret:
            return webhook_secret_rotate(session, change=change, secret=secret, previous_for=beside)

        def make(made: WebhookSecret | None, errors: list[UserError]) -> WebhookSecretPayload:
            if made is None:
                return WebhookSecretPayload(secret=None, rotated_at=None, previous_until=None, errors=errors)
            until = None if made.previous_until is None else DateTime(made.previous_until)
            return WebhookSecretPayload(
                secret=secret, rotated_at=DateTime(made.rotated_at), previous_until=until, errors=errors
            )

        return await payload_of(info, make, work, under=())


@shows(NotificationRow)
def notification_shown(row: NotificationRow) -> Notification:
    """Return a notification as it is shown."""
    waits = row.state is NotificationState.PENDING
    return Notification(
        id=strawberry.ID(str(row.id)),
        event_id=None if row.event_id is None else strawberry.ID(str(row.event_id)),
        url=row.url,
        payload=JSON(dict(row.payload)),
        state=row.state,
        attempts=row.attempts,
        due_at=DateTime(row.due_at) if waits else None,
        last_error=row.last_error,
        created_at=DateTime(row.created_at),
        finished_at=None if row.finished_at is None else DateTime(row.finished_at),
    )
