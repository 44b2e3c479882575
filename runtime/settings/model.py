"""The settings of processes. Their meaning and defaults: `runtime/settings/table.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network

from runtime.settings.kinds import USER_ROLES, SettingsError


@dataclass(frozen=True, slots=True)
class ClaimSettings:
    """Which claims of a user's token say who it is, by name or by the path to a member: `realm_access.roles`.

    under: holds the ids of the entities to which the user is confined; a token without it is not confined.
    roles: the role of Argus that each name in the claim `role` is.
    """

    subject: str = "sub"
    organization: str = "org"
    role: str = "role"
    under: str = "under"
    roles: Mapping[str, str] = field(default_factory=lambda: {role: role for role in USER_ROLES})


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """An identity provider at which people sign in to the console. client_secret: None: Argus has none there."""

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: str


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How users' tokens are verified: HS256 with `secret`, or RS256 and ES256 with the keys at `jwks_url`.

    session_secret: of the console's sessions; None: `secret` is. oidc: where people sign in; None: nowhere.
    public_url: where browsers find this Argus, with a slash at the end.
    """

    secret: str | None
    jwks_url: str | None
    audience: str | None
    issuer: str | None
    claims: ClaimSettings = ClaimSettings()
    session_secret: str | None = None
    oidc: OidcSettings | None = None
    public_url: str | None = None

    @property
    def session_key(self) -> str | None:
        """What the console's sessions are signed with: another one where either secret is another."""
        return "\n".join(filter(None, (self.session_secret, self.secret))) or None


@dataclass(frozen=True, slots=True)
class QuotaSettings:
    """Ingest quotas of one API process. readings_per_s: 0: without limit. burst: readings at once."""

    readings_per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class RateSettings:
    """Request rate limits of one API process, by caller. per_s: 0: without limit. burst: at once, after silence."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Bounds on callers of an API, and what it shows to whom.

    cors_origins: of web pages that may call it; `*`: any. trusted_documents: the path of the only ones it executes.
    """

    processes: int
    deadline_s: int
    rate_address: RateSettings
    rate_token: RateSettings
    work_token: RateSettings
    connections_max: int
    connections_address_max: int
    head_timeout_s: int
    body_timeout_s: int
    keep_alive_s: int
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    websocket_compression: bool
    cors_origins: tuple[str, ...]
    console: bool
    graphiql: bool
    rest: bool
    anonymous_introspection: bool
    trusted_documents: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a process.

    database_urls: SQLAlchemy addresses by role (api, ingest, pipeline; owner where this process may migrate).
    secrets: every password and key among the settings, which no log may show. Retention of None: forever.
    future_tolerance: how far after its receipt a reading's timestamp may lie. offline_after: silence after which a
    device counts as offline. Neither of these two can be set.
    """

    database_urls: Mapping[str, str]
    redis_url: str
    tokens: TokenSettings
    role_passwords: Mapping[str, str]
    secrets: frozenset[str]
    partitions: int
    workers: int
    log_json: bool
    log_level: int
    snapshot_max_bytes: int
    quota_device: QuotaSettings
    quota_organization: QuotaSettings
    replay_readings_per_s: int
    retention_raw: timedelta | None
    retention_points: timedelta | None
    retention_changes: timedelta | None
    retention_notifications: timedelta | None
    retention_history: timedelta | None
    webhook_allow: tuple[str, ...]
    webhook_calls: int
    act_late: timedelta | None
    api: ApiSettings
    check_entities: int
    future_tolerance: timedelta = timedelta(minutes=5)
    offline_after: timedelta = timedelta(minutes=15)

    def database_url(self, role: str) -> str:
        """Return the address for a role.

        Raises SettingsError where this process has not been given it.
        """
        try:
            return self.database_urls[role]
        except KeyError:
            msg = f"ARGUS_DATABASE_URL{'' if role == 'owner' else '_' + role.upper()} is not set."
            raise SettingsError(msg) from None
