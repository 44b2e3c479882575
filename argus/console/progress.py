"""How far a build of the console is, shown in place of the console meanwhile: a small file beside its sources."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

# Beside the sources, and none of them: see `sources.py`.
DIRECTORY: Final = ".build"
_FILE: Final = "progress.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """A build. step: what it does, 1 to `steps`. failed: why it ended without a console; None: it goes on."""

    process: int
    step: int
    steps: int
    doing: str
    failed: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether its process lives and has not given up."""
        if self.failed is not None:
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except OSError:
            # Another user's.
            return True
        return True


def progress_write(sources: Path, progress: Progress | None) -> None:
    """Write how far the build is; None: it is done."""
    file = sources / DIRECTORY / _FILE
    if progress is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(exist_ok=True)
    # Whoever reads it sees all of it or what was before.
    written = file.with_suffix(f".{progress.process}")
    written.write_text(json.dumps(asdict(progress)), encoding="utf-8")
    written.replace(file)


def progress_read(sources: Path) -> Progress | None:
    """Return how far the last build came; None: there was none, or it was finished."""
    with suppress(OSError, ValueError, TypeError):
        return Progress(**json.loads((sources / DIRECTORY / _FILE).read_text(encoding="utf-8")))
    return None
