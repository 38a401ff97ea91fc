"""What is generated is committed as the code says it, and `--check` finds what is not."""

import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from deploy.documents import __main__ as documents_command
from deploy.documents.catalogue import documents
from deploy.documents.environment import SERVICES, env_example
from shared.config import described

ROOT = Path(__file__).resolve().parents[3]
WRITTEN = documents(ROOT)


@pytest.mark.parametrize("path", [path for path in WRITTEN if path != "docs/mission.md"])
def test_committed_document_is_fresh(path: str):
    assert (ROOT / path).read_text() == WRITTEN[path], "run `make docs` and commit what it writes"


def test_the_interfaces_and_settings_are_among_them():
    assert {".env.example", "deploy/nats.conf", "docs/asyncapi.yaml", "docs/openapi.json"} <= set(WRITTEN)


def test_no_schema_is_left_of_a_message_that_is_gone():
    assert {f"docs/schemas/{file.name}" for file in (ROOT / "docs/schemas").iterdir()} <= set(WRITTEN)


def test_check_names_what_is_stale_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(documents_command, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["documents"])
    assert documents_command.main() == 0
    monkeypatch.setattr(sys, "argv", ["documents", "--check"])
    assert documents_command.main() == 0
    (tmp_path / ".env.example").write_text("old")
    capsys.readouterr()
    assert documents_command.main() == 1
    assert "out of date: .env.example" in capsys.readouterr().out
    assert (tmp_path / ".env.example").read_text() == "old"


def test_env_example_names_every_setting_once_with_its_default():
    lines = [line for line in env_example().splitlines() if line.startswith("#RONDA_")]
    named = [line[1:].partition("=")[0] for line in lines]
    wanted = {each.variable for settings in SERVICES.values() for each in described(settings)}
    assert wanted <= set(named)
    assert len(named) == len(set(named))
    assert "#RONDA_API_PORT=8080" in lines
    assert "#RONDA_POLLER_SENTINELS=" in lines
    assert "#RONDA_TELEGRAM_TOKEN=" in lines


def test_env_example_copied_as_it_is_changes_nothing(tmp_path):
    (tmp_path / ".env").write_text(env_example())
    assert dotenv_values(tmp_path / ".env") == {}
