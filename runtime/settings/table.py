"""Every setting that Argus reads, declared once. `compose.py` has what docker-compose.yml reads besides.

Parsing, the errors, the names that are known, what logs must not show, `docs/reference/settings.md` and `.env.example`
all come of these declarations. Links in `meaning` are relative to docs/reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.settings.declaration import Derived, Group, Process, Secret, Setting, Values
from runtime.settings.kinds import (
    Days,
    Hosts,
    IsJson,
    LogLevel,
    Name,
    Networks,
    Number,
    Origins,
    PageUrl,
    PostgresUrl,
    RedisUrl,
    RoleNames,
    SigningKey,
    Switch,
    Text,
)

API, WORKER, COMMANDS = Process.API, Process.WORKER, Process.COMMANDS
EVERYWHERE = (API, WORKER, COMMANDS)
WORKERS_MAX: Final = 64
_RATE_MAX: Final = 100_000_000
# A whole ingest call always fits.
_QUOTA_BURST_MIN: Final = 1_000
_QUOTA_BURST_S: Final = 60
_FROM_DATA_DIRECTORY: Final = "from the data directory"


def _workers(values: Values) -> str:
    # One for each partition, and one for short jobs: partition tasks that share a worker are up to a second late.
    return str(min(values[PARTITIONS] + 1, WORKERS_MAX))


def _burst(rate: Setting[int]) -> Derived:
    def of(values: Values) -> str:
        return str(min(max(values[rate] * _QUOTA_BURST_S, _QUOTA_BURST_MIN), _RATE_MAX))

    return Derived(f"{_QUOTA_BURST_S} s at `{rate.name}`, at least {_QUOTA_BURST_MIN:,}", of)


def _role_url(name: str, used_by: tuple[Process, ...], meaning: str) -> Setting[str | None]:
    return Setting(
        name=name,
        kind=PostgresUrl(),
        group=Group.DATABASE,
        used_by=used_by,
        default=Derived("from `ARGUS_DATABASE_URL` and the role's password"),
        in_data_directory=True,
        secret=Secret.PASSWORD,
        meaning=meaning,
    )


def _role_password(name: str, role: str) -> Setting[str | None]:
    return Setting(
        name=name,
        kind=Text(),
        group=Group.DATABASE,
        used_by=EVERYWHERE,
        default=Derived("from `ARGUS_SECRET`"),
        in_data_directory=True,
        secret=Secret.VALUE,
        meaning=f"Password of the role `{role}`, where it is not derived. `argus migrate` sets it.",
    )


# Database
DATABASE_URL: Final = Setting(
    name="ARGUS_DATABASE_URL",
    kind=PostgresUrl(),
    group=Group.DATABASE,
    used_by=EVERYWHERE,
    in_data_directory=True,
    secret=Secret.PASSWORD,
    meaning=(
        "Database, as the role that owns the tables. `argus migrate` and `argus organization` need it; other "
        "processes derive the addresses of their own roles from it. Without this and the next three, commands use a "
        "data directory."
    ),
)
ROLE_URLS: Final[Mapping[str, Setting[str | None]]] = {
    "api": _role_url(
        "ARGUS_DATABASE_URL_API",
        (API, COMMANDS),
        "Database, as `argus_api`. With an address of its own a process need know no other role's password; "
        "`argus api` needs this and the next.",
    ),
    "ingest": _role_url("ARGUS_DATABASE_URL_INGEST", (API,), "Database, as `argus_ingest`."),
    "pipeline": _role_url(
        "ARGUS_DATABASE_URL_PIPELINE", (WORKER, COMMANDS), "Database, as `argus_pipeline`; all that workers need."
    ),
}
SECRET: Final = Setting(
    name="ARGUS_SECRET",
    kind=Text(),
    group=Group.DATABASE,
    used_by=EVERYWHERE,
    in_data_directory=True,
    secret=Secret.VALUE,
    meaning="Secret from which the passwords of the three database roles are derived. The same for all processes.",
)
ROLE_PASSWORDS: Final[Mapping[str, Setting[str | None]]] = {
    "api": _role_password("ARGUS_ROLE_PASSWORD_API", "argus_api"),
    "ingest": _role_password("ARGUS_ROLE_PASSWORD_INGEST", "argus_ingest"),
    "pipeline": _role_password("ARGUS_ROLE_PASSWORD_PIPELINE", "argus_pipeline"),
}

# Bus
REDIS_URL: Final = Setting(
    name="ARGUS_REDIS_URL",
    kind=RedisUrl(),
    group=Group.BUS,
    used_by=EVERYWHERE,
    in_data_directory=True,
    secret=Secret.PASSWORD,
    meaning="Redis or Valkey that carries the streams and the job queues.",
)
PARTITIONS: Final = Setting(
    name="ARGUS_PARTITIONS",
    kind=Number(1, 256),
    group=Group.BUS,
    used_by=(API, WORKER),
    default="4",
    embedded_default="2",
    meaning=(
        "Partitions of the streams; the same for all processes. To change it, restart all of them "
        "([scale](../explanation/pipeline.md#scale))."
    ),
)

# Authentication
_CLAIM: Final = Name("the name of a claim, or the path to a member: `name.name`")
JWT_SECRET: Final = Setting(
    name="ARGUS_JWT_SECRET",
    kind=SigningKey(),
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    embedded_default=Derived(_FROM_DATA_DIRECTORY),
    secret=Secret.VALUE,
    meaning="Key of users' tokens where they are signed with HS256. `argus token create` makes such tokens.",
)
JWT_JWKS_URL: Final = Setting(
    name="ARGUS_JWT_JWKS_URL",
    kind=Text("an address"),
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    meaning=(
        "Where an identity provider publishes its keys, for users' tokens signed with RS256 or ES256. Not together "
        "with `ARGUS_JWT_SECRET`."
    ),
)
JWT_AUDIENCE: Final = Setting(
    name="ARGUS_JWT_AUDIENCE",
    kind=Text(),
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    meaning="Audience (`aud`) that a user's token must name. Without it, any.",
)
JWT_ISSUER: Final = Setting(
    name="ARGUS_JWT_ISSUER",
    kind=Text(),
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    meaning="Issuer (`iss`) that a user's token must name. Without it, any.",
)

JWT_CLAIM_SUBJECT: Final = Setting(
    name="ARGUS_JWT_CLAIM_SUBJECT",
    kind=_CLAIM,
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    default="sub",
    meaning="Claim that names the user, as the audit trail shows it: `sub`, or `email`, `preferred_username`.",
)
JWT_CLAIM_ORGANIZATION: Final = Setting(
    name="ARGUS_JWT_CLAIM_ORGANIZATION",
    kind=_CLAIM,
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    default="org",
    meaning="Claim that holds the slug of the organization.",
)
JWT_CLAIM_ROLE: Final = Setting(
    name="ARGUS_JWT_CLAIM_ROLE",
    kind=_CLAIM,
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    default="role",
    meaning=(
        "Claim that holds the user's role, or a list of roles or groups, of which the one that may most counts: "
        "`realm_access.roles`, `groups`."
    ),
)
JWT_CLAIM_UNDER: Final = Setting(
    name="ARGUS_JWT_CLAIM_UNDER",
    kind=_CLAIM,
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    default="under",
    meaning=(
        "Claim that confines a user to a part of the plant: the id of an entity, or a list of ids. The user sees and "
        "changes nothing but these and what lies below them. A token without the claim is not confined."
    ),
)
JWT_ROLES: Final = Setting(
    name="ARGUS_JWT_ROLES",
    kind=RoleNames(),
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    default="",
    meaning=(
        "What the identity provider calls the roles: `plant-staff=viewer,shift-lead=operator,it=admin`. Others have no "
        "role. Without it, roles are called viewer, operator and admin."
    ),
)

# Sign-in
PUBLIC_URL: Final = Setting(
    name="ARGUS_PUBLIC_URL",
    kind=PageUrl(),
    group=Group.AUTHENTICATION,
    used_by=(API,),
    meaning=(
        "Where browsers find this Argus, behind whatever proxies. An identity provider sends them back there "
        "([sign-in](../how-to/signing-in.md))."
    ),
)
SESSION_SECRET: Final = Setting(
    name="ARGUS_SESSION_SECRET",
    kind=SigningKey(),
    group=Group.AUTHENTICATION,
    used_by=(API, COMMANDS),
    default=Derived("from `ARGUS_SECRET` and `ARGUS_JWT_SECRET`"),
    embedded_default=Derived(_FROM_DATA_DIRECTORY),
    secret=Secret.VALUE,
    meaning="Key of the console's sessions; the same for all processes. Another one ends all sessions.",
)
OIDC_ISSUER: Final = Setting(
    name="ARGUS_OIDC_ISSUER",
    kind=Text("an address"),
    group=Group.AUTHENTICATION,
    used_by=(API,),
    meaning=(
        "Identity provider at which people sign in to the console (OpenID Connect, code flow with PKCE), as its tokens "
        "name it (`iss`). Needs the next setting, and `ARGUS_PUBLIC_URL`."
    ),
)
OIDC_CLIENT_ID: Final = Setting(
    name="ARGUS_OIDC_CLIENT_ID",
    kind=Text(),
    group=Group.AUTHENTICATION,
    used_by=(API,),
    meaning="What Argus is called there. Register `ARGUS_PUBLIC_URL` with `sign-in/callback` after it.",
)
OIDC_CLIENT_SECRET: Final = Setting(
    name="ARGUS_OIDC_CLIENT_SECRET",
    kind=Text(),
    group=Group.AUTHENTICATION,
    used_by=(API,),
    secret=Secret.VALUE,
    meaning="Secret of Argus there. A public client has none.",
)
OIDC_SCOPES: Final = Setting(
    name="ARGUS_OIDC_SCOPES",
    kind=Name("names, separated by spaces"),
    group=Group.AUTHENTICATION,
    used_by=(API,),
    default="openid profile email",
    meaning="Scopes that are requested; `openid` among them.",
)

# API
API_PROCESSES: Final = Setting(
    name="ARGUS_API_PROCESSES",
    kind=Number(0, 64, "processes"),
    group=Group.API,
    used_by=(API,),
    default="1",
    meaning=(
        "Reader processes of one `argus api` "
        "([which do what](../how-to/processes-and-limits.md#processes-of-the-api)). 0: one process does everything."
    ),
)
SNAPSHOT_MAX_MIB: Final = Setting(
    name="ARGUS_SNAPSHOT_MAX_MIB",
    kind=Number(1, 65_536, "MiB"),
    group=Group.API,
    used_by=(API,),
    default="512",
    meaning=(
        "Memory that each reader process gives to graphs, which it walks there. The least recently used graph is "
        "dropped first."
    ),
)
TRUSTED_PROXIES: Final = Setting(
    name="ARGUS_TRUSTED_PROXIES",
    kind=Networks(),
    group=Group.API,
    used_by=(API,),
    meaning="Proxies whose `X-Forwarded-For` header is trusted for the client's address.",
)
KEEP_ALIVE_S: Final = Setting(
    name="ARGUS_KEEP_ALIVE_S",
    kind=Number(1, 3_600, "s"),
    group=Group.API,
    used_by=(API,),
    default="90",
    meaning="How long a connection without a request is kept open. Best longer than devices pause between requests.",
)

WEBSOCKET_COMPRESSION: Final = Setting(
    name="ARGUS_WEBSOCKET_COMPRESSION",
    kind=Switch(),
    group=Group.API,
    used_by=(API,),
    default="off",
    meaning=(
        "Whether messages on WebSockets are compressed where the client offers it: less to send, for about 100 KiB of "
        "memory for each socket."
    ),
)
CORS_ORIGINS: Final = Setting(
    name="ARGUS_CORS_ORIGINS",
    kind=Origins(),
    group=Group.API,
    used_by=(API,),
    meaning=(
        "Origins of web pages that may call the API from a browser "
        "([CORS](graphql-transports.md#from-other-origins)). Without it, none but its own."
    ),
)
GRAPHIQL: Final = Setting(
    name="ARGUS_GRAPHIQL",
    kind=Switch(),
    group=Group.API,
    used_by=(API,),
    default="on",
    meaning="Whether a browser is shown GraphiQL at `/graphql`.",
)
CONSOLE: Final = Setting(
    name="ARGUS_CONSOLE",
    kind=Switch(),
    group=Group.API,
    used_by=(API,),
    default="on",
    meaning="Whether a browser is shown the console at `/`.",
)
REST: Final = Setting(
    name="ARGUS_REST",
    kind=Switch(),
    group=Group.API,
    used_by=(API,),
    default="on",
    meaning="Whether the [REST routes](rest.md) and `/openapi.json` are there.",
)
ANONYMOUS_INTROSPECTION: Final = Setting(
    name="ARGUS_ANONYMOUS_INTROSPECTION",
    kind=Switch(),
    group=Group.API,
    used_by=(API,),
    default="on",
    meaning=(
        "Whether the schema can be read without a token. `off`: without one, nothing is answered but `{ __typename }`."
    ),
)
TRUSTED_DOCUMENTS: Final = Setting(
    name="ARGUS_TRUSTED_DOCUMENTS",
    kind=Text("a path"),
    group=Group.API,
    used_by=(API,),
    meaning=(
        "File or directory of the only documents that are executed "
        "([trusted documents](graphql-transports.md#trusted-documents)). Without it, any. It is read at the start."
    ),
)

# Limits of the API
DEADLINE_S: Final = Setting(
    name="ARGUS_DEADLINE_S",
    kind=Number(1, 3_600, "s"),
    group=Group.LIMITS,
    used_by=(API,),
    default="30",
    meaning="How long an operation may run ([all limits](../how-to/processes-and-limits.md#limits-of-the-api)).",
)
RATE_ADDRESS_PER_S: Final = Setting(
    name="ARGUS_RATE_ADDRESS_PER_S",
    kind=Number(0, _RATE_MAX, "requests/s"),
    group=Group.LIMITS,
    used_by=(API,),
    default="10",
    meaning="Sustained rate of requests without a valid token from one address. 0: no limit.",
)
RATE_ADDRESS_BURST: Final = Setting(
    name="ARGUS_RATE_ADDRESS_BURST",
    kind=Number(1, _RATE_MAX, "requests"),
    group=Group.LIMITS,
    used_by=(API,),
    default="300",
    meaning="Requests without a valid token from one address that may come at once.",
)
RATE_TOKEN_PER_S: Final = Setting(
    name="ARGUS_RATE_TOKEN_PER_S",
    kind=Number(0, _RATE_MAX, "operations/s"),
    group=Group.LIMITS,
    used_by=(API,),
    default="500",
    meaning="Sustained rate of GraphQL operations with one token. 0: no limit.",
)
RATE_TOKEN_BURST: Final = Setting(
    name="ARGUS_RATE_TOKEN_BURST",
    kind=Number(1, _RATE_MAX, "operations"),
    group=Group.LIMITS,
    used_by=(API,),
    default="5000",
    meaning="GraphQL operations with one token that may come at once.",
)
WORK_TOKEN_PER_S: Final = Setting(
    name="ARGUS_WORK_TOKEN_PER_S",
    kind=Number(0, _RATE_MAX, "s in each second"),
    group=Group.LIMITS,
    used_by=(API,),
    default="2",
    meaning="Seconds of execution per second that one token's operations may take in a process. 0: no limit.",
)
WORK_TOKEN_BURST: Final = Setting(
    name="ARGUS_WORK_TOKEN_BURST",
    kind=Number(1, _RATE_MAX, "s"),
    group=Group.LIMITS,
    used_by=(API,),
    default="120",
    meaning="Seconds of execution that one token's operations may take at once in a process, after a time without any.",
)
CONNECTIONS_MAX: Final = Setting(
    name="ARGUS_CONNECTIONS_MAX",
    kind=Number(1, 1_000_000, "connections"),
    group=Group.LIMITS,
    used_by=(API,),
    default="4000",
    meaning="Connections that one `argus api` holds in all its processes. The limit on open files bounds it too.",
)
CONNECTIONS_ADDRESS_MAX: Final = Setting(
    name="ARGUS_CONNECTIONS_ADDRESS_MAX",
    kind=Number(1, 1_000_000, "connections"),
    group=Group.LIMITS,
    used_by=(API,),
    default="1000",
    meaning="Connections of these from one address. Trusted proxies are exempt.",
)
HEAD_TIMEOUT_S: Final = Setting(
    name="ARGUS_HEAD_TIMEOUT_S",
    kind=Number(1, 3_600, "s"),
    group=Group.LIMITS,
    used_by=(API,),
    default="10",
    meaning="Time within which the head of a request must have come.",
)
BODY_TIMEOUT_S: Final = Setting(
    name="ARGUS_BODY_TIMEOUT_S",
    kind=Number(1, 3_600, "s"),
    group=Group.LIMITS,
    used_by=(API,),
    default="60",
    meaning="Time within which the body of a request must have come, after its head.",
)

# Ingest
QUOTA_DEVICE_READINGS_PER_S: Final = Setting(
    name="ARGUS_QUOTA_DEVICE_READINGS_PER_S",
    kind=Number(0, _RATE_MAX, "readings/s"),
    group=Group.INGEST,
    used_by=(API,),
    # Far above what a device has to say: it holds off one that has gone wild.
    default="1000",
    meaning=(
        "Sustained rate of readings of one device ([quotas](../how-to/processes-and-limits.md#quotas)). 0: no limit."
    ),
)
QUOTA_DEVICE_BURST: Final = Setting(
    name="ARGUS_QUOTA_DEVICE_BURST",
    kind=Number(_QUOTA_BURST_MIN, _RATE_MAX, "readings"),
    group=Group.INGEST,
    used_by=(API,),
    default=_burst(QUOTA_DEVICE_READINGS_PER_S),
    meaning="Readings that one device may send at once, after silence.",
)
QUOTA_ORGANIZATION_READINGS_PER_S: Final = Setting(
    name="ARGUS_QUOTA_ORGANIZATION_READINGS_PER_S",
    kind=Number(0, _RATE_MAX, "readings/s"),
    group=Group.INGEST,
    used_by=(API,),
    default="0",
    meaning="Sustained rate of readings of one organization. 0: no limit.",
)
QUOTA_ORGANIZATION_BURST: Final = Setting(
    name="ARGUS_QUOTA_ORGANIZATION_BURST",
    kind=Number(_QUOTA_BURST_MIN, _RATE_MAX, "readings"),
    group=Group.INGEST,
    used_by=(API,),
    default=_burst(QUOTA_ORGANIZATION_READINGS_PER_S),
    meaning="Readings that one organization may send at once, after silence.",
)

# Workers
WORKERS: Final = Setting(
    name="ARGUS_WORKERS",
    kind=Number(1, WORKERS_MAX, "processes"),
    group=Group.WORKERS,
    used_by=(WORKER,),
    default=Derived("`ARGUS_PARTITIONS` + 1", _workers),
    embedded_default="3",
    meaning=(
        "Processes of one `argus worker` that run jobs. Best one more on a host than the partitions it is to run: "
        "that one takes the short jobs ([scale](../explanation/pipeline.md#scale))."
    ),
)
REPLAY_READINGS_PER_S: Final = Setting(
    name="ARGUS_REPLAY_READINGS_PER_S",
    kind=Number(0, _RATE_MAX, "readings/s"),
    group=Group.WORKERS,
    used_by=(WORKER,),
    default="0",
    meaning=(
        "Readings that a [replay](../how-to/replay.md) processes at most. 0: as many as live readings leave room for."
    ),
)
CHECK_ENTITIES: Final = Setting(
    name="ARGUS_CHECK_ENTITIES",
    kind=Number(0, 10_000, "entities"),
    group=Group.WORKERS,
    used_by=(WORKER,),
    default="20",
    meaning=(
        "Entities of each organization that the [self-check](../how-to/retention.md#self-check) recomputes in a "
        "minute. 0: none."
    ),
)
ACT_LATE: Final = Setting(
    name="ARGUS_ACT_LATE",
    kind=Days(),
    group=Group.WORKERS,
    used_by=(WORKER,),
    default="P1D",
    meaning="An event that opened and cleared longer ago than this makes no activity and no call. `forever`: all do.",
)

# Retention
RETENTION_RAW: Final = Setting(
    name="ARGUS_RETENTION_RAW",
    kind=Days(),
    group=Group.RETENTION,
    used_by=(WORKER, COMMANDS),
    default="P90D",
    meaning="How long received readings are kept, from receipt ([retention](../how-to/retention.md#retention)).",
)
RETENTION_POINTS: Final = Setting(
    name="ARGUS_RETENTION_POINTS",
    kind=Days(),
    group=Group.RETENTION,
    used_by=(WORKER, COMMANDS),
    default="P365D",
    embedded_default="forever",
    meaning="How long points are kept, from their own time.",
)
RETENTION_CHANGES: Final = Setting(
    name="ARGUS_RETENTION_CHANGES",
    kind=Days(),
    group=Group.RETENTION,
    used_by=(WORKER, COMMANDS),
    default="P30D",
    meaning="How long changes of events are kept after they were acted on.",
)
RETENTION_NOTIFICATIONS: Final = Setting(
    name="ARGUS_RETENTION_NOTIFICATIONS",
    kind=Days(),
    group=Group.RETENTION,
    used_by=(WORKER, COMMANDS),
    default="P90D",
    meaning="How long notifications are kept after they were delivered or given up.",
)
RETENTION_HISTORY: Final = Setting(
    name="ARGUS_RETENTION_HISTORY",
    kind=Days(),
    group=Group.RETENTION,
    used_by=(WORKER, COMMANDS),
    default="P365D",
    meaning="How long corrections of events, and the steps of activities that note events, are kept.",
)

# Webhooks
WEBHOOK_ALLOW: Final = Setting(
    name="ARGUS_WEBHOOK_ALLOW",
    kind=Hosts(),
    group=Group.WEBHOOKS,
    used_by=(API, WORKER),
    meaning=(
        "Destinations that [webhooks](../how-to/webhooks.md) may call although they are otherwise refused, such as the "
        "loopback. The API checks it when a rule is saved, workers at each call."
    ),
)
WEBHOOK_CALLS: Final = Setting(
    name="ARGUS_WEBHOOK_CALLS",
    kind=Number(0, 4_096, "calls"),
    group=Group.WEBHOOKS,
    used_by=(WORKER,),
    default="256",
    meaning="Webhook calls that one `argus worker` makes at once. 0: it makes none.",
)

# Logging
LOG_LEVEL: Final = Setting(
    name="ARGUS_LOG_LEVEL",
    kind=LogLevel(),
    group=Group.LOGGING,
    used_by=(API, WORKER),
    default="info",
    meaning="Lowest level that is logged. With `debug` each call and each transaction of a stage has a line.",
)
LOG_FORMAT: Final = Setting(
    name="ARGUS_LOG_FORMAT",
    kind=IsJson(),
    group=Group.LOGGING,
    used_by=(API, WORKER),
    default="json",
    embedded_default="lines",
    meaning="Format of the logs: JSON for machines, or lines for people.",
)

# Local stack
HOME: Final = Setting(
    name="ARGUS_HOME",
    kind=Name("a path"),
    group=Group.LOCAL,
    used_by=EVERYWHERE,
    default=".argus",
    meaning=(
        "Data directory of an embedded Argus, where no database is named. `--home` wins over it, and over every named "
        "database."
    ),
)

# In the order of the reference page.
SETTINGS: Final[tuple[Setting[Any], ...]] = (
    *(DATABASE_URL, SECRET, *ROLE_URLS.values(), *ROLE_PASSWORDS.values()),
    *(REDIS_URL, PARTITIONS),
    *(JWT_SECRET, JWT_JWKS_URL, JWT_AUDIENCE, JWT_ISSUER),
    *(JWT_CLAIM_SUBJECT, JWT_CLAIM_ORGANIZATION, JWT_CLAIM_ROLE, JWT_CLAIM_UNDER, JWT_ROLES),
    *(PUBLIC_URL, SESSION_SECRET, OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_SCOPES),
    *(API_PROCESSES, SNAPSHOT_MAX_MIB, TRUSTED_PROXIES, KEEP_ALIVE_S),
    *(WEBSOCKET_COMPRESSION, CORS_ORIGINS, CONSOLE, GRAPHIQL, REST, ANONYMOUS_INTROSPECTION, TRUSTED_DOCUMENTS),
    *(DEADLINE_S, RATE_ADDRESS_PER_S, RATE_ADDRESS_BURST, RATE_TOKEN_PER_S, RATE_TOKEN_BURST),
    *(WORK_TOKEN_PER_S, WORK_TOKEN_BURST, CONNECTIONS_MAX, CONNECTIONS_ADDRESS_MAX, HEAD_TIMEOUT_S, BODY_TIMEOUT_S),
    *(QUOTA_DEVICE_READINGS_PER_S, QUOTA_DEVICE_BURST),
    *(QUOTA_ORGANIZATION_READINGS_PER_S, QUOTA_ORGANIZATION_BURST),
    *(WORKERS, REPLAY_READINGS_PER_S, CHECK_ENTITIES, ACT_LATE),
    *(RETENTION_RAW, RETENTION_POINTS, RETENTION_CHANGES, RETENTION_NOTIFICATIONS, RETENTION_HISTORY),
    *(WEBHOOK_ALLOW, WEBHOOK_CALLS),
    *(LOG_LEVEL, LOG_FORMAT),
    HOME,
)
