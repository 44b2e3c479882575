"""Every setting of Argus, from one place: the environment, or the data directory of the embedded servers.

Nothing else reads the environment. A process gets its settings once, at its entry point.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from runtime.embedded.home import Home, HomeError

DEFAULT_HOME = ".argus"
ROLES = ("api", "ingest", "pipeline")
# Far above what a device has to say: it holds off one that has gone wild.
QUOTA_DEVICE_READINGS_PER_S = 1_000


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message names the variable."""


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How users' tokens are verified: HS256 with `secret`, or RS256 and ES256 with the keys at `jwks_url`."""

    secret: str | None
    jwks_url: str | None
    audience: str | None
    issuer: str | None


@dataclass(frozen=True, slots=True)
class QuotaSettings:
    """What may be sent to one API process. readings_per_s: 0: without limit. burst: readings at once."""

    readings_per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class RateSettings:
    """How often one caller may ask one API process. per_s: 0: without limit. burst: at once, after silence."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What bounds callers of an API.

    processes: that answer what is neither ingest nor health; 0: one process answers all. deadline_s: for which an
    operation may run. rate_address: calls without a good token; rate_token: operations with one. work_token: seconds
    for which a token's operations may be executed in a process. connections_max, connections_address_max: open at a
    time, in all and from one address. head_timeout_s, body_timeout_s: for a request to come in; keep_alive_s: for the
    next one to begin. trusted_proxies: whose X-Forwarded-For tells the address.
    """

    processes: int = 1
    deadline_s: int = 30
    rate_address: RateSettings = RateSettings(0, 1)
    rate_token: RateSettings = RateSettings(0, 1)
    work_token: RateSettings = RateSettings(0, 1)
    connections_max: int = 4_000
    connections_address_max: int = 1_000
    head_timeout_s: int = 10
    body_timeout_s: int = 60
    keep_alive_s: int = 90
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()


# A whole call always fits.
QUOTA_BURST_MIN = 1_000
_QUOTA_MAX = 100_000_000
# Of a burst that is not given: so many seconds' worth.
_QUOTA_BURST_S = 60
_LOG_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process of Argus needs to know.

    database_urls: SQLAlchemy addresses by role (api, ingest, pipeline; owner where this process may migrate).
    partitions: how many partitions the streams have. future_tolerance: how far after its receipt a reading's
    timestamp may lie. offline_after: silence after which a device counts as offline.
    snapshot_max_bytes: memory that one process gives to graphs, which are walked there. quota_device,
    quota_organization: what each device and each organization may send to one process. replay_readings_per_s: what
    a replay takes at most; 0: as many as live readings leave it. keep_raw, keep_points: for how long what was
    received, and points, are kept; keep_changes, keep_notifications, keep_history: what was done about events; None:
    for ever. webhook_allow: where webhooks may lead besides. webhook_calls: under way at once of one `argus worker`.
    act_late: what was over longer ago is not acted on.
    api: what bounds callers of the API.
    check_entities: how many entities of an organization the self-check recomputes in a minute; 0: none.
    """

    database_urls: Mapping[str, str]
    redis_url: str
    tokens: TokenSettings
    role_passwords: Mapping[str, str]
    partitions: int = 2
    future_tolerance: timedelta = timedelta(minutes=5)
    offline_after: timedelta = timedelta(minutes=15)
    workers: int = 3
    log_json: bool = False
    log_level: int = logging.INFO
    snapshot_max_bytes: int = 512 * 1024 * 1024
    quota_device: QuotaSettings = QuotaSettings(0, QUOTA_BURST_MIN)
    quota_organization: QuotaSettings = QuotaSettings(0, QUOTA_BURST_MIN)
    replay_readings_per_s: int = 0
    keep_raw: timedelta | None = timedelta(days=90)
    keep_points: timedelta | None = timedelta(days=365)
    keep_changes: timedelta | None = timedelta(days=30)
    keep_notifications: timedelta | None = timedelta(days=90)
    keep_history: timedelta | None = timedelta(days=365)
    webhook_allow: tuple[str, ...] = ()
    webhook_calls: int = 256
    act_late: timedelta | None = timedelta(days=1)
    api: ApiSettings = ApiSettings()
    check_entities: int = 20

    @property
    def secrets(self) -> frozenset[str]:
        """Every password and key among the settings: what no log may show."""
        addresses = [*self.database_urls.values(), self.redis_url]
        passwords = [make_url(address).password for address in addresses]
        return frozenset(filter(None, (*passwords, *self.role_passwords.values(), self.tokens.secret)))

    def database_url(self, role: str) -> str:
        """Return the address for a role.

        Raises SettingsError where this process has not been given it.
        """
        try:
            return self.database_urls[role]
        except KeyError:
            msg = f"ARGUS_DATABASE_URL{'' if role == 'owner' else '_' + role.upper()} is not set."
            raise SettingsError(msg) from None


def settings_load(home: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings: from the environment where it names a database, else from the data directory.

    home: the data directory, as given by --home; it wins over ARGUS_HOME, and that over `.argus`.
    Raises SettingsError, naming what is missing and how to give it.
    """
    given = {name: value for name, value in (environment or os.environ).items() if value}
    if home is None and any(name.startswith("ARGUS_DATABASE_URL") for name in given):
        return _from_environment(given)
    directory = Path(home or given.get("ARGUS_HOME") or DEFAULT_HOME)
    try:
        found = Home.read(directory)
    except HomeError as error:
        msg = f"{error} Start Argus there with `argus up`, or set ARGUS_DATABASE_URL and ARGUS_REDIS_URL."
        raise SettingsError(msg) from None
    return from_home(found, given)


