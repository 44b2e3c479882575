"""`argus check`: compare stored results with a recomputation, show differences, and repair them."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Engine

from argus.cli.errors import errors_reported
from argus.cli.options import home_add, json_add, settings_of
from argus.organizations import organization_find
from domain.base.packed import micros_of
from domain.convergence.check import entities_check
from domain.convergence.ledger import differences_list, report_write
from domain.convergence.model import CHECK_DELAY_US, CheckedSpan, CheckKind, FoundDifference
from domain.convergence.repair import differences_repair
from domain.plant.organizations.model import Organization
from domain.plant.organizations.queries import organization_list
from runtime.clock import utc_now
from runtime.database import engine_create, snapshot, transaction

_DESCRIPTION = """\
Recompute what was derived of a recent span of every entity (derived metrics, events and states of rules, rollups,
health), compare it with the stored results, and print the differences. Entities with pending work are skipped. Nothing
but the differences is written. Exit status: 0 where nothing differs, 1 where something does. The workers check a few
entities a minute by themselves (ARGUS_CHECK_ENTITIES); the differences that they found are printed too.
"""
_AT_ONCE = 100


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check", help="compare what was derived with a recomputation", description=_DESCRIPTION
    )
    parser.add_argument("--organization", metavar="NAME", help="only this one: its name or slug")
    parser.add_argument("--hours", type=int, default=2, metavar="N", help="how far back to recompute (default: 2)")
    parser.add_argument("--found", action="store_true", help="check nothing, only print what was found before")
    parser.add_argument("--repair", action="store_true", help="recompute what differs")
    home_add(parser)
    json_add(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    settings = settings_of(arguments)
    checks: Counter[CheckKind] = Counter()
    skipped: Counter[CheckKind] = Counter()
    differences: list[FoundDifference] = []
    with errors_reported():
        engine = engine_create(settings.database_url("pipeline"), pool_size=2)
        if arguments.organization is not None:
            chosen: Sequence[Organization] = [organization_find(settings, arguments.organization)]
        else:
            with transaction(engine) as session:
                chosen = organization_list(session)
        for organization in chosen:
            if not arguments.found:
                _check(engine, organization, timedelta(hours=arguments.hours), (checks, skipped))
            differences += _differences_read(engine, organization, is_repaired=arguments.repair)
    if arguments.json:
        differences_json = [{name: str(value) for name, value in _as_json(item).items()} for item in differences]
        print(json.dumps({"checks": dict(checks), "skipped": dict(skipped), "differences": differences_json}))
    else:
        _print(checks, skipped, differences, is_repaired=arguments.repair)
    return 1 if differences else 0


def _check(
    engine: Engine, organization: Organization, reach: timedelta, counts: tuple[Counter[CheckKind], Counter[CheckKind]]
) -> None:
    after = None
    while True:
        now = utc_now()
        until_us = micros_of(now) - CHECK_DELAY_US
        with snapshot(engine, organization.id) as session:
            checked = entities_check(
                session,
                organization_id=organization.id,
                after=after,
                most=_AT_ONCE,
                span=CheckedSpan(max(micros_of(now - reach), 0), until_us),
                now=now,
            )
        with transaction(engine, organization.id) as session:
            report_write(session, organization_id=organization.id, report=checked.report, now=now)
        counts[0].update(checked.report.checks)
        counts[1].update(checked.report.skipped)
        after = checked.last
        if after is None:
            return


def _differences_read(engine: Engine, organization: Organization, *, is_repaired: bool) -> list[FoundDifference]:
    with transaction(engine, organization.id) as session:
        differences = differences_list(session, organization_id=organization.id)
        if differences and is_repaired:
            differences_repair(session, organization_id=organization.id, differences=differences, now=utc_now())
    return differences


def _as_json(difference: FoundDifference) -> dict[str, object]:
    return {
        "organization": difference.organization,
        "of": difference.kind.value,
        "entity": difference.entity_id,
        "subject": difference.subject,
        "at": difference.at.isoformat(),
        "stored": difference.stored,
        "computed": difference.computed,
        "foundAt": difference.found_at.isoformat(),
    }


def _print(
    checks: Counter[CheckKind], skipped: Counter[CheckKind], differences: list[FoundDifference], *, is_repaired: bool
) -> None:
    for kind in CheckKind:
        if checks[kind] or skipped[kind]:
            print(f"{kind.value}: {checks[kind]} checked, {skipped[kind]} skipped for work that waits")
    for item in differences:
        print("\t".join(f"{name}={value}" for name, value in _as_json(item).items()))
    print(f"{len(differences)} differences" + (", to be recomputed" if differences and is_repaired else ""))
