"""Device tokens: how a device proves who it is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from uuid import UUID

import strawberry

from domain.base.bearer_secrets import SECRET_BYTES
from domain.plant.devices.tokens import DeviceToken as DeviceTokenRow
from domain.plant.devices.tokens import device_token_issue, device_token_revoke, device_tokens_newest
from gql.access.principal import ADMINS
from gql.base.context import Info
from gql.base.converters import converts
from gql.base.entities import Node
from gql.base.ids import uuid_named
from gql.base.loaders import load
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations
from gql.base.scalars import DateTime
from gql.errors import UserError


@strawberry.type
class DeviceToken(Node):
    """A token by which a device sends readings, without its secret.

    Attributes:
        issued_at: When the token was issued.
        issued_by: Who issued it: the subject of the token that was used.
        last_used_at: When it was last used, to the hour; null: never.
        expires_at: From when on it is refused; null: it does not expire.
        revoked_at: When it was revoked; null: it was not.
    """

    issued_at: DateTime
    issued_by: str
    last_used_at: DateTime | None
    expires_at: DateTime | None
    revoked_at: DateTime | None


@strawberry.type
class DeviceTokenPayload:
    """Result of issuing or revoking a device token.

    Attributes:
        token: The token, shown this once; null where one was revoked, or the change was refused.
        token_id: Id of the token, for `revokeDeviceToken`; null if the change was refused.
    """

    token: str | None
    token_id: strawberry.ID | None
    errors: list[UserError]


@mutations
class DeviceTokenMutation:
    """Mutations of device tokens."""

    @mutation(ADMINS, scoped=True)
    async def issue_device_token(
        self,
        info: Info,
        device_id: strawberry.ID,
        expires_at: DateTime | None = None,
    ) -> DeviceTokenPayload:
        """Issue a token with which a device can send readings. It is shown once.

        A device has at most 20 tokens that are neither revoked nor expired, else LIMIT_EXCEEDED.

        Args:
            expires_at: From when on the token is refused, in the future. Default: it does not expire.
        """
        secret = secrets.token_bytes(SECRET_BYTES)

        def prepare() -> Callable[..., tuple[DeviceTokenRow, str]]:
            device = uuid_named(device_id, "deviceId")
            return partial(device_token_issue, device_id=device, secret=secret, expires_at=expires_at)

        def make(issued: tuple[DeviceTokenRow, str] | None, errors: list[UserError]) -> DeviceTokenPayload:
            if issued is None:
                return DeviceTokenPayload(token=None, token_id=None, errors=errors)
            return DeviceTokenPayload(token=issued[1], token_id=strawberry.ID(str(issued[0].id)), errors=errors)

        return await payload_of(info, make, prepare, under=())

    @mutation(ADMINS, scoped=True)
    async def revoke_device_token(
        self, info: Info, device_id: strawberry.ID, token_id: strawberry.ID
    ) -> DeviceTokenPayload:
        """Revoke a token: it is refused from now on, and WebSockets opened with it are closed within a second.

        Args:
            token_id: Id of the token, from `issueDeviceToken` or `Device.tokens`.
        """

        def prepare() -> Callable[..., DeviceTokenRow]:
            return partial(
                device_token_revoke,
                device_id=uuid_named(device_id, "deviceId"),
                token_id=uuid_named(token_id, "tokenId"),
            )

        return await payload_of(info, partial(_revoked), prepare, under=())


@converts(DeviceTokenRow)
def to_device_token(row: DeviceTokenRow) -> DeviceToken:
    """Return a token as clients see it."""
    return DeviceToken(
        id=strawberry.ID(str(row.id)),
        issued_at=DateTime(row.created_at),
        issued_by=row.issued_by,
        last_used_at=None if row.last_used_at is None else DateTime(row.last_used_at),
        expires_at=None if row.expires_at is None else DateTime(row.expires_at),
        revoked_at=None if row.revoked_at is None else DateTime(row.revoked_at),
    )


async def device_tokens_loaded(info: Info, device_id: UUID) -> list[DeviceToken]:
    """Return a device's tokens, the newest first. Raises ForbiddenError for callers who may not issue any."""
    info.context.services.denials.permit(info.context.principal, root="Mutation", field="issueDeviceToken")
    rows = await load(info.context, device_tokens_newest, device_id)
    return [to_device_token(row) for row in rows or ()]


def _revoked(token: DeviceTokenRow | None, errors: list[UserError]) -> DeviceTokenPayload:
    return DeviceTokenPayload(
        token=None, token_id=None if token is None else strawberry.ID(str(token.id)), errors=errors
    )