def from_home(home: Home, given: Mapping[str, str]) -> Settings:
    """Return the settings of an Argus on its embedded servers."""
    passwords = role_passwords(home.secret)
    address = f"127.0.0.1:{home.postgres_port}/argus"
    urls = {
        role: f"postgresql+psycopg://argus_{role}:{passwords[f'argus_{role}']}@{address}" for role in ("owner", *ROLES)
    }
    return Settings(
        database_urls=urls,
        redis_url=f"redis://:{home.valkey_password}@127.0.0.1:{home.valkey_port}/0",
        tokens=_tokens(given, secret=home.jwt_secret),
        role_passwords=passwords,
        partitions=_number(given, "ARGUS_PARTITIONS", 2, at_most=256),
        workers=_number(given, "ARGUS_WORKERS", 3, at_most=64),
        log_json=given.get("ARGUS_LOG_FORMAT") == "json",
        log_level=_log_level(given),
        snapshot_max_bytes=_number(given, "ARGUS_SNAPSHOT_MAX_MIB", 512, at_most=65_536) * 1024 * 1024,
        quota_device=_quota(
            given, "ARGUS_QUOTA_DEVICE_READINGS_PER_S", "ARGUS_QUOTA_DEVICE_BURST", QUOTA_DEVICE_READINGS_PER_S
        ),
        quota_organization=_quota(
            given, "ARGUS_QUOTA_ORGANIZATION_READINGS_PER_S", "ARGUS_QUOTA_ORGANIZATION_BURST", 0
        ),
        replay_readings_per_s=_number(given, "ARGUS_REPLAY_READINGS_PER_S", 0, at_most=_QUOTA_MAX, at_least=0),
        keep_raw=_days(given, "ARGUS_KEEP_RAW", 90),
        keep_points=_days(given, "ARGUS_KEEP_POINTS", None),
        keep_changes=_days(given, "ARGUS_KEEP_CHANGES", 30),
        keep_notifications=_days(given, "ARGUS_KEEP_NOTIFICATIONS", 90),
        keep_history=_days(given, "ARGUS_KEEP_HISTORY", 365),
        webhook_allow=_list(given, "ARGUS_WEBHOOK_ALLOW"),
        webhook_calls=_number(given, "ARGUS_WEBHOOK_CALLS", 256, at_most=4_096, at_least=0),
        act_late=_days(given, "ARGUS_ACT_LATE", 1),
        api=_api(given),
        check_entities=_number(given, "ARGUS_CHECK_ENTITIES", 20, at_most=10_000, at_least=0),
    )


