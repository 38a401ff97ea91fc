"""The state folder, free ports, and the variables that services are started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotenv import dotenv_values

from deploy.local.environment import Provided, own_settings, service_environment
from deploy.local.lab_settings import settings_for
from deploy.local.state import StateFolder
from shared.errors import Conflict

PROVIDED = Provided(
    nats_urls={"api": "nats://api", "poller": "nats://poller", "notifier": "nats://notifier"},
    database_urls={"api": "postgresql://api", "notifier": "postgresql://notifier"},
    health_ports={"api": 9104, "poller": 9101, "notifier": 9103},
    api_port=8081,
    seal_keys="k1:made",
    extra={"RONDA_TELEGRAM_TOKEN": "of the lab"},
)


def test_a_secret_is_made_once_for_its_owner_only(tmp_path: Path):
    state = StateFolder.open(tmp_path / "state")
    made = state.secret("nats-api")
    assert len(made) == 32
    assert state.secret("nats-api") == StateFolder.open(state.path).secret("nats-api") == made
    assert state.secret("seal-keys", "k1:abc") == "k1:abc"
    assert state.secret("seal-keys", "k1:another") == "k1:abc"
    assert {file.stat().st_mode & 0o777 for file in (state.path / "secrets").iterdir()} == {0o600}
    assert (state.path / "secrets").stat().st_mode & 0o777 == 0o700


def test_variables_kept_for_the_command_line_are_read_back_as_they_were(tmp_path: Path):
    state = StateFolder.open(tmp_path)
    state.keep_variables("api", {"RONDA_A": "a $b #c", "RONDA_B": "it's \\ quoted"})
    file = tmp_path / "secrets/api.env"
    assert file.stat().st_mode & 0o777 == 0o600
    assert dotenv_values(file) == {"RONDA_A": "a $b #c", "RONDA_B": "it's \\ quoted"}


def test_what_is_remembered_is_recalled(tmp_path: Path):
    state = StateFolder.open(tmp_path)
    assert state.recall("run") == {}
    state.remember("run", {"api_url": "http://127.0.0.1:8080"})
    state.remember("run", {"api_url": "http://127.0.0.1:8081"})
    assert state.recall("run") == {"api_url": "http://127.0.0.1:8081"}


def test_a_folder_is_held_by_one_and_free_again_afterwards(tmp_path: Path):
    state = StateFolder.open(tmp_path / "mine")
    with state.locked():
        with pytest.raises(Conflict, match=r"Ronda already runs in mine \(process \d+\)"), state.locked():
            pass
        with StateFolder.open(tmp_path / "beside").locked():
            pass
    with state.locked():
        pass


def test_the_environment_wins_over_the_file_and_empty_lines_say_nothing(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("RONDA_LANGUAGE", "en")
    (tmp_path / ".env").write_text("RONDA_LANGUAGE=id\nRONDA_TIME_ZONE=Asia/Makassar\nRONDA_TELEGRAM_TOKEN=\n")
    own = own_settings(tmp_path)
    assert (own["RONDA_LANGUAGE"], own["RONDA_TIME_ZONE"]) == ("en", "Asia/Makassar")
    assert "RONDA_TELEGRAM_TOKEN" not in own
    assert "RONDA_TIME_ZONE" not in own_settings(tmp_path / "nothing here")


def test_a_service_gets_what_the_machine_provides_and_what_the_user_says_wins():
    api = service_environment("api", {"RONDA_API_PORT": "8080", "RONDA_TELEGRAM_TOKEN": "mine"}, PROVIDED)
    assert api["RONDA_DATABASE_URL"] == "postgresql://api"
    assert api["RONDA_API_PORT"] == "8081", "the port that was free"
    assert api["RONDA_TELEGRAM_TOKEN"] == "mine"
    assert api["RONDA_SEAL_KEYS"] == "k1:made"
    poller = service_environment("poller", {"RONDA_SEAL_KEYS_FILE": "/keys"}, PROVIDED)
    assert "RONDA_DATABASE_URL" not in poller
    assert "RONDA_API_PORT" not in poller
    assert "RONDA_SEAL_KEYS" not in poller, "both would be refused"


def test_without_a_lab_the_settings_are_the_users():
    assert settings_for({}) == {}
