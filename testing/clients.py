"""GraphQL clients that others wrote, in tests/clients: where they are, and whether they are installed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from testing.installation import PROJECT

CLIENTS: Final = PROJECT / "tests" / "clients"
# gql for Python has the name of a package of ours, so that it needs an environment of its own.
PYTHON: Final = CLIENTS / ".venv" / "bin" / "python"


def node_needed(*packages: str) -> pytest.MarkDecorator:
    """Skip a test where Node.js or one of these npm packages is not installed."""
    installed = CLIENTS / "node_modules"
    missing = [name for name in packages if not (installed / name).exists()]
    is_missing = shutil.which("node") is None or bool(missing)
    reason = f"node or its packages are not installed (.ci/run installs them): {', '.join(missing) or 'node'}"
    return pytest.mark.skipif(is_missing, reason=reason)


def python_needed() -> pytest.MarkDecorator:
    """Skip a test where gql for Python is not installed."""
    is_missing = not any(PYTHON.parents[1].glob("lib/*/site-packages/gql"))
    return pytest.mark.skipif(is_missing, reason="gql for Python is not installed (.ci/run installs it)")


def front_end_copy(name: str, directory: Path) -> Path:
    """Copy a small front end of tests/clients, for its generated files, and return the copy."""
    copied = directory / name
    shutil.copytree(CLIENTS / name, copied)
    (copied / "node_modules").symlink_to(CLIENTS / "node_modules")
    return copied
