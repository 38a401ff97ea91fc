"""Settings come from the environment or from files; every fault is told at once and no secret is shown."""

import os
from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError

from shared.config import DatabaseSettings, LogFormat, ServiceSettings, Settings, described, load, without_password
from shared.errors import Misconfigured
from shared.security.sealing import generate_key


class WatchSettings(ServiceSettings, DatabaseSettings):
    interval_s: float = Field(default=1.0, gt=0, description="Seconds between two rounds.")
    token: SecretStr = Field(description="Token of the bot.", min_length=5)
    neighbours: tuple[str, ...] = Field(default=("a", "b"), description="Names, separated by commas.")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("RONDA_")]:
        monkeypatch.delenv(name)


def test_values_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("RONDA_TOKEN", "12345:abc")
    monkeypatch.setenv("RONDA_DATABASE_URL", "postgresql://a:b@c/d")
    monkeypatch.setenv("RONDA_LOG_FORMAT", "json")
    monkeypatch.setenv("RONDA_INTERVAL_S", "")
    settings = load(WatchSettings)
    assert settings.token.get_secret_value() == "12345:abc"
    assert settings.log_format is LogFormat.JSON
    assert settings.interval_s == 1.0, "an empty variable counts as not given"
    assert settings.health_port == 0


def test_any_value_may_come_from_a_file(monkeypatch, tmp_path: Path):
    (tmp_path / "token").write_text("12345:abc\n")
    (tmp_path / "url").write_text("postgresql://a:b@c/d\n")
    monkeypatch.setenv("RONDA_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("RONDA_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert load(WatchSettings).token.get_secret_value() == "12345:abc"


def test_every_fault_is_told_at_once_without_secrets(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("RONDA_HEALTH_PORT", "many")
    monkeypatch.setenv("RONDA_INTERVAL_S", "-1")
    monkeypatch.setenv("RONDA_TOKEN", "geh")
    monkeypatch.setenv("RONDA_SEAL_KEYS", "k1:geheim")
    monkeypatch.setenv("RONDA_NATS_URL", "nats://a")
    monkeypatch.setenv("RONDA_NATS_URL_FILE", str(tmp_path / "absent"))
    with pytest.raises(Misconfigured) as refusal:
        load(WatchSettings)
    lines = str(refusal.value).splitlines()
    assert lines[0].startswith("6 ")
    for variable in ("HEALTH_PORT", "INTERVAL_S", "TOKEN", "SEAL_KEYS", "DATABASE_URL is missing", "NATS_URL_FILE"):
        assert any(f"RONDA_{variable}" in line for line in lines[1:]), variable
    assert "'many'" in str(refusal.value)
    assert "geh" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_unreadable_file_is_named(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("RONDA_NATS_URL_FILE", str(tmp_path / "absent"))
    with pytest.raises(Misconfigured, match=r"RONDA_NATS_URL_FILE: .*absent cannot be read"):
        load(ServiceSettings)


def test_settings_are_frozen_and_hide_passwords():
    settings = load(ServiceSettings, nats_url="nats://ronda:geheim@bus:4222", seal_keys=generate_key())
    assert "geheim" not in repr(settings)
    assert "nats://ronda@bus:4222" in repr(settings)
    assert str(settings.seal_keys) not in ("", generate_key())
    with pytest.raises(ValidationError):
        settings.log_level = "debug"  # type: ignore[misc]


def test_key_ring_is_asked_for_by_those_who_need_it():
    assert load(ServiceSettings, seal_keys=generate_key("k7")).key_ring().key_ids == ("k7",)
    with pytest.raises(Misconfigured, match="RONDA_SEAL_KEYS is missing"):
        load(ServiceSettings).key_ring()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("nats://u:p@h:1/x", "nats://u@h:1/x"),
        ("nats://u:p@ss@h", "nats://u@h"),
        ("nats://h", "nats://h"),
        ("a@b", "a@b"),
    ],
)
def test_addresses_are_shown_without_password(address: str, shown: str):
    assert without_password(address) == shown


def test_variables_describe_themselves():
    by_name = {each.variable: each for each in described(WatchSettings)}
    assert by_name["RONDA_INTERVAL_S"].default == "1.0"
    assert by_name["RONDA_NEIGHBOURS"].default == "a,b"
    assert by_name["RONDA_TOKEN"].secret
    assert by_name["RONDA_TOKEN"].required
    assert by_name["RONDA_TOKEN"].default is None
    assert by_name["RONDA_LOG_FORMAT"].choices == ("console", "json")
    assert by_name["RONDA_INSTANCE"].default is None

    class Mute(Settings):
        silent: int = 1

    with pytest.raises(ValueError, match="silent"):
        described(Mute)