def _from_environment(given: Mapping[str, str]) -> Settings:
    owner = given.get("ARGUS_DATABASE_URL")
    secret = given.get("ARGUS_SECRET")
    passwords = role_passwords(secret) if secret else {}
    for role in ROLES:
        if explicit := given.get(f"ARGUS_ROLE_PASSWORD_{role.upper()}"):
            passwords[f"argus_{role}"] = explicit
    urls = {} if owner is None else {"owner": _database_url("ARGUS_DATABASE_URL", owner)}
    for role in ROLES:
        variable = f"ARGUS_DATABASE_URL_{role.upper()}"
        if explicit := given.get(variable):
            urls[role] = _database_url(variable, explicit)
        elif owner is not None and f"argus_{role}" in passwords:
            url = make_url(urls["owner"]).set(username=f"argus_{role}", password=passwords[f"argus_{role}"])
            urls[role] = url.render_as_string(hide_password=False)
    if set(urls) <= {"owner"}:
        msg = (
            "The database roles have no passwords: set ARGUS_SECRET (from which they are derived) beside "
            "ARGUS_DATABASE_URL, or ARGUS_DATABASE_URL_API, _INGEST and _PIPELINE."
        )
        raise SettingsError(msg)
    redis_url = given.get("ARGUS_REDIS_URL")
    if redis_url is None or not redis_url.startswith(("redis://", "rediss://", "unix://")):
        msg = "ARGUS_REDIS_URL must be the address of a Redis or Valkey, such as redis://:password@host:6379/0."
        raise SettingsError(msg)
    partitions = _number(given, "ARGUS_PARTITIONS", 4, at_most=256)
    return Settings(
        database_urls=urls,
        redis_url=redis_url,
        tokens=_tokens(given, secret=None),
        role_passwords=passwords,
        partitions=partitions,
        # One for each lane, and one for what is short: lanes that take turns are a second late.
        workers=_number(given, "ARGUS_WORKERS", min(partitions + 1, 64), at_most=64),
        log_json=given.get("ARGUS_LOG_FORMAT", "json") == "json",
        log_level=_log_level(given),
        snapshot_max_bytes=_number(given, "ARGUS_SNAPSHOT_MAX_MIB", 512, at_most=65_536) * 1024 * 1024,
        quota_device=_quota(
            given, "ARGUS_QUOTA_DEVICE_READINGS_PER_S", "ARGUS_QUOTA_DEVICE_BURST", QUOTA_DEVICE_READINGS_PER_S
        ),
        quota_organization=_quota(
            given, "ARGUS_QUOTA_ORGANIZATION_READINGS_PER_S", "ARGUS_QUOTA_ORGANIZATION_BURST", 0
        ),
        replay_readings_per_s=_number(given, "ARGUS_REPLAY_READINGS_PER_S", 0, at_most=_QUOTA_MAX, at_least=0),
        keep_raw=_days(given, "ARGUS_KEEP_RAW", 90),
        keep_points=_days(given, "ARGUS_KEEP_POINTS", 365),
        keep_changes=_days(given, "ARGUS_KEEP_CHANGES", 30),
        keep_notifications=_days(given, "ARGUS_KEEP_NOTIFICATIONS", 90),
        keep_history=_days(given, "ARGUS_KEEP_HISTORY", 365),
        webhook_allow=_list(given, "ARGUS_WEBHOOK_ALLOW"),
        webhook_calls=_number(given, "ARGUS_WEBHOOK_CALLS", 256, at_most=4_096, at_least=0),
        act_late=_days(given, "ARGUS_ACT_LATE", 1),
        api=_api(given),
        check_entities=_number(given, "ARGUS_CHECK_ENTITIES", 20, at_most=10_000, at_least=0),
    )


def role_passwords(secret: str) -> dict[str, str]:
    """Derive a password for each database role from one secret, so that one secret is all there is to keep."""
    return {
        f"argus_{role}": hmac.new(secret.encode(), f"argus database role {role}".encode(), hashlib.sha256).hexdigest()
        for role in ("owner", *ROLES)
    }


def _tokens(given: Mapping[str, str], *, secret: str | None) -> TokenSettings:
    jwks_url = given.get("ARGUS_JWT_JWKS_URL")
    explicit = given.get("ARGUS_JWT_SECRET")
    if jwks_url and explicit:
        msg = "Set ARGUS_JWT_SECRET (HS256) or ARGUS_JWT_JWKS_URL (RS256, ES256), not both."
        raise SettingsError(msg)
    chosen = None if jwks_url else explicit or secret
    shortest = 32
    if chosen is not None and len(chosen) < shortest:
        msg = f"ARGUS_JWT_SECRET is too short: HS256 wants at least {shortest} characters."
        raise SettingsError(msg)
    return TokenSettings(chosen, jwks_url, given.get("ARGUS_JWT_AUDIENCE"), given.get("ARGUS_JWT_ISSUER"))


