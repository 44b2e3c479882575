"""Which cookie is taken for a session: over https only one that no neighbouring host can plant."""

from __future__ import annotations

from typing import cast

import pytest
from starlette.requests import HTTPConnection

from gql.access.cookies import Cookies
from gql.access.gate import Gate


def connection(cookie: str) -> HTTPConnection:
    headers = [(b"host", b"argus.example"), (b"cookie", cookie.encode())]
    return HTTPConnection({"type": "http", "scheme": "http", "path": "/", "query_string": b"", "headers": headers})


@pytest.mark.parametrize(
    ("public_url", "cookie", "token"),
    [
        ("https://argus.example", "__Host-argus_session=own", "own"),
        ("https://argus.example", "argus_session=planted", None),
        ("https://argus.example", "argus_session=planted; __Host-argus_session=own", "own"),
        ("http://argus.example", "argus_session=own", "own"),
    ],
)
def test_over_https_only_the_prefixed_cookie_is_a_session(public_url: str, cookie: str, token: str | None) -> None:
    # Nothing of the gate is looked at where the public address is known.
    cookies = Cookies(cast("Gate", None), public_url=public_url)
    assert cookies.session(connection(cookie)) == token
