"""Admission of requests before anything of them is read: authentication and rate limits.

Callers without a good token share what their address may ask; the others have a share by token, and are
not held up by what others at their address do. Each process counts by itself.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.requests import HTTPConnection

from domain.base.errors import RateLimitedError
from domain.base.quotas import Buckets, Quota
from gql.access.auth import TokenVerifier
from gql.access.principal import Principal
from gql.errors import UnauthenticatedError

Network = IPv4Network | IPv6Network

# Tokens that were good lately are verified whatever else comes from their address.
TOKENS_REMEMBERED_MAX: Final = 100_000
# An anonymous introspection counts once more for so much cost.
COST_OF_A_REQUEST: Final = 1_000
_IPV6_SITE: Final = 64
_UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class RequestQuotas:
    """Rate limits of requests.

    address: of calls without a good token; token: of operations with one. None: without limit.
    """

    address: Quota | None = None
    token: Quota | None = None


class Gate:
    """Admits callers. trusted: networks of proxies whose X-Forwarded-For is trusted."""

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        quotas: RequestQuotas,
        monotonic_s: Callable[[], float],
        trusted: Sequence[Network] = (),
    ) -> None:
        self._verifier = verifier
        self._addresses = None if quotas.address is None else Buckets[str](quotas.address)
        self._tokens = None if quotas.token is None else Buckets[str](quotas.token)
        self._monotonic_s = monotonic_s
        self._trusted = trusted
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self.refused_addresses = 0
        self.refused_tokens = 0

    async def admit(self, connection: HTTPConnection, token: str | None) -> Principal | None:
        """Return the bearer of a token; None without one.

        Raises UnauthenticatedError, UnavailableError, RateLimitedError: before the token is looked at, where too many
        that were no good, or none, came from there.
        """
        address = self.address(connection)
        digest = None if token is None else hashlib.blake2b(token.encode(), digest_size=16).digest()
        if digest is None or digest not in self._good:
            self._address_check(address)
        if token is None or digest is None:
            self.charge(address)
            return None
        try:
            bearer = await self._verifier.verify(token)
        except UnauthenticatedError:
            self._good.pop(digest, None)
            self.charge(address)
            raise
        self._good[digest] = None
        self._good.move_to_end(digest)
        if len(self._good) > TOKENS_REMEMBERED_MAX:
            self._good.popitem(last=False)
        return bearer

    def operation(self, connection: HTTPConnection, bearer: Principal | None) -> None:
        """Count an operation of a bearer. Raises RateLimitedError. On a WebSocket, once for each operation."""
        if bearer is None:
            address = self.address(connection)
            self._address_check(address)
            self.charge(address)
            return
        if self._tokens is None:
            return
        key, now_s = f"{bearer.organization_id} {bearer.subject}", self._monotonic_s()
        wait_s = self._tokens.wait_s(key, 1, now_s=now_s)
        if wait_s:
            self.refused_tokens += 1
            rate = self._tokens.quota.readings_per_s
            message = f"More than {rate:g} operations a second came with this token; try again in {wait_s:.1f} s."
            raise RateLimitedError(message, retry_after_s=wait_s)
        self._tokens.take(key, 1, now_s=now_s)

    def address_check(self, connection: HTTPConnection) -> None:
        """Raise RateLimitedError where too many calls without a good token came from a connection's address."""
        self._address_check(self.address(connection))

    def charge(self, address: str, count: float = 1) -> None:
        """Charge an address for requests without a valid token."""
        if self._addresses is not None:
            now_s = self._monotonic_s()
            per_s = self._addresses.quota.readings_per_s
            self._addresses.put({address: self._addresses.full_at_s(address, now_s=now_s) + count / per_s}, now_s=now_s)

    def charge_cost(self, connection: HTTPConnection, bearer: Principal | None, cost: float) -> None:
        """Charge the address for what an operation costs without a token; with one, its time is counted instead."""
        if bearer is None:
            self.charge(self.address(connection), cost / COST_OF_A_REQUEST)

    def address(self, connection: HTTPConnection) -> str:
        """Return the client address of a connection: the nearest that is no trusted proxy's. IPv6 by its /64."""
        host = _UNKNOWN if connection.client is None else connection.client.host
        if self._trusted:
            hops = [item.strip() for item in connection.headers.get("x-forwarded-for", "").split(",")]
            while hops and self._is_trusted(host):
                host = hops.pop() or host
        try:
            ip = ip_address(host)
        except ValueError:
            return _UNKNOWN
        if isinstance(ip, IPv6Address):
            return str(ip.ipv4_mapped or IPv6Network((ip, _IPV6_SITE), strict=False))
        return str(ip)

    def of_proxy(self, connection: HTTPConnection, header: str) -> str | None:
        """Return a header that a trusted proxy has set; None where no such proxy is before this connection."""
        if connection.client is None or not self._is_trusted(connection.client.host):
            return None
        # Of several proxies the first one saw the client.
        return connection.headers.get(header, "").partition(",")[0].strip() or None

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._trusted)

    def _address_check(self, address: str) -> None:
        if self._addresses is None:
            return
        wait_s = self._addresses.wait_s(address, 1, now_s=self._monotonic_s())
        if wait_s:
            self.refused_addresses += 1
            rate = self._addresses.quota.readings_per_s
            message = (
                f"More than {rate:g} requests a second without a good token came from this address; "
                f"try again in {wait_s:.1f} s."
            )
            raise RateLimitedError(message, retry_after_s=wait_s)
