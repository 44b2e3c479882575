"""Write the schema in SDL: `python -m gql.export FILE`, or `--check FILE` to see whether the file is current."""

from __future__ import annotations

import sys
from pathlib import Path

from gql.schema import schema

SOURCE = "# The API of Argus, exported from the code by `make schema`. Do not edit.\n\n"


def sdl() -> str:
    """Return the schema as text."""
    return SOURCE + schema.as_str().rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Write or check one file; return the exit status."""
    if len(arguments) == 2 and arguments[0] == "--check":  # noqa: PLR2004
        path = Path(arguments[1])
        if path.exists() and path.read_text(encoding="utf-8") == sdl():
            return 0
        sys.stderr.write(f"{path} is not what the code says: run make schema and look at the difference.\n")
        return 1
    if len(arguments) == 1:
        Path(arguments[0]).write_text(sdl(), encoding="utf-8")
        return 0
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
