"""Who is calling, and what they may do: one table, one entry per root field."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from gql.errors import ForbiddenError, UnauthenticatedError


class Role(StrEnum):
    """What a token lets its bearer do. Each user's role includes the ones before it; a device is a role apart."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Principal:
    """The bearer of a good token. expires_at: Unix seconds; None: until revoked. device_id, token_id: of a device's."""

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
        """How the audit trail names the bearer."""
        return self.subject


VIEWERS = frozenset({Role.VIEWER, Role.OPERATOR, Role.ADMIN})
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
DEVICES = frozenset({Role.DEVICE})

_READ = """
    node nodes entity entities devices assets spaces persons activities entityTypes relationships ingestAccount
    traverse path near within inAreaOf around edgeVersions changes deadLetters deadLetterGroups usage replay
    replays featureFlags processors shadow shadowDifferences assetProfiles
    previewAssetProfile healthExplanation
    activityTemplates notifications rollup rollups
    rules events shelves maintenanceWindows
""".split()
_KINDS = ("Device", "Asset", "Space", "Person", "Activity")
_CHANGE = (
    """
    createEdge endEdge correctEdge linkDevice unlinkDevice replaceDevice retryDeadLetters discardDeadLetters
    replayTelemetry cancelReplay createAssetFromProfile setAssetProfile
    createActivityFromTemplate transitionActivity assignActivity completeChecklistItem
    acknowledgeEvent dismissEvent commentEvent shelveEvents unshelveEvents
    createMaintenanceWindow endMaintenanceWindow retryFailedItems
""".split()
    + [f"{verb}{noun}" for noun in _KINDS for verb in ("create", "update")]
)
_ADMINISTER = (
    """
    restoreEntity createEntityType updateEntityType deleteEntityType issueDeviceToken revokeDeviceToken
    createRelationship renameRelationshipInverse retireRelationship importGraph
    setFeatureFlag promoteProcessor compareShadow dropShadow createAssetProfile updateAssetProfile deleteAssetProfile
    createActivityTemplate updateActivityTemplate deleteActivityTemplate
    rotateWebhookSecret testWebhook retryNotification
    createRollup updateRollup deleteRollup
    createRule updateRule deleteRule testRule
""".split()
    + [f"delete{noun}" for noun in _KINDS]
)

PERMISSIONS: dict[str, dict[str, frozenset[Role]]] = {
    "Query": {"viewer": VIEWERS | DEVICES, **dict.fromkeys(_READ, VIEWERS), "failedItems": OPERATORS},
    "Mutation": {
        "ingestTelemetry": OPERATORS | DEVICES,
        **dict.fromkeys(_CHANGE, OPERATORS),
        **dict.fromkeys(_ADMINISTER, ADMINS),
    },
    "Subscription": {"telemetry": VIEWERS, "replayProgress": VIEWERS, "entityChanged": VIEWERS, "events": VIEWERS},
}


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
