"""`python -m argus.console`: build the console where it is not current. With `--check`, only say whether it is."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from argus.console.build import Build, BuildError, say
from argus.console.sources import console_find

# A build that failed; one that is not current, with --check.
_FAILED = 1


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m argus.console", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build nothing; status 1 where the console is not current")
    arguments = parser.parse_args()
    location = console_find()
    if location is None or location.sources is None:
        say("There are no sources of the console here.")
        return 0
    if arguments.check:
        return 0 if location.is_current() else _FAILED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_FAILED))
    try:
        is_built = Build(Path(location.sources).parent, location, say).run()
    except BuildError as error:
        sys.stderr.write(f"The console was not built. {error}\n")
        return _FAILED
    say(f"The console is {'built' if is_built else 'current'} ({location.stamp_built()})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
