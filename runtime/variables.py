"""The environment variables that Argus knows, and which of those that are set it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

PREFIX: Final = "ARGUS_"
VARIABLES: Final = frozenset(
    """
    ARGUS_ACT_LATE ARGUS_API_PROCESSES ARGUS_BODY_TIMEOUT_S ARGUS_CHECK_ENTITIES ARGUS_CONNECTIONS_ADDRESS_MAX
    ARGUS_CONNECTIONS_MAX ARGUS_DATABASE_URL ARGUS_DATABASE_URL_API ARGUS_DATABASE_URL_INGEST
    ARGUS_DATABASE_URL_PIPELINE ARGUS_DEADLINE_S ARGUS_HEAD_TIMEOUT_S ARGUS_HOME
    ARGUS_JWT_AUDIENCE ARGUS_JWT_ISSUER ARGUS_JWT_JWKS_URL ARGUS_JWT_SECRET
    ARGUS_KEEP_ALIVE_S ARGUS_KEEP_CHANGES ARGUS_KEEP_HISTORY ARGUS_KEEP_NOTIFICATIONS ARGUS_KEEP_POINTS
    ARGUS_KEEP_RAW ARGUS_LOG_FORMAT ARGUS_LOG_LEVEL ARGUS_PARTITIONS ARGUS_QUOTA_DEVICE_BURST
    ARGUS_QUOTA_DEVICE_READINGS_PER_S ARGUS_QUOTA_ORGANIZATION_BURST ARGUS_QUOTA_ORGANIZATION_READINGS_PER_S
    ARGUS_RATE_ADDRESS_BURST ARGUS_RATE_ADDRESS_PER_S ARGUS_RATE_TOKEN_BURST ARGUS_RATE_TOKEN_PER_S ARGUS_REDIS_URL
    ARGUS_REPLAY_READINGS_PER_S ARGUS_ROLE_PASSWORD_API ARGUS_ROLE_PASSWORD_INGEST ARGUS_ROLE_PASSWORD_PIPELINE
    ARGUS_SECRET ARGUS_SNAPSHOT_MAX_MIB ARGUS_TRUSTED_PROXIES ARGUS_WEBHOOK_ALLOW ARGUS_WEBHOOK_CALLS ARGUS_WORKERS
    ARGUS_WORK_TOKEN_BURST ARGUS_WORK_TOKEN_PER_S
    """.split()
)
# Read by docker-compose.yml, and so in the same .env file.
COMPOSE_VARIABLES: Final = frozenset(
    "ARGUS_OWNER_PASSWORD ARGUS_PORT ARGUS_POSTGRES_IMAGE ARGUS_REDIS_PASSWORD ARGUS_VALKEY_IMAGE".split()
)


@dataclass(frozen=True, slots=True)
class UnknownVariable:
    """A variable that looks like a setting and is none. nearest: the known one that was probably meant."""

    name: str
    nearest: str | None

    def __str__(self) -> str:
        """Return a sentence for the operator."""
        meant = "" if self.nearest is None else f" Did you mean {self.nearest}?"
        return f"{self.name} is no setting of Argus and has no effect.{meant}"


def variables_unknown(names: Iterable[str]) -> list[UnknownVariable]:
    """Return those of an environment's names that begin like a setting of Argus and are none, by name."""
    known = VARIABLES | COMPOSE_VARIABLES
    return [
        UnknownVariable(name, next(iter(get_close_matches(name, VARIABLES, n=1, cutoff=0.7)), None))
        for name in sorted(names)
        if name.startswith(PREFIX) and name not in known
    ]
