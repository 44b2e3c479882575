"""The settings of a process: from the environment, or from the data directory of the embedded servers.

Nothing else reads the environment. A process gets its settings once, at its entry point.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from runtime.embedded.home import Home, HomeError
from runtime.settings import table
from runtime.settings.compose import COMPOSE_SETTINGS
from runtime.settings.declaration import Setting, Values
from runtime.settings.kinds import SettingsError
from runtime.settings.model import (
    ApiSettings,
    ClaimSettings,
    OidcSettings,
    QuotaSettings,
    RateSettings,
    Settings,
    TokenSettings,
)

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Servers:
    """How the database and the bus are reached.

    jwt_secret, session_secret: keys where no variable gives them. secrets: further ones, which were given by none.
    """

    database_urls: Mapping[str, str]
    redis_url: str
    role_passwords: Mapping[str, str]
    jwt_secret: str | None = None
    session_secret: str | None = None
    secrets: frozenset[str] = frozenset()


def settings_load(home: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings: from the environment where it names a database, else from the data directory.

    home: the data directory, as given by --home; it wins over ARGUS_HOME, and that over the default.
    Raises SettingsError, naming what is missing and how to give it.
    """
    values = Values.of(os.environ if environment is None else environment, is_embedded=False)
    if home is None and any(item.name in values.given for item in (table.DATABASE_URL, *table.ROLE_URLS.values())):
        return _assemble(values, _servers_named(values))
    try:
        existing = Home.read(Path(home or values[table.HOME]))
    except HomeError as error:
        msg = f"{error} Start Argus there with `argus up`, or set ARGUS_DATABASE_URL and ARGUS_REDIS_URL."
        raise SettingsError(msg) from None
    return settings_embedded(existing, values.given)


def settings_embedded(home: Home, environment: Mapping[str, str]) -> Settings:
    """Return the settings of an Argus on its embedded servers.

    Raises SettingsError.
    """
    return _assemble(Values.of(environment, is_embedded=True), _servers_embedded(home))


def role_passwords(secret: str) -> dict[str, str]:
    """Derive a password for each database role from one secret, so that one secret is all there is to keep."""
    return {
        f"argus_{role}": hmac.new(secret.encode(), f"argus database role {role}".encode(), hashlib.sha256).hexdigest()
        for role in ("owner", *table.ROLE_URLS)
    }


def _servers_embedded(home: Home) -> _Servers:
    passwords = role_passwords(home.secret)
    address = f"127.0.0.1:{home.postgres_port}/argus"
    return _Servers(
        database_urls={
            role: f"postgresql+psycopg://argus_{role}:{passwords[f'argus_{role}']}@{address}"
            for role in ("owner", *table.ROLE_URLS)
        },
        redis_url=f"redis://:{home.valkey_password}@127.0.0.1:{home.valkey_port}/0",
        role_passwords=passwords,
        jwt_secret=home.jwt_secret,
        session_secret=home.secret,
        secrets=frozenset((home.secret, home.postgres_password, home.valkey_password)),
    )


def _servers_named(values: Values) -> _Servers:
    owner, secret = values[table.DATABASE_URL], values[table.SECRET]
    passwords = role_passwords(secret) if secret else {}
    for role, setting in table.ROLE_PASSWORDS.items():
        if explicit := values[setting]:
            passwords[f"argus_{role}"] = explicit
    urls = {} if owner is None else {"owner": owner}
    for role, setting in table.ROLE_URLS.items():
        if explicit := values[setting]:
            urls[role] = explicit
        elif owner is not None and f"argus_{role}" in passwords:
            url = make_url(owner).set(username=f"argus_{role}", password=passwords[f"argus_{role}"])
            urls[role] = url.render_as_string(hide_password=False)
    if set(urls) <= {"owner"}:
        msg = (
            "The database roles have no passwords: set ARGUS_SECRET (from which they are derived) beside "
            "ARGUS_DATABASE_URL, or ARGUS_DATABASE_URL_API, _INGEST and _PIPELINE."
        )
        raise SettingsError(msg)
    return _Servers(urls, values[table.REDIS_URL], passwords, session_secret=secret)


