"""Check webhook addresses: never the host itself or its link, unless configured. No name is looked up here."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from graph.errors import BadInputError

URL_MAX_CHARS: Final = 2_000
_PORTS: Final = {"http": 80, "https": 443}
# Under what `Session.info` carries what is allowed, where addresses are saved.
ALLOWED_KEY: Final = "webhook_allowed"
_LOOPBACK_NAMES: Final = ("localhost", "localhost.localdomain")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The configured allow list: networks of addresses, and host names in lower case."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @staticmethod
    def parse(entries: Sequence[str]) -> Allowed:
        """Return what a list of addresses, networks (10.0.0.0/8) and names of hosts allows."""
        networks: list[IPv4Network | IPv6Network] = []
        hosts: set[str] = set()
        for entry in entries:
            try:
                networks.append(ip_network(entry, strict=False))
            except ValueError:
                hosts.add(entry.lower())
        return Allowed(tuple(networks), frozenset(hosts))


@dataclass(frozen=True, slots=True)
class Destination:
    """An address of a webhook, taken apart. target: path and query, as the request line has them."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def key(self) -> str:
        """The queue key: host:port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def destination_of(url: str, *, path: tuple[str, ...] = ("webhookUrl",)) -> Destination:
    """Return the destination of a webhook address.

    Raises BadInputError for anything but an http or https address of printable ASCII, without user and fragment.
    """
    if len(url) > URL_MAX_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInputError(f"A webhook's address is at most {URL_MAX_CHARS} printable ASCII characters.", path=path)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise BadInputError("This is no address of a webhook.", path=path) from fault
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadInputError("A webhook's address begins with https:// or http:// and a host.", path=path)
    if parts.username is not None or parts.fragment or port == 0:
        raise BadInputError("A webhook's address has no user, no fragment, and a port from 1.", path=path)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme], target)


def destination_key(url: str) -> str:
    """Return the queue key of an address: host:port, or "-" for what is no address."""
    try:
        return destination_of(url).key
    except BadInputError:
        return "-"


def webhook_check(session: Session, url: str, *, path: tuple[str, ...]) -> None:
    """Refuse an address that can never be called. Names are not resolved: they are at each call.

    Raises BadInputError for what `destination_of` refuses, and for a host that is written as an address, or as a name
    of the host itself, which is refused at every call.
    """
    host = destination_of(url, path=path).host
    allowed = session.info.get(ALLOWED_KEY, Allowed())
    literal = _literal_of(host)
    refused = None if literal is None else address_refused(literal, host=host, allowed=allowed)
    if refused is not None:
        raise BadInputError(refused, path=path)


def _literal_of(host: str) -> str | None:
    """Return the address that a host is written as, in any way that a resolver takes for one; None for a name."""
    if host in _LOOPBACK_NAMES or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        # As in 2130706433, 0x7f.1 and 127.1.
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def address_refused(address: str, *, host: str, allowed: Allowed) -> str | None:
    """Return why no webhook may lead to an address that a host's name has; None: it may.

    Refused is whatever is not globally routable, and multicast, an IPv4 address written within an IPv6 one as the one
    it is. Private networks (RFC 1918, RFC 4193) are not: plants are there.
    """
    parsed = ip_address(address.partition("%")[0])
    inner = _within(parsed)
    if host in allowed.hosts or any(item in net for net in allowed.networks for item in (parsed, inner)):
        return None
    for name, holds in (
        ("loopback", inner.is_loopback),
        ("link-local", inner.is_link_local),
        ("unspecified", inner.is_unspecified or inner in _THIS_NETWORK),
        ("multicast", inner.is_multicast),
        ("reserved", inner.is_reserved),
        ("carrier NAT", inner in _CARRIER_NAT),
        ("site-local", isinstance(inner, IPv6Address) and inner.is_site_local),
        ("not globally routable", not inner.is_global and not any(inner in network for network in _PLANTS)),
    ):
        if holds:
            return f"{host} is at {address}, which is {name}; ARGUS_WEBHOOK_ALLOW does not allow it."
    return None


_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")
_CARRIER_NAT: Final = IPv4Network("100.64.0.0/10")
_PLANTS: Final = tuple(ip_network(item) for item in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
_NAT64: Final = IPv6Network("64:ff9b::/96")


def _within(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
