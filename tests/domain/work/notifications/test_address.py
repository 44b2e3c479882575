"""Allowed addresses of webhooks."""

from __future__ import annotations

import pytest

from domain.work.notifications.address import (
    URL_MAX_CHARS,
    Allowed,
    Destination,
    address_refused,
    destination_key,
    destination_of,
)
from graph.errors import BadInputError

NONE = Allowed()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:7f00:1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback"),
        ("::7f00:1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("0.0.0.0", "unspecified"),  # noqa: S104  (looked at, not listened on)
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("100.64.0.1", "carrier NAT"),
        ("100.127.255.255", "carrier NAT"),
        ("::ffff:100.64.0.1", "carrier NAT"),
        ("64:ff9b::6440:1", "carrier NAT"),
        ("2002:6440:1::", "carrier NAT"),
        ("fec0::1", "site-local"),
        ("feff::1", "site-local"),
        ("192.0.2.1", "not globally routable"),
        ("198.18.0.1", "not globally routable"),
        ("203.0.113.9", "not globally routable"),
        ("2001:db8::1", "not globally routable"),
        ("2001::1", "not globally routable"),
    ],
)
def test_loopback_and_unassigned_addresses_are_refused(address: str, why: str) -> None:
    message = f"hook.example is at {address}, which is {why}; ARGUS_WEBHOOK_ALLOW does not allow it."
    assert address_refused(address, host="hook.example", allowed=NONE) == message


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "192.168.0.9", "172.16.0.1", "172.31.255.255", "fd00::1", "64:ff9b::a00:1"),
        *("8.8.8.8", "100.63.255.255", "100.128.0.1", "2606:4700::1"),
    ],
)
def test_plants_and_the_world_are_reached(address: str) -> None:
    assert address_refused(address, host="hook.example", allowed=NONE) is None


def test_only_configured_networks_are_allowed() -> None:
    allowed = Allowed.parse(["127.0.0.0/30", "fe80::7", "Gateway", "100.64.0.0/16"])
    assert address_refused("100.64.9.9", host="x", allowed=allowed) is None
    assert address_refused("100.65.0.1", host="x", allowed=allowed) is not None
    assert address_refused("127.0.0.1", host="x", allowed=allowed) is None
    assert address_refused("::ffff:127.0.0.1", host="x", allowed=allowed) is None
    assert address_refused("fe80::7", host="x", allowed=allowed) is None
    assert address_refused("169.254.0.1", host="gateway", allowed=allowed) is None
    assert address_refused("127.0.0.9", host="x", allowed=allowed) is not None
    assert address_refused("169.254.0.1", host="x", allowed=allowed) is not None


def test_an_address_is_parsed() -> None:
    assert destination_of("https://Hook.example/a/b?c=d") == Destination("https", "hook.example", 443, "/a/b?c=d")
    assert destination_of("http://[::1]:8080") == Destination("http", "::1", 8080, "/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hook.example/",
        "file:///etc/passwd",
        "https:///path",
        "https://user:secret@hook.example/",
        "https://hook.example/#part",
        "https://hook.example:0/",
        "https://hook.example:99999/",
        "https://hook.example/\r\nX-Evil: 1",
        "https://hook.example/a b",
        "https://[::1/",
        "https://hook.example/" + "x" * URL_MAX_CHARS,
    ],
)
def test_invalid_webhook_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadInputError) as caught:
        destination_of(url)
    assert caught.value.path == ("webhookUrl",)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://Hook.example/a", "hook.example:443"),
        ("http://hook.example", "hook.example:80"),
        ("http://hook.example:8080?x=1", "hook.example:8080"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("nonsense", "-"),
    ],
)
def test_calls_are_queued_by_host_and_port(url: str, key: str) -> None:
    assert destination_key(url) == key
