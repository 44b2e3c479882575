"""The caller of an operation, and which root fields its role may use."""

from __future__ import annotations

from collections.abc import Hashable
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

    device_id: of a device's token. token_id: of a device's token and of an API key. issued_at: of a user's token, Unix
    seconds. under: the entities below which the bearer may see and act; None: everywhere in the organization.
    """

    organization_id: int
    organization_public_id: UUID
    organization_name: str
    role: Role
    subject: str
    expires_at: float | None = None
    device_id: UUID | None = None
    token_id: UUID | None = None
    issued_at: float | None = None
    under: tuple[UUID, ...] | None = None

    @property
    def sight(self) -> Hashable:
        """What two bearers of an organization have in common who are answered alike."""
        return self.role, self.under

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
# The root fields that callers may use who are confined to what lies below some entities: what they read and write is of
# single entities, or the same for the whole organization and no secret. Filled like PERMISSIONS.
SCOPED: Final[dict[str, set[str]]] = {root: set() for root in PERMISSIONS}


def permit(principal: Principal | None, *, root: str, field: str) -> Principal:
    """Return the principal where it may use a root field.

    Raises UnauthenticatedError without one, ForbiddenError where its role does not suffice, or where it is confined to
    a part of the plant and the field is about the whole.
    """
    if principal is None:
        raise UnauthenticatedError("A bearer token is needed: Authorization: Bearer TOKEN.")
    allowed = PERMISSIONS[root][field]
    if principal.role not in allowed:
        roles = ", ".join(sorted(allowed))
        message = f"{field} needs the role {roles}; this token has {principal.role}."
        raise ForbiddenError(message)
    if principal.under is not None and field not in SCOPED[root]:
        message = f"{field} is about the whole organization; this token is confined to what lies below some entities."
        raise ForbiddenError(message)
    return principal
