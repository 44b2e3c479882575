"""Settings: parsing, and faults that name their variable."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runtime.embedded.home import Home, HomeError
from runtime.settings.kinds import SettingsError
from runtime.settings.load import settings_embedded, settings_load
from runtime.settings.model import QuotaSettings

BASE = {
    "ARGUS_DATABASE_URL": "postgresql://argus_owner:pw@db:5432/argus",
    "ARGUS_SECRET": "s" * 32,
    "ARGUS_REDIS_URL": "redis://:pw@bus:6379/0",
}


def test_urls_of_the_roles_are_derived() -> None:
    settings = settings_load(environment=BASE)
    assert set(settings.database_urls) == {"owner", "api", "ingest", "pipeline"}
    assert settings.database_url("api").startswith("postgresql+psycopg://argus_api:")
    passwords = {settings.role_passwords[f"argus_{role}"] for role in ("api", "ingest", "pipeline")}
    assert len(passwords) == 3
    assert settings.tokens.secret is None


def test_a_process_may_be_given_just_what_it_needs() -> None:
    given = {"ARGUS_DATABASE_URL_API": "postgresql://argus_api:x@db/argus", "ARGUS_REDIS_URL": "redis://bus"}
    settings = settings_load(environment=given)
    assert set(settings.database_urls) == {"api"}
    with pytest.raises(SettingsError, match="ARGUS_DATABASE_URL is not set"):
        settings.database_url("owner")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ARGUS_DATABASE_URL": "mysql://x/y"}, "ARGUS_DATABASE_URL"),
        ({"ARGUS_DATABASE_URL": "nonsense"}, "ARGUS_DATABASE_URL"),
        ({"ARGUS_SECRET": ""}, "ARGUS_SECRET"),
        ({"ARGUS_REDIS_URL": ""}, "ARGUS_REDIS_URL"),
        ({"ARGUS_REDIS_URL": "http://x"}, "ARGUS_REDIS_URL"),
        ({"ARGUS_PARTITIONS": "0"}, "ARGUS_PARTITIONS"),
        ({"ARGUS_PARTITIONS": "many"}, "ARGUS_PARTITIONS"),
        ({"ARGUS_WORKERS": "1000"}, "ARGUS_WORKERS"),
        ({"ARGUS_QUOTA_DEVICE_READINGS_PER_S": "-1"}, "ARGUS_QUOTA_DEVICE_READINGS_PER_S"),
        ({"ARGUS_QUOTA_ORGANIZATION_BURST": "999"}, "ARGUS_QUOTA_ORGANIZATION_BURST must be a whole number from 1000"),
        ({"ARGUS_RETENTION_RAW": "P0D"}, "ARGUS_RETENTION_RAW"),
        ({"ARGUS_RETENTION_POINTS": "PT12H"}, "ARGUS_RETENTION_POINTS must be whole days"),
        ({"ARGUS_LOG_LEVEL": "loud"}, "ARGUS_LOG_LEVEL must be one of debug"),
        ({"ARGUS_JWT_SECRET": "short"}, "ARGUS_JWT_SECRET"),
        ({"ARGUS_JWT_SECRET": "x" * 40, "ARGUS_JWT_JWKS_URL": "https://idp"}, "ARGUS_JWT_JWKS_URL"),
    ],
)
def test_each_fault_names_its_variable(changed: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        settings_load(environment={**BASE, **changed})


def test_a_directory_without_argus_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no Argus in"):
        settings_load(tmp_path, environment={})


def test_a_home_keeps_its_secrets_to_itself(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home", ports=(1111, 2222))
    assert (home.directory / "argus.json").stat().st_mode & 0o777 == 0o600
    assert home.directory.stat().st_mode & 0o777 == 0o700
    again = Home.open(tmp_path / "home", ports=(3, 4))
    assert again == home
    assert Home.read(home.with_ports(postgres=5, valkey=6).directory).postgres_port == 5
    assert len({home.postgres_password, home.valkey_password, home.secret, home.jwt_secret}) == 4


def test_a_home_is_one_supervisors(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home", ports=(1, 2))
    home.lock()
    with pytest.raises(HomeError, match="already running"):
        home.lock()


def test_a_damaged_home_is_reported(tmp_path: Path) -> None:
    Home.open(tmp_path, ports=(1, 2))
    (tmp_path / "argus.json").write_text("{")
    with pytest.raises(HomeError, match="damaged"):
        Home.read(tmp_path)


def test_a_quota_has_a_minute_of_burst_unless_one_is_given() -> None:
    usual = settings_load(environment=BASE)
    assert usual.quota_device == QuotaSettings(1_000, 60_000)
    assert usual.quota_organization.readings_per_s == 0
    settings = settings_load(
        environment={
            **BASE,
            "ARGUS_QUOTA_DEVICE_READINGS_PER_S": "0",
            "ARGUS_QUOTA_ORGANIZATION_READINGS_PER_S": "5",
            "ARGUS_QUOTA_ORGANIZATION_BURST": "2000",
        }
    )
    assert settings.quota_device.readings_per_s == 0
    assert settings.quota_organization == QuotaSettings(5, 2_000)


def test_retention_is_given_in_days_or_for_ever() -> None:
    usual = settings_load(environment=BASE)
    assert (usual.retention_raw, usual.retention_points) == (timedelta(days=90), timedelta(days=365))
    settings = settings_load(environment={**BASE, "ARGUS_RETENTION_RAW": "P7D", "ARGUS_RETENTION_POINTS": "forever"})
    assert (settings.retention_raw, settings.retention_points) == (timedelta(days=7), None)
    assert (usual.retention_changes, usual.retention_notifications) == (timedelta(days=30), timedelta(days=90))
    settings = settings_load(
        environment={**BASE, "ARGUS_RETENTION_CHANGES": "P2D", "ARGUS_RETENTION_HISTORY": "forever"}
    )
    assert (settings.retention_changes, settings.retention_history) == (timedelta(days=2), None)


def test_the_embedded_servers_have_defaults_of_their_own(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home", ports=(1, 2))
    local = settings_embedded(home, {"ARGUS_WORKERS": "", "ARGUS_DATABASE_URL": "postgresql://elsewhere/argus"})
    usual = settings_load(environment=BASE)
    assert (local.partitions, local.workers, local.log_json, local.retention_points) == (2, 3, False, None)
    assert (usual.partitions, usual.workers, usual.log_json) == (4, 5, True)
    assert local.tokens.secret == home.jwt_secret
    assert "elsewhere" not in local.database_url("owner")
    assert {home.secret, home.postgres_password, home.valkey_password, home.jwt_secret} <= local.secrets
    assert local.api == usual.api
    assert settings_load(environment={**BASE, "ARGUS_PARTITIONS": "100"}).workers == 64


def test_an_environment_that_is_empty_is_not_this_process_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARGUS_DATABASE_URL", BASE["ARGUS_DATABASE_URL"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"There is no Argus in \.argus"):
        settings_load(environment={})


def test_who_sees_what_is_given_by_switches_and_origins() -> None:
    usual = settings_load(environment=BASE).api
    assert (usual.cors_origins, usual.trusted_documents) == ((), None)
    assert (usual.graphiql, usual.anonymous_introspection, usual.websocket_compression) == (True, True, False)
    given = {
        "ARGUS_GRAPHIQL": "off",
        "ARGUS_ANONYMOUS_INTROSPECTION": "off",
        "ARGUS_CORS_ORIGINS": "https://Plant.example:8443, http://[::1]:3000 ,capacitor://localhost,*",
        "ARGUS_TRUSTED_DOCUMENTS": "documents",
        "ARGUS_WEBSOCKET_COMPRESSION": "on",
    }
    settings = settings_load(environment={**BASE, **given}).api
    assert (settings.graphiql, settings.anonymous_introspection, settings.websocket_compression) == (False, False, True)
    origins = ("https://plant.example:8443", "http://[::1]:3000", "capacitor://localhost", "*")
    assert settings.cors_origins == origins
    assert settings.trusted_documents == "documents"


def test_an_identity_provider_needs_all_that_a_sign_in_needs(tmp_path: Path) -> None:
    base = {
        "ARGUS_DATABASE_URL_API": "postgresql://argus_api@localhost/argus",
        "ARGUS_REDIS_URL": "redis://localhost",
        "ARGUS_JWT_JWKS_URL": "https://idp.example/keys",
        "ARGUS_OIDC_ISSUER": "https://idp.example",
        "ARGUS_OIDC_CLIENT_ID": "argus",
        "ARGUS_PUBLIC_URL": "https://plant.example/argus",
        "ARGUS_SESSION_SECRET": "s" * 40,
    }
    tokens = settings_load(environment=base).tokens
    assert tokens.oidc is not None
    assert (tokens.oidc.client_secret, tokens.public_url) == (None, "https://plant.example/argus/")
    for missing in ("ARGUS_OIDC_CLIENT_ID", "ARGUS_PUBLIC_URL", "ARGUS_SESSION_SECRET"):
        with pytest.raises(SettingsError, match=missing):
            settings_load(environment={name: value for name, value in base.items() if name != missing})
    for name, value in (("ARGUS_OIDC_SCOPES", "email"), ("ARGUS_PUBLIC_URL", "plant.example")):
        with pytest.raises(SettingsError, match=name):
            settings_load(environment={**base, name: value})
    # Another secret of either kind signs other sessions; a data directory has one of its own.
    keys = {settings_load(environment={**base, "ARGUS_SESSION_SECRET": sign * 40}).tokens.session_key for sign in "ab"}
    assert len(keys) == 2
    home = Home.open(tmp_path / "home", ports=(1, 2))
    assert settings_embedded(home, {}).tokens.session_key is not None
