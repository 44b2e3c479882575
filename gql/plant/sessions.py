"""Users' sessions: ended by an administrator, or by the user."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import strawberry

from domain.plant.organizations.sessions import SessionEnd, sessions_end
from gql.access.principal import ADMINS, VIEWERS
from gql.base.context import Info
from gql.base.mutations import payload_of
from gql.base.roots import mutation, mutations
from gql.base.scalars import DateTime
from gql.errors import UserError
from graph.errors import BadInputError


@strawberry.type
class SessionsPayload:
    """Result of ending sessions.

    Attributes:
        subject: The user whose sessions were ended; null if it was refused.
        ended_at: Tokens of the user that were issued before are refused; null if it was refused.
    """

    subject: str | None
    ended_at: DateTime | None
    errors: list[UserError]


@mutations
class SessionMutation:
    """Mutations of sessions."""

    @mutation(ADMINS)
    async def end_sessions(self, info: Info, subject: str) -> SessionsPayload:
        """End all sessions of a user: tokens issued until now are refused within a second, open WebSockets are closed.

        The user can sign in again, where the identity provider still lets them.

        Args:
            subject: The user, as `viewer.subject` and the audit trail name them.
        """
        return await _end(info, subject)

    @mutation(VIEWERS, scoped=True)
    async def end_own_sessions(self, info: Info) -> SessionsPayload:
        """End all sessions of the caller, this one too, as after a token was lost. Not for API keys."""
        return await _end(info, None)


async def _end(info: Info, subject: str | None) -> SessionsPayload:
    principal = info.context.principal

    def prepare() -> Callable[..., SessionEnd]:
        if subject is None and principal.token_id is not None:
            raise BadInputError("An API key has no sessions: revoke it with revokeApiKey.")
        return partial(sessions_end, subject=principal.subject if subject is None else subject)

    def make(end: SessionEnd | None, errors: list[UserError]) -> SessionsPayload:
        if end is None:
            return SessionsPayload(subject=None, ended_at=None, errors=errors)
        return SessionsPayload(subject=end.subject, ended_at=DateTime(end.ended_at), errors=errors)

    return await payload_of(info, make, prepare, under=())