def _assemble(values: Values, servers: _Servers) -> Settings:
    """Return all settings. What the two ways to the servers have in common is read here."""
    tokens = _tokens(values, servers)
    derived = frozenset(filter(None, (*servers.role_passwords.values(), tokens.secret)))
    return Settings(
        database_urls=servers.database_urls,
        redis_url=servers.redis_url,
        tokens=tokens,
        role_passwords=servers.role_passwords,
        secrets=values.secrets((*table.SETTINGS, *COMPOSE_SETTINGS)) | servers.secrets | derived,
        partitions=values[table.PARTITIONS],
        workers=values[table.WORKERS],
        log_json=values[table.LOG_FORMAT],
        log_level=values[table.LOG_LEVEL],
        snapshot_max_bytes=values[table.SNAPSHOT_MAX_MIB] * _MIB,
        quota_device=_quota(values, table.QUOTA_DEVICE_READINGS_PER_S, table.QUOTA_DEVICE_BURST),
        quota_organization=_quota(values, table.QUOTA_ORGANIZATION_READINGS_PER_S, table.QUOTA_ORGANIZATION_BURST),
        replay_readings_per_s=values[table.REPLAY_READINGS_PER_S],
        retention_raw=values[table.RETENTION_RAW],
        retention_points=values[table.RETENTION_POINTS],
        retention_changes=values[table.RETENTION_CHANGES],
        retention_notifications=values[table.RETENTION_NOTIFICATIONS],
        retention_history=values[table.RETENTION_HISTORY],
        webhook_allow=values[table.WEBHOOK_ALLOW],
        webhook_calls=values[table.WEBHOOK_CALLS],
        act_late=values[table.ACT_LATE],
        api=_api(values),
        check_entities=values[table.CHECK_ENTITIES],
    )


def _tokens(values: Values, servers: _Servers) -> TokenSettings:
    """Return how tokens are verified."""
    jwks_url, explicit = values[table.JWT_JWKS_URL], values[table.JWT_SECRET]
    if jwks_url and explicit:
        msg = "Set ARGUS_JWT_SECRET (HS256) or ARGUS_JWT_JWKS_URL (RS256, ES256), not both."
        raise SettingsError(msg)
    chosen = None if jwks_url else explicit or servers.jwt_secret
    claims = ClaimSettings(
        values[table.JWT_CLAIM_SUBJECT],
        values[table.JWT_CLAIM_ORGANIZATION],
        values[table.JWT_CLAIM_ROLE],
        values[table.JWT_CLAIM_UNDER],
        values[table.JWT_ROLES],
    )
    session_secret = values[table.SESSION_SECRET] or servers.session_secret
    oidc = _oidc(values)
    if oidc is not None and not (session_secret or chosen):
        msg = "ARGUS_OIDC_ISSUER needs ARGUS_SESSION_SECRET, the key of the console's sessions."
        raise SettingsError(msg)
    return TokenSettings(
        chosen,
        jwks_url,
        values[table.JWT_AUDIENCE],
        values[table.JWT_ISSUER],
        claims,
        session_secret,
        oidc,
        values[table.PUBLIC_URL],
    )


def _oidc(values: Values) -> OidcSettings | None:
    issuer = values[table.OIDC_ISSUER]
    if issuer is None:
        return None
    client_id = values[table.OIDC_CLIENT_ID]
    if client_id is None or values[table.PUBLIC_URL] is None:
        msg = "ARGUS_OIDC_ISSUER needs ARGUS_OIDC_CLIENT_ID and ARGUS_PUBLIC_URL."
        raise SettingsError(msg)
    if "openid" not in values[table.OIDC_SCOPES].split():
        msg = "ARGUS_OIDC_SCOPES must have openid among them."
        raise SettingsError(msg)
    return OidcSettings(issuer, client_id, values[table.OIDC_CLIENT_SECRET], values[table.OIDC_SCOPES])


def _api(values: Values) -> ApiSettings:
    return ApiSettings(
        processes=values[table.API_PROCESSES],
        deadline_s=values[table.DEADLINE_S],
        rate_address=_rate(values, table.RATE_ADDRESS_PER_S, table.RATE_ADDRESS_BURST),
        rate_token=_rate(values, table.RATE_TOKEN_PER_S, table.RATE_TOKEN_BURST),
        work_token=_rate(values, table.WORK_TOKEN_PER_S, table.WORK_TOKEN_BURST),
        connections_max=values[table.CONNECTIONS_MAX],
        connections_address_max=values[table.CONNECTIONS_ADDRESS_MAX],
        head_timeout_s=values[table.HEAD_TIMEOUT_S],
        body_timeout_s=values[table.BODY_TIMEOUT_S],
        keep_alive_s=values[table.KEEP_ALIVE_S],
        trusted_proxies=values[table.TRUSTED_PROXIES],
        websocket_compression=values[table.WEBSOCKET_COMPRESSION],
        cors_origins=values[table.CORS_ORIGINS],
        console=values[table.CONSOLE],
        graphiql=values[table.GRAPHIQL],
        rest=values[table.REST],
        anonymous_introspection=values[table.ANONYMOUS_INTROSPECTION],
        trusted_documents=values[table.TRUSTED_DOCUMENTS],
    )


def _rate(values: Values, per_s: Setting[int], burst: Setting[int]) -> RateSettings:
    return RateSettings(values[per_s], values[burst])


def _quota(values: Values, readings_per_s: Setting[int], burst: Setting[int]) -> QuotaSettings:
    return QuotaSettings(values[readings_per_s], values[burst])
