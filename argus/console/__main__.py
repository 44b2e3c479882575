"""`python -m argus.console`: build the console where it is not current.

With `--check`, only say whether it is. With `--types`, build nothing: check that the generated types are those of
gql/schema.graphql, and that all types fit.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from argus.console.build import Build, BuildError, say
from argus.console.node import NodeError
from argus.console.sources import console_find

# A build that failed; one that is not current, with --check.
_FAILED = 1


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m argus.console", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build nothing; status 1 where the console is not current")
    parser.add_argument("--types", action="store_true", help="build nothing; check generated types and all others")
    arguments = parser.parse_args()
    location = console_find()
    if location is None or location.sources is None:
        say("There are no sources of the console here.")
        return 0
    if arguments.check:
        return 0 if location.is_current() else _FAILED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_FAILED))
    build = Build(Path(location.sources).parent, location, say)
    if arguments.types:
        return _types_check(build)
    try:
        is_built = build.run()
    except BuildError as error:
        sys.stderr.write(f"The console was not built. {error}\n")
        return _FAILED
    say(f"The console is {'built' if is_built else 'current'} ({location.stamp_built()})")
    return 0


def _types_check(build: Build) -> int:
    """Check the types. Where there is no Node.js to do it with, say so and go on: the API needs none."""
    try:
        build.check(["check"])
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 0 if isinstance(error.__cause__, NodeError) else _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
