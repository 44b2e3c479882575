"""Call every query and mutation of an installation with drawn arguments: `python -m testing.fuzz --seconds 600`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from testing.clean_run import Provoked, Watch
from testing.fuzz.session import CALLERS, CONFINED, Session
from testing.installation import Installation

# Without limits on rates: all calls come from one address, and what a call does is the subject.
SETTINGS: Final = {
    "ARGUS_RATE_ADDRESS_PER_S": "0",
    "ARGUS_RATE_TOKEN_PER_S": "0",
    "ARGUS_WORK_TOKEN_PER_S": "0",
    "ARGUS_QUOTA_DEVICE_READINGS_PER_S": "0",
}
# Webhooks that lead nowhere are tried for long, and given up.
PROVOKED: Final = Provoked(lines=(r"worker\.log: .*\bnotification_failed\b",), may_wait=("notifications",))
# The role of the database that confined callers act as refuses what lies elsewhere, and names that are taken there.
PROVOKED_CONFINED: Final = replace(
    PROVOKED,
    lines=(
        *PROVOKED.lines,
        r"postgres\.log: .*ERROR:  (new row violates row-level security|permission denied|duplicate key value)",
        r"postgres\.log: .*ERROR:  conflicting key value violates exclusion constraint",
    ),
)
_FAULT_CHARS: Final = 3000


def main() -> int:
    """Run, print the report, and return 1 where anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m testing.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long to call, 600 unless given")
    parser.add_argument("--examples", type=int, default=8, help="calls of each operation and caller in a round")
    parser.add_argument("--first", type=int, default=0, help="number of the first round: another one, other calls")
    parser.add_argument("--as", dest="callers", action="append", choices=CALLERS, help="admin unless given")
    parser.add_argument("--operation", dest="operations", action="append", help="only this one, or these; all else")
    arguments = parser.parse_args()
    callers = arguments.callers or ["admin"]
    if CONFINED in callers and "admin" in callers:
        parser.error(f"what {CONFINED} may see is certain only where no admin moves it")
    with tempfile.TemporaryDirectory(prefix="argus-fuzz-") as directory:
        installation = Installation(Path(directory) / "home", settings=SETTINGS)
        installation.start("--no-demo")
        try:
            faults = _run(installation, arguments)
        finally:
            installation.stop()
        if faults:
            logs = tempfile.mkdtemp(prefix="argus-fuzz-logs-")
            shutil.copytree(installation.home / "logs", logs, dirs_exist_ok=True)
            print(f"The logs are in {logs}.")
    return 1 if faults else 0


def _run(installation: Installation, arguments: argparse.Namespace) -> int:
    watch = Watch(installation)
    session = Session(installation, first=arguments.first)
    session.prepare()
    begun = time.monotonic()
    session.run(
        examples=arguments.examples,
        callers=arguments.callers or ["admin"],
        seconds=arguments.seconds,
        operations=arguments.operations or (),
    )
    print(f"{time.monotonic() - begun:.0f} s")
    for caller, report in session.reports.items():
        print(f"== {caller}", *report.lines(), sep="\n")
    for fault in session.faults:
        print(f"== FAULT, as {fault.caller}: {fault.what}", fault.call.document, fault.call.variables, sep="\n")
        print(fault.answer[:_FAULT_CHARS])
    print("== kinds of faults, by operation:")
    for (what, operation), count in session.counts.most_common():
        print(f"{count:>6} {operation}: {what}")
    try:
        session.end()
        watch.check(PROVOKED_CONFINED if CONFINED in (arguments.callers or ()) else PROVOKED)
    except AssertionError as error:
        print(f"== FAULT, after the calls: {error}")
        return len(session.faults) + 1
    print("Afterwards it answers, nothing waits, and no log has an error.")
    return len(session.faults)


if __name__ == "__main__":
    sys.exit(main())
