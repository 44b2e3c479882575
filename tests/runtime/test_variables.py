"""A variable that is misspelt is told, with the one that was probably meant."""

from __future__ import annotations

import re

from runtime.variables import COMPOSE_VARIABLES, VARIABLES, variables_unknown
from tests.support.plant import PROJECT

NAME = re.compile(r"\bARGUS_[A-Z_]*[A-Z]\b")


def test_a_misspelt_variable_is_told_with_the_nearest() -> None:
    found = variables_unknown(["ARGUS_WOKERS", "ARGUS_KEEP_POINT", "ARGUS_XYZ", "ARGUS_WORKERS", "HOME", "ARGUS_PORT"])
    assert [(each.name, each.nearest) for each in found] == [
        ("ARGUS_KEEP_POINT", "ARGUS_KEEP_POINTS"),
        ("ARGUS_WOKERS", "ARGUS_WORKERS"),
        ("ARGUS_XYZ", None),
    ]
    assert str(found[1]) == "ARGUS_WOKERS is no setting of Argus and has no effect. Did you mean ARGUS_WORKERS?"


def test_what_is_read_is_what_is_known_and_documented() -> None:
    read = set(NAME.findall((PROJECT / "runtime/settings.py").read_text()))
    roles = {
        f"{prefix}_{role}"
        for prefix in ("ARGUS_DATABASE_URL", "ARGUS_ROLE_PASSWORD")
        for role in ("API", "INGEST", "PIPELINE")
    }
    assert (read | roles) - {"ARGUS_ROLE_PASSWORD", "ARGUS"} == VARIABLES
    documented = set(NAME.findall((PROJECT / "docs/how-to/operations.md").read_text()))
    assert VARIABLES - documented == set()
    composed = set(NAME.findall((PROJECT / "docker-compose.yml").read_text()))
    assert composed - VARIABLES <= COMPOSE_VARIABLES
