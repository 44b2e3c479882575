"""A slice of `make fuzz`: every query and mutation with drawn arguments, and nothing is answered that may never be."""

from __future__ import annotations

import pytest
from graphql import GraphQLScalarType, build_schema

from testing.fuzz.__main__ import PROVOKED
from testing.fuzz.answers import Outcome, Reply, faults_of
from testing.fuzz.session import SCHEMA, Session
from testing.fuzz.values import scalar_strategies
from testing.installation import Installation

pytestmark = [pytest.mark.slow, pytest.mark.provokes(*PROVOKED.lines, may_wait=PROVOKED.may_wait)]


def test_no_call_is_answered_with_a_defect_or_more_than_its_caller_may_know(installation: Installation) -> None:
    session = Session(installation)
    session.prepare()
    session.run(examples=3, callers=["admin"], rounds=1)
    session.run(examples=2, callers=["viewer key", "device"], rounds=1)
    session.end()
    assert [(fault.what, fault.caller, fault.call, fault.answer[:500]) for fault in session.faults] == []
    for report in session.reports.values():
        assert len(report.of_operation) > 100
    # Most calls get past validation, and many find something.
    outcomes = session.reports["admin"].outcomes
    assert outcomes[Outcome.REFUSED] < session.reports["admin"].calls / 4
    assert outcomes[Outcome.DATA] > session.reports["admin"].calls / 4


def test_every_scalar_has_a_strategy() -> None:
    schema = build_schema(SCHEMA.read_text())
    own = {type_.name for type_ in schema.type_map.values() if isinstance(type_, GraphQLScalarType)}
    assert own - {"Boolean"} == set(scalar_strategies())


@pytest.mark.parametrize(
    ("status", "text", "fault"),
    [
        (500, '{"data": {}}', "status 500"),
        (200, "<html>", "an answer that is not GraphQL's"),
        (200, '{"errors": [{"message": "x", "extensions": {"code": "INTERNAL"}}]}', "the code INTERNAL"),
        (200, '{"errors": [{"message": "x"}]}', "the code None"),
        (200, '{"data": {"a": {"errors": [{"code": "INTERNAL", "message": "x"}]}}}', "the code INTERNAL"),
        (200, '{"data": {"a": {"errors": [{"code": "CONFLICT", "message": ""}]}}}', "an error without a message"),
        (200, '{"data": {"a": "Traceback (most recent call last)"}}', "a stack trace: Traceback (most recent"),
        (200, '{"data": {"a": "KeyError"}}', "an exception of Python: KeyError"),
        (200, '{"data": {"a": "violates check constraint"}}', "SQL: violates check constraint"),
        (200, '{"data": {"a": "/home/argus/x"}}', "a path: /home/a"),
        (200, '{"data": {"a": "of plant-2"}}', "another's"),
        (200, '{"data": {"a": {"errors": [{"code": "CONFLICT", "message": "x"}]}}}', None),
    ],
)
def test_what_no_call_may_be_answered_with_is_noticed(status: int, text: str, fault: str | None) -> None:
    reply = Reply.of(status, text)
    assert list(faults_of(reply, secrets={"another's": "plant-2"})) == ([] if fault is None else [fault])
