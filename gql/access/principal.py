"""The caller of an operation, and which root fields its role may use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from gql.errors import ForbiddenError, UnauthenticatedError


class Role(StrEnum):
    """Role of a token. Each user's role includes the ones before it; DEVICE is separate."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Principal:
    """The bearer of a valid token. expires_at: Unix seconds; None: until revoked.

    device_id: of a device's token. token_id: of a device's token and of an API key.
    """

    organization_id: int
    organization_public_id: UUID
    organization_name: str
    role: Role
    subject: str
    expires_at: float | None = None
    device_id: UUID | None = None
    token_id: UUID | None = None

    @property
    def actor(self) -> str:
        """The name of the bearer in the audit trail."""
        return self.subject


VIEWERS = frozenset({Role.VIEWER, Role.OPERATOR, Role.ADMIN})
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
DEVICES = frozenset({Role.DEVICE})

# Who may use a root field, by root type and by field. Filled by `gql/base/roots.py` with what is declared beside the
# fields.
PERMISSIONS: Final[dict[str, dict[str, frozenset[Role]]]] = {"Query": {}, "Mutation": {}, "Subscription": {}}


def permit(principal: Principal | None, *, root: str, field: str) -> Principal:
    """Return the principal where it may use a root field.

    Raises UnauthenticatedError without one, ForbiddenError where its role does not suffice.
    """
    if principal is None:
        raise UnauthenticatedError("A bearer token is needed: Authorization: Bearer TOKEN.")
    allowed = PERMISSIONS[root][field]
    if principal.role not in allowed:
        roles = ", ".join(sorted(allowed))
        message = f"{field} needs the role {roles}; this token has {principal.role}."
        raise ForbiddenError(message)
    return principal
