"""Notifications: calls of webhooks about events."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial

import strawberry

from domain.base.bearer_secrets import SECRET_BYTES, secret_text
from domain.work.notifications.model import Notification as NotificationRow
from domain.work.notifications.model import NotificationState, WebhookSecret
from domain.work.notifications.operations import PREVIOUS, notification_retry, webhook_secret_rotate, webhook_test
from domain.work.notifications.queries import notifications_page
from gql.access.principal import ADMINS, VIEWERS
from gql.base.connections import Connection, page_read, paged
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.descriptions import enum_described
from gql.base.entities import Node
from gql.base.ids import uuid_named
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations, queries, query
from gql.base.scalars import JSON, DateTime, Duration
from gql.errors import UserError, user_error
from graph.errors import ArgusError
from graph.paging import PageRequest

_DAY = Duration("P1D", 0, PREVIOUS)

NotificationStateEnum = enum_described(
    NotificationState,
    "What has become of a notification.",
    PENDING="It has not been delivered yet and is tried again.",
    DELIVERED="The address has accepted it.",
    DEAD="It was given up, after 20 calls or a day at the latest; `retryNotification` tries it again.",
)


@strawberry.type
class Notification(Node):
    """A call of a webhook about a change of an event. Its id is sent as X-Argus-Delivery, the same at every try.

    Attributes:
        event_id: Id of the event; null: it is a test.
        url: Address that is called.
        payload: JSON body that is sent.
        state: What has become of it.
        attempts: Number of calls so far, one under way included.
        due_at: When it is called next; null: it is over.
        last_error: Why the last call failed; null: none has.
        finished_at: When it was delivered or given up; null: it is pending.
    """

    event_id: strawberry.ID | None
    url: str
    payload: JSON
    state: NotificationStateEnum  # type: ignore[valid-type]
    attempts: int
    due_at: DateTime | None
    last_error: str | None
    created_at: DateTime
    finished_at: DateTime | None


NotificationConnection = Connection[Notification]


@strawberry.type
class NotificationPayload:
    """Result of a mutation of a notification.

    Attributes:
        notification: The notification after the change; null if it was refused.
    """

    notification: Notification | None
    errors: list[UserError]


@strawberry.type
class WebhookSecretPayload:
    """Result of rotating the webhook secret.

    Attributes:
        secret: The new secret, shown this once; null if the change was refused.
        rotated_at: When it was rotated; null if the change was refused.
        previous_until: Until when the previous secret signs too; null: it does not.
    """

    secret: str | None
    rotated_at: DateTime | None
    previous_until: DateTime | None
    errors: list[UserError]


@queries
class NotificationQuery:
    """Notifications."""

    @query(VIEWERS)
    @paged()
    async def notifications(
        self,
        info: Info,
        *,
        page: PageRequest,
        states: list[NotificationStateEnum] | None = None,  # type: ignore[valid-type]
    ) -> NotificationConnection | None:
        """Calls of webhooks, the newest first.

        Args:
            states: Only notifications in one of these states. Default: in any.
        """
        rows = await page_read(info, notifications_page, page, states=states)
        return NotificationConnection(rows=rows, show=to_notification)


@mutations
class NotificationMutation:
    """Mutations of notifications."""

    @mutation(ADMINS)
    async def retry_notification(self, info: Info, id: strawberry.ID) -> NotificationPayload:
        """Retry a DEAD notification, from the first try on. CONFLICT for one in another state.

        Args:
            id: Id of the notification.
        """
        context = info.context
        try:
            row = await context.read(
                notification_retry, notification_id=uuid_named(id, "id"), now=context.services.clock()
            )
        except ArgusError as error:
            return NotificationPayload(notification=None, errors=[user_error(error)])
        return NotificationPayload(notification=to_notification(row), errors=[])

    @mutation(ADMINS)
    async def test_webhook(self, info: Info, url: str) -> NotificationPayload:
        """Call an address once with a test, within seconds. The notification says how it went.

        Args:
            url: Address, http or https. BAD_USER_INPUT for one that no webhook may have.
        """
        context = info.context
        try:
            row = await context.read(
                webhook_test, notification_id=context.services.new_id(), url=url, now=context.services.clock()
            )
        except ArgusError as error:
            return NotificationPayload(notification=None, errors=[user_error(error)])
        return NotificationPayload(notification=to_notification(row), errors=[])

    @mutation(ADMINS)
    async def rotate_webhook_secret(self, info: Info, previous_for: Duration = _DAY) -> WebhookSecretPayload:
        """Rotate the secret with which calls of webhooks are signed. The new one is shown once.

        Args:
            previous_for: How long the previous secret signs too, at most P30D. PT0S where it has leaked.
        """
        secret = secret_text("argus_whs_", secrets.token_bytes(SECRET_BYTES))
        beside = previous_for.exact()

        def prepare() -> Callable[..., WebhookSecret]:
            return partial(webhook_secret_rotate, secret=secret, previous_for=beside)

        def make(made: WebhookSecret | None, errors: list[UserError]) -> WebhookSecretPayload:
            if made is None:
                return WebhookSecretPayload(secret=None, rotated_at=None, previous_until=None, errors=errors)
            until = None if made.previous_until is None else DateTime(made.previous_until)
            return WebhookSecretPayload(
                secret=secret, rotated_at=DateTime(made.rotated_at), previous_until=until, errors=errors
            )

        return await payload_of(info, make, prepare, under=())


@converts(NotificationRow)
def to_notification(row: NotificationRow) -> Notification:
    """Convert a notification to its GraphQL object."""
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
