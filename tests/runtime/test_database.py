"""Transactions: whose rows they may touch, and what becomes of connections that have ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from runtime.database import snapshot, transaction

ORGANIZATION = text("SELECT current_setting('argus.organization_id', true)")
ISOLATION = text("SELECT current_setting('transaction_isolation')")
BACKEND = text("SELECT pg_backend_pid()")


def test_a_transaction_is_of_one_organization_and_nothing_remains_of_it(
    engine: Callable[[str], Engine],
) -> None:
    api = engine("api")
    with transaction(api, 7) as session:
        assert session.execute(ORGANIZATION).scalar_one() == "7"
        assert session.execute(ISOLATION).scalar_one() == "read committed"
    with pytest.raises(DBAPIError), transaction(api, 8) as session:
        session.execute(text("SELECT 1 / 0"))
    with snapshot(api, 9) as session:
        assert session.execute(ORGANIZATION).scalar_one() == "9"
        assert session.execute(ISOLATION).scalar_one() == "repeatable read"
    with transaction(api) as session:
        assert session.execute(ORGANIZATION).scalar_one() in {None, ""}


def test_a_transaction_is_committed_or_rolled_back(engine: Callable[[str], Engine]) -> None:
    owner = engine("owner")

    def insert(number: int, *, fails: bool = False) -> None:
        with transaction(owner, 1) as session:
            session.execute(text("INSERT INTO numbers_of_test VALUES (:number)"), {"number": number})
            if fails:
                raise RuntimeError

    with transaction(owner, 1) as session:
        session.execute(text("CREATE TEMPORARY TABLE numbers_of_test (n int)"))
    insert(1)
    with pytest.raises(RuntimeError):
        insert(2, fails=True)
    with transaction(owner, 1) as session:
        assert session.execute(text("SELECT sum(n) FROM numbers_of_test")).scalar_one() == 1


def test_a_connection_that_the_server_has_closed_is_replaced(engine: Callable[[str], Engine]) -> None:
    api = engine("api")

    def two() -> set[int]:
        with transaction(api, 1) as one, transaction(api, 1) as other:
            return {session.execute(BACKEND).scalar_one() for session in (one, other)}

    before = two()
    with transaction(api, 1) as session:
        [other] = before - {session.execute(BACKEND).scalar_one()}
        assert session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": other}).scalar_one()
    after = two()
    assert len(after) == len(before)
    assert after & before == before - {other}