def _database_url(variable: str, value: str) -> str:
    try:
        url = make_url(value)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "postgresql" or not url.database:
        msg = f"{variable} must look like postgresql+psycopg://user:password@host:5432/database."
        raise SettingsError(msg)
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _api(given: Mapping[str, str]) -> ApiSettings:
    proxies = _list(given, "ARGUS_TRUSTED_PROXIES")
    try:
        trusted = tuple(ip_network(each, strict=False) for each in proxies)
    except ValueError:
        msg = f"ARGUS_TRUSTED_PROXIES must be addresses or networks such as 10.0.0.0/8; it is {', '.join(proxies)!r}."
        raise SettingsError(msg) from None
    usual = ApiSettings()
    return ApiSettings(
        processes=_number(given, "ARGUS_API_PROCESSES", usual.processes, at_most=64, at_least=0),
        deadline_s=_number(given, "ARGUS_DEADLINE_S", usual.deadline_s, at_most=3_600),
        rate_address=_rate(given, "ARGUS_RATE_ADDRESS_PER_S", "ARGUS_RATE_ADDRESS_BURST", (10, 300)),
        rate_token=_rate(given, "ARGUS_RATE_TOKEN_PER_S", "ARGUS_RATE_TOKEN_BURST", (500, 5_000)),
        work_token=_rate(given, "ARGUS_WORK_TOKEN_PER_S", "ARGUS_WORK_TOKEN_BURST", (2, 120)),
        connections_max=_number(given, "ARGUS_CONNECTIONS_MAX", usual.connections_max, at_most=1_000_000),
        connections_address_max=_number(
            given, "ARGUS_CONNECTIONS_ADDRESS_MAX", usual.connections_address_max, at_most=1_000_000
        ),
        head_timeout_s=_number(given, "ARGUS_HEAD_TIMEOUT_S", usual.head_timeout_s, at_most=3_600),
        body_timeout_s=_number(given, "ARGUS_BODY_TIMEOUT_S", usual.body_timeout_s, at_most=3_600),
        keep_alive_s=_number(given, "ARGUS_KEEP_ALIVE_S", usual.keep_alive_s, at_most=3_600),
        trusted_proxies=trusted,
    )


def _rate(given: Mapping[str, str], per_s: str, burst: str, default: tuple[int, int]) -> RateSettings:
    """Return how often a caller may ask. default: a second, and at once."""
    return RateSettings(
        _number(given, per_s, default[0], at_most=_QUOTA_MAX, at_least=0),
        _number(given, burst, default[1], at_most=_QUOTA_MAX),
    )


def _quota(given: Mapping[str, str], rate: str, burst: str, default: int) -> QuotaSettings:
    """Return a quota. default: readings/s where none are given; 0: without limit."""
    readings_per_s = _number(given, rate, default, at_most=_QUOTA_MAX, at_least=0)
    usual = min(max(readings_per_s * _QUOTA_BURST_S, QUOTA_BURST_MIN), _QUOTA_MAX)
    return QuotaSettings(readings_per_s, _number(given, burst, usual, at_most=_QUOTA_MAX, at_least=QUOTA_BURST_MIN))


def _days(given: Mapping[str, str], variable: str, default: int | None) -> timedelta | None:
    """Return a time of whole days, by default so many; None: for ever."""
    text = given.get(variable)
    if text is None:
        return None if default is None else timedelta(days=default)
    if text == "forever":
        return None
    found = re.fullmatch(r"P([1-9][0-9]{0,4})D", text)
    if found is None:
        msg = f"{variable} must be whole days, such as P90D, or forever; it is {text!r}."
        raise SettingsError(msg)
    return timedelta(days=int(found[1]))


def _list(given: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """Return addresses, networks and names of hosts, separated by commas."""
    entries = tuple(entry.strip() for entry in given.get(variable, "").split(",") if entry.strip())
    for entry in entries:
        try:
            ip_network(entry, strict=False)
        except ValueError:
            if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", entry) or entry[-1].isdigit():
                msg = f"{variable} must be networks such as 127.0.0.0/8, addresses or names; {entry!r} is none."
                raise SettingsError(msg) from None
    return entries


def _log_level(given: Mapping[str, str]) -> int:
    name = given.get("ARGUS_LOG_LEVEL", "info")
    if name not in _LOG_LEVELS:
        msg = f"ARGUS_LOG_LEVEL must be one of {', '.join(_LOG_LEVELS)}; it is {name!r}."
        raise SettingsError(msg)
    return _LOG_LEVELS[name]


def _number(given: Mapping[str, str], variable: str, default: int, *, at_most: int, at_least: int = 1) -> int:
    text = given.get(variable)
    if text is None:
        return default
    if not text.isdecimal() or not at_least <= int(text) <= at_most:
        msg = f"{variable} must be a whole number from {at_least} to {at_most}; it is {text!r}."
        raise SettingsError(msg)
    return int(text)
