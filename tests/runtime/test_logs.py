"""Logs contain no secret: not in messages, fields or tracebacks, in any format."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from runtime.logs import logs_configure
from runtime.redaction import REDACTED, Redactor
from runtime.settings.load import settings_load

PASSWORD = "tUl1p-password"
DEVICE_TOKEN = "argus_dev_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"
USER_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
SECRETS = (PASSWORD, DEVICE_TOKEN.removeprefix("argus_dev_"), USER_TOKEN)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail(_url: str, _token: str) -> None:
    inner = [_url, {"Authorization": f"Bearer {_token}"}]
    msg = f"nothing at {_url}"
    raise RuntimeError(msg, len(inner))


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_logged(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logs_configure(json=as_json, secrets=[PASSWORD])
    log = structlog.get_logger("argus.test")
    for token in (USER_TOKEN, DEVICE_TOKEN):
        try:
            fail(f"postgresql://argus_api:{PASSWORD}@db/argus", token)
        except RuntimeError:
            log.exception("failed", header=f"Bearer {token}", token=token, nested={"password": PASSWORD})
            logging.getLogger("a.library").exception("GET /api/v1/%s/telemetry", token)
    written = capsys.readouterr().err
    assert written.count("RuntimeError") >= 4
    assert "fail(" in written or '"name": "fail"' in written  # the traceback is there
    assert not [secret for secret in SECRETS if secret in written]
    # A local variable that no message names.
    assert "inner" not in written.replace("inner = [", "").replace("len(inner)", "")
    if as_json:
        assert all(json.loads(line) for line in written.splitlines())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://:hunter22@bus:6379/0", f"redis://:{REDACTED}@bus:6379/0"),
        ("postgresql://u:pä+ss@h/d and x@y", f"postgresql://u:{REDACTED}@h/d and x@y"),
        ("password=hunter22 host=db", f"password={REDACTED} host=db"),
        ('{"secret": "abc", "n": 1}', f'{{"secret": "{REDACTED}", "n": 1}}'),
        ('{\\"password\\": \\"abc\\"}', f'{{\\"password\\": \\"{REDACTED}\\"}}'),
        ("authorization: Bearer abc.def", f"authorization: {REDACTED} {REDACTED}"),
        (f"/graphql?token={USER_TOKEN.replace('.', '%2E')}", f"/graphql?token={REDACTED}"),
        (f"/graphql?token={USER_TOKEN.replace('.', '%252e')}", f"/graphql?token={REDACTED}"),
        (f"/graphql?token=%65{USER_TOKEN[1:]}&n=100%25", f"/graphql?token={REDACTED}&n=100%"),
        (f"/graphql/{USER_TOKEN.replace('.', '/')}", f"/graphql/{REDACTED}"),
        (f"/graphql/{USER_TOKEN.replace('.', '%2F')}", f"/graphql/{REDACTED}"),
        (f"/api/v1/{DEVICE_TOKEN.replace('_', '%5F')}/telemetry", f"/api/v1/argus_dev_{REDACTED}/telemetry"),
        ("100%25 of /a%2Fb", "100%25 of /a%2Fb"),
        ("12:30:05 pump@hall at http://host:8000/x", "12:30:05 pump@hall at http://host:8000/x"),
        ("The token is not valid: it has expired.", "The token is not valid: it has expired."),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


@given(st.text(), st.text(min_size=6), st.text())
def test_a_known_secret_never_remains(before: str, secret: str, after: str) -> None:
    pieces = Redactor([secret]).redact(before + secret + after).split(REDACTED)
    assert len(pieces) > 1
    assert not [piece for piece in pieces if secret in piece]


def test_settings_name_their_secrets() -> None:
    settings = settings_load(
        environment={
            "ARGUS_DATABASE_URL": "postgresql://argus_owner:ownerpw@db:5432/argus",
            "ARGUS_SECRET": "s" * 32,
            "ARGUS_REDIS_URL": "redis://:buspw@bus:6379/0",
            "ARGUS_JWT_SECRET": "j" * 32,
        }
    )
    assert {"ownerpw", "buspw", "s" * 32, "j" * 32, *settings.role_passwords.values()} == settings.secrets
