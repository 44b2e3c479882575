"""Take pictures of every page of the console: `python -m testing.console.screenshots DIRECTORY`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from testing.console.browser import NARROW, WIDE, browser_open
from testing.console.plant import plant_make
from testing.console.routes import ROUTES
from testing.installation import Installation

_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")


def screenshots_take(directory: Path, chromium: str) -> int:
    """Take every page, light and dark, wide and narrow, of a plant of its own. Return how many were taken."""
    directory.mkdir(parents=True, exist_ok=True)
    count = 0
    with tempfile.TemporaryDirectory(prefix="argus-screenshots-") as home:
        installation = Installation(Path(home) / "home")
        installation.start("--no-demo")
        try:
            client = installation.organization("Works")
            plant = plant_make(client)
            installation.wait_processed(client)
            with browser_open(chromium) as browser:
                for theme in ("light", "dark"):
                    for width in (WIDE, NARROW):
                        with browser.page(installation, client, width=width, theme=theme) as opened:
                            for route in ROUTES:
                                opened.open(route.address(plant))
                                opened.wait_idle()
                                name = f"{route.name}-{theme}-{width}.png"
                                opened.page.screenshot(path=directory / name, full_page=True)
                                count += 1
        finally:
            installation.stop()
    return count


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m testing.console.screenshots", description=__doc__)
    parser.add_argument("directory", type=Path, help="where the pictures go, e.g. build/screenshots")
    arguments = parser.parse_args()
    chromium = next((path for name in _CHROMIUM if (path := shutil.which(name))), None)
    if chromium is None:
        sys.stderr.write("Chromium is not installed.\n")
        return 1
    sys.stdout.write(f"{screenshots_take(arguments.directory, chromium)} pictures are in {arguments.directory}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
