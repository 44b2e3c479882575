"""Every name that looks like a setting is declared, wherever it is written; a misspelt variable is reported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.settings.__main__ import main
from runtime.settings.compose import COMPOSE_SETTINGS
from runtime.settings.declaration import Derived, Group, Setting, Values
from runtime.settings.kinds import SettingsError
from runtime.settings.reference import example, page
from runtime.settings.table import SETTINGS
from runtime.settings.unknown import variables_unknown
from testing.installation import PROJECT

DECLARED = {setting.name: setting for setting in (*SETTINGS, *COMPOSE_SETTINGS)}
# Options of the tests, and names that tests misspell on purpose.
NO_SETTINGS = {
    *("ARGUS_TEST_PATIENCE", "ARGUS_TEST_PLANNER"),
    *("ARGUS_PARTITION", "ARGUS_RETENTION_POINT", "ARGUS_WOKERS", "ARGUS_XYZ"),
}
# Where the name of a group of settings is cut short: ARGUS_QUOTA_..., f"ARGUS_DATABASE_URL_{role}".
_NAME = re.compile(r"\bARGUS_[A-Z_]+")
_SKIPPED = {"node_modules", "__pycache__", "build", "dist"}
COMPOSE = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
_ASSIGNED = re.compile(r"^    (ARGUS_[A-Z_]+):(.*)$", re.MULTILINE)
_REFERENCE = re.compile(r"\$\{(ARGUS_[A-Z_]+)(?::-([^}]*)|:\?[^}]*)?\}")


def _files(folder: Path = PROJECT) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink() or path.name in _SKIPPED:
            continue
        if path.is_dir():
            # What tools and embedded servers leave behind begins with a dot; .ci and the like are in the repository.
            if not path.name.startswith(".") or path.name in {".ci", ".github"}:
                yield from _files(path)
        elif path.stat().st_size < 2_000_000:
            yield path


def _names(path: Path) -> set[str]:
    try:
        return set(_NAME.findall(path.read_text(encoding="utf-8")))
    except UnicodeDecodeError:
        return set()


def _is_known(name: str) -> bool:
    if name.endswith("_"):
        return any(declared.startswith(name) for declared in DECLARED)
    return name in DECLARED or name in NO_SETTINGS


def test_every_setting_name_in_the_repository_is_declared() -> None:
    used: dict[str, list[str]] = {}
    for path in _files():
        for name in _names(path):
            used.setdefault(name, []).append(str(path.relative_to(PROJECT)))
    # The walk has seen what it is about.
    assert {"docker-compose.yml", "README.md", ".env.example"} <= {path.name for path in _files()}
    assert {name: paths for name, paths in used.items() if not _is_known(name)} == {}
    assert set(DECLARED) <= set(used)
    assert set(used) >= NO_SETTINGS


def test_names_are_declared_once() -> None:
    assert len(DECLARED) == len(SETTINGS) + len(COMPOSE_SETTINGS)


@pytest.mark.parametrize("declared", DECLARED.values(), ids=list(DECLARED))
@pytest.mark.parametrize("is_embedded", [False, True])
def test_a_default_is_a_value_that_may_be_given(declared: Setting[Any], is_embedded: bool) -> None:
    default = declared.default_of(is_embedded=is_embedded)
    if isinstance(default, Derived):
        default = default.of(Values({}, is_embedded)) if default.of else ""
    if default:
        assert Values({}, is_embedded)[declared] == Values({declared.name: default}, is_embedded)[declared]
    assert declared.meaning.endswith(".")
    assert declared.used_by


def test_the_reference_and_the_example_are_current(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [PROJECT / "docs" / "reference" / "settings.md", PROJECT / ".env.example"]
    assert main(["--check", *map(str, paths)]) == 0
    stale = tmp_path / "settings.md"
    assert main(["--check", str(stale)]) == 1
    assert "run make settings" in capsys.readouterr().err
    assert main([str(stale)]) == 0
    assert stale.read_text(encoding="utf-8") == page()
    with pytest.raises(SystemExit, match="2"):
        main([])


def test_the_example_sets_nothing_and_lists_every_setting() -> None:
    lines = example().splitlines()
    assert all(line.startswith("#") or not line for line in lines)
    assert {line[1:].partition("=")[0] for line in lines if line.startswith("#ARGUS_")} == set(DECLARED)


def test_compose_sets_declared_settings() -> None:
    for name, text in _ASSIGNED.findall(COMPOSE):
        value = text.strip()
        if value and "${" not in value:
            Values({name: value.strip("\"'")}, is_embedded=False)[DECLARED[name]]
    for name, default in _REFERENCE.findall(COMPOSE):
        # A default that is there too is the declared one.
        assert default in {"", DECLARED[name].default}, name


def test_compose_passes_every_setting() -> None:
    """But those that it makes itself, and that of the local stack."""
    handed_on = {name for name, value in _ASSIGNED.findall(COMPOSE) if not value.strip()}
    made = {name for name, value in _ASSIGNED.findall(COMPOSE) if value.strip()}
    assert made == {"ARGUS_DATABASE_URL", "ARGUS_REDIS_URL", "ARGUS_SECRET"}
    assert handed_on == {setting.name for setting in SETTINGS if setting.group is not Group.LOCAL} - made


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("ARGUS_DEADLINE_S", "0", "ARGUS_DEADLINE_S must be a whole number from 1 to 3600; it is '0'."),
        ("ARGUS_TRUSTED_PROXIES", "inside", "ARGUS_TRUSTED_PROXIES must be addresses or networks such as 10.0.0.0/8"),
        ("ARGUS_WEBHOOK_ALLOW", "a b", "ARGUS_WEBHOOK_ALLOW must be networks such as 127.0.0.0/8, addresses or names"),
        ("ARGUS_GRAPHIQL", "yes", "ARGUS_GRAPHIQL must be on or off; it is 'yes'."),
        ("ARGUS_ANONYMOUS_INTROSPECTION", "", "ARGUS_ANONYMOUS_INTROSPECTION must be on or off; it is ''."),
        (
            "ARGUS_CORS_ORIGINS",
            "plant.example",
            "ARGUS_CORS_ORIGINS must be origins such as https://plant.example:8443",
        ),
        ("ARGUS_CORS_ORIGINS", "https://a/b", "ARGUS_CORS_ORIGINS must be origins such as https://plant.example:8443"),
        ("ARGUS_CORS_ORIGINS", "https://a, b", "ARGUS_CORS_ORIGINS must be origins such as https://plant.example:8443"),
        ("ARGUS_JWT_SECRET", "short", "ARGUS_JWT_SECRET is too short: HS256 wants at least 32 characters."),
    ],
)
def test_errors_come_of_the_declaration_and_show_no_secret(name: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Values({name: text}, is_embedded=False)[DECLARED[name]]
    assert str(refused.value).startswith(said)
    assert DECLARED[name].secret is None or text not in str(refused.value).replace("too short", "")


def test_a_misspelt_variable_is_reported_with_the_nearest() -> None:
    unknown_names = variables_unknown(
        ["ARGUS_WOKERS", "ARGUS_RETENTION_POINT", "ARGUS_XYZ", "ARGUS_WORKERS", "HOME", "ARGUS_PORT"]
    )
    assert [(unknown.name, unknown.nearest) for unknown in unknown_names] == [
        ("ARGUS_RETENTION_POINT", "ARGUS_RETENTION_POINTS"),
        ("ARGUS_WOKERS", "ARGUS_WORKERS"),
        ("ARGUS_XYZ", None),
    ]
    assert str(unknown_names[1]) == "ARGUS_WOKERS is no setting of Argus and has no effect. Did you mean ARGUS_WORKERS?"
