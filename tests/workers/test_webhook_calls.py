"""One call of a webhook, to real servers: never where it must not go, and within bounds of time and size."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import workers.webhooks
from domain.work.notifications.address import Allowed
from domain.work.notifications.claims import Outcome
from testing.receivers import (
    Receiver,
    Reply,
    answers,
    hangs,
    never_ends,
    receiver_open,
    sends,
    trickles,
    waits,
)
from workers.names import Names
from workers.webhooks import ANSWER_MAX_BYTES, webhook_call

LOCAL = Allowed.parse(["127.0.0.0/8"])
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def receiver() -> Iterator[Callable[[Reply], Receiver]]:
    """`receiver(reply)`: a server that ends with the test."""
    with ExitStack() as stack:
        yield lambda reply: stack.enter_context(receiver_open(reply))


@pytest.fixture
def ended() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def hook(receiver: Callable[[Reply], Receiver]) -> Receiver:
    return receiver(answers(204))


def call(url: str, allowed: Allowed = LOCAL) -> Outcome:
    async def work() -> Outcome:
        names = Names()
        try:
            return await webhook_call(url, body=b"{}", headers={}, allowed=allowed, lookup=partial(names.lookup, 1))
        finally:
            names.stop()

    return asyncio.run(work())


def test_a_loopback_address_is_refused_unless_configured(hook: Receiver) -> None:
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
        refused = call(f"http://{host}:{hook.port}/", Allowed()).error
        assert refused is not None, host
        assert "which is loopback; ARGUS_WEBHOOK_ALLOW does not allow it." in refused, host
    assert hook.seen == []
    assert call(hook.url) == Outcome()


def test_a_name_is_looked_up_once_and_all_its_addresses_count(hook: Receiver) -> None:
    lookups: list[str] = []
    addresses = ["127.0.0.1"]

    async def lookup(host: str, _port: int) -> Sequence[str]:
        lookups.append(host)
        return addresses

    url = f"http://hook.example:{hook.port}/hook"

    def called(allowed: Allowed) -> Outcome:
        return asyncio.run(webhook_call(url, body=b"{}", headers={}, allowed=allowed, lookup=lookup))

    assert called(Allowed.parse(["hook.example"])) == Outcome()
    assert (lookups, hook.seen[0].headers["Host"]) == (["hook.example"], f"hook.example:{hook.port}")
    addresses[:] = ["93.184.216.34", "169.254.169.254"]
    refused = called(Allowed()).error
    assert refused is not None
    assert refused.startswith("hook.example is at 169.254.169.254, which is link-local")
    assert len(hook.seen) == 1


def test_the_next_address_is_tried_where_one_cannot_be_connected_to(hook: Receiver) -> None:
    async def lookup(_host: str, _port: int) -> Sequence[str]:
        # Nobody listens at the first.
        return ["127.0.0.9", "127.0.0.1"]

    done = webhook_call(
        f"http://hook.example:{hook.port}/", body=b"{}", headers={}, allowed=Allowed.parse(["hook.example"]),
        lookup=lookup,
    )  # fmt: skip
    assert asyncio.run(done) == Outcome()


def test_redirects_are_not_followed(receiver: Callable[[Reply], Receiver], hook: Receiver) -> None:
    redirecting = receiver(answers(302, headers=f"Location: {hook.url}\r\n"))
    assert call(redirecting.url) == Outcome("The answer is 302; redirects are not followed.")
    assert hook.seen == []


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (OK + b"\r\n\x00\x01 garbage \xff" * 9, Outcome()),
        (OK + b"Content-Length: 2\r\n\r\nok and more than was said", Outcome()),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", Outcome()),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", Outcome()),
        (
            OK + b"Content-Length: 9\r\n\r\nok",
            Outcome("No answer: it is 200, and shorter than it says.", is_transient=True),
        ),
        (b"", Outcome("No answer: the connection was closed before it.", is_transient=True)),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", Outcome("The answer is 101.")),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Outcome("The answer is 404.")),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", Outcome("The answer is 503.", is_transient=True)),
    ],
)
def test_only_a_complete_answer_counts(receiver: Callable[[Reply], Receiver], raw: bytes, outcome: Outcome) -> None:
    assert call(receiver(sends(raw)).url) == outcome


@pytest.mark.parametrize("raw", [b"\x00\x01nonsense", b"HTTP/1.1 2000 \x00\r\n\r\n", b"SSH-2.0-x\r\n", b"\xff" * 999])
def test_an_answer_that_is_not_http_is_reported(receiver: Callable[[Reply], Receiver], raw: bytes) -> None:
    outcome = call(receiver(sends(raw)).url)
    assert outcome.is_transient
    assert outcome.error is not None
    assert outcome.error.startswith("No answer: it is no HTTP (")


@pytest.mark.parametrize(
    ("head", "piece", "outcome"),
    [
        (OK + b"\r\n", b"x" * 65_536, Outcome()),
        (OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65_536, Outcome()),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 60_000 + b"\r\nx\r\n", Outcome()),
        (OK, b"X-More: " + b"y" * 1_000 + b"\r\n", None),
        (OK + b"X-Long: ", b"z" * 65_536, None),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", None),
    ],
)
def test_an_answer_without_end_is_bounded(
    receiver: Callable[[Reply], Receiver], ended: threading.Event, head: bytes, piece: bytes, outcome: Outcome | None
) -> None:
    long = receiver(never_ends(ended, head, piece))
    tracemalloc.start()
    try:
        result = call(long.url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # What was taken is not sent again and again.
    assert result == (
        outcome or Outcome(f"No answer: its head takes more than {ANSWER_MAX_BYTES} bytes.", is_transient=True)
    )
    assert peak < ANSWER_MAX_BYTES * 40


def test_one_limit_holds_for_all_of_a_call(
    receiver: Callable[[Reply], Receiver], ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.webhooks, "TOTAL_S", 0.4)
    late = Outcome("There was no whole answer within 0.4 s.", is_transient=True)
    whole = OK + b"Content-Length: 100\r\n\r\n" + b"x" * 100
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for url in (
            receiver(hangs(ended)).url,
            receiver(trickles(ended, whole, every_s=0.05)).url,
            f"http://127.0.0.1:{silent.getsockname()[1]}/",
            f"https://127.0.0.1:{silent.getsockname()[1]}/",
        ):
            assert call(url) == late, url

    async def lookup(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    assert asyncio.run(webhook_call("http://h/", body=b"", headers={}, allowed=LOCAL, lookup=lookup)) == late


@pytest.mark.slow
def test_an_answer_after_eight_and_a_half_seconds_counts_as_delivered(receiver: Callable[[Reply], Receiver]) -> None:
    slow = receiver(waits(8.5, answers(200, b"ok")))
    assert call(slow.url) == Outcome()
    assert len(slow.seen) == 1


def test_a_server_without_a_good_certificate_is_sent_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=lambda: plain.accept()[0].sendall(OK + b"\r\n"), daemon=True).start()
        refused = call(f"https://127.0.0.1:{plain.getsockname()[1]}/")
    assert refused.is_transient
    assert refused.error is not None
    assert refused.error.startswith("No answer: SSL")
    with receiver_open(answers(204), tls=certificate(tmp_path)) as own:
        refused = call(own.url)
    assert refused.error is not None
    assert refused.error.startswith("No answer: SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]")
    assert own.seen == []


def test_a_certificate_that_is_trusted_must_be_the_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "pem"))
    monkeypatch.setattr(workers.webhooks, "_tls", lambda: trusting)
    with receiver_open(answers(204), tls=context) as own:
        assert call(own.url) == Outcome()
        refused = call(own.url.replace("127.0.0.1", "127.0.0.2"))
        assert refused.error is not None
        refused = call(own.url.replace("127.0.0.1", "localhost"))
        assert refused.error is not None
        assert "Hostname mismatch" in refused.error
    assert len(own.seen) == 1


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
def test_a_name_that_cannot_be_is_reported(host: str) -> None:
    refused = call(f"http://{host}/").error
    assert refused is not None
    assert refused.startswith("There is no such place: ")


def test_an_unreachable_server_is_reported() -> None:
    refused = call("http://127.0.0.1:1/")
    assert refused.is_transient
    assert refused.error is not None
    assert refused.error.startswith("No answer: ConnectionRefusedError")


def certificate(folder: Path) -> ssl.SSLContext:
    """Return what a server of 127.0.0.1 needs, with a certificate of its own making at `folder/pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (folder / "key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "pem").write_bytes(made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem", folder / "key")
    return context
