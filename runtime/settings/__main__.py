"""Write what people read about the settings: `python -m runtime.settings FILE...`.

`--check FILE...` says instead whether the files are current. A file whose name ends with `.md` is the reference page,
any other the example of an environment file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from runtime.settings.reference import example, page


def main(arguments: list[str]) -> int:
    """Write or check files; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m runtime.settings", description=__doc__)
    parser.add_argument("--check", action="store_true", help="say whether the files are current, and write nothing")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    is_check, paths = options.check, options.files
    stale = []
    for path in paths:
        content = page() if path.suffix == ".md" else example()
        if not is_check:
            path.write_text(content, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(path)
    for path in stale:
        sys.stderr.write(f"{path} is not what the settings' declarations say: run make settings.\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
