"""Device tokens: how a device proves who it is."""

from __future__ import annotations

import secrets
from functools import partial

import strawberry
from sqlalchemy.orm import Session

from domain.devices.tokens import SECRET_BYTES, DeviceToken, device_token_issue, device_token_revoke
from gql.context import Info
from gql.errors import UserError
from gql.ids import uuid_named
from gql.nouns import payload_of
from graph.change import GraphChange


@strawberry.type
class DeviceTokenPayload:
    """The token, shown this once; null where it was revoked, or refused. tokenId: its name for revokeDeviceToken."""

    token: str | None
    token_id: strawberry.ID | None
    errors: list[UserError]


@strawberry.type
class DeviceTokenMutation:
    """Mutations of device tokens."""

    @strawberry.mutation
    async def issue_device_token(self, info: Info, device_id: strawberry.ID) -> DeviceTokenPayload:
        """Give a device a token to send readings with. The token is shown once."""
        secret = secrets.token_bytes(SECRET_BYTES)

        def work(session: Session, change: GraphChange) -> tuple[DeviceToken, str]:
            device = uuid_named(device_id, "deviceId")
            return device_token_issue(session, change=change, device_id=device, secret=secret)

        def make(issued: tuple[DeviceToken, str] | None, errors: list[UserError]) -> DeviceTokenPayload:
            if issued is None:
                return DeviceTokenPayload(token=None, token_id=None, errors=errors)
            return DeviceTokenPayload(token=issued[1], token_id=strawberry.ID(str(issued[0].id)), errors=errors)

        return await payload_of(info, make, work, under=())

    @strawberry.mutation
    async def revoke_device_token(
        self, info: Info, device_id: strawberry.ID, token_id: strawberry.ID
    ) -> DeviceTokenPayload:
        """Refuse a token from now on."""

        def work(session: Session, change: GraphChange) -> DeviceToken:
            return device_token_revoke(
                session,
                change=change,
                device_id=uuid_named(device_id, "deviceId"),
                token_id=uuid_named(token_id, "tokenId"),
            )

        return await payload_of(info, partial(_revoked), work, under=())


def _revoked(token: DeviceToken | None, errors: list[UserError]) -> DeviceTokenPayload:
    return DeviceTokenPayload(
        token=None, token_id=None if token is None else strawberry.ID(str(token.id)), errors=errors
    )
