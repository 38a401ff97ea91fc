"""The bus' document, held against the AsyncAPI initiative's own parser."""

import subprocess
from pathlib import Path

import pytest

from deploy.documents.asyncapi import asyncapi_yaml


def validate(node_clients: Path, document: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", "validate-asyncapi.js", str(document)]
    return subprocess.run(command, cwd=node_clients, capture_output=True, text=True, check=False)


@pytest.mark.needs_node
def test_the_document_is_valid_asyncapi(node_clients, tmp_path):
    document = tmp_path / "asyncapi.yaml"
    document.write_text(asyncapi_yaml())
    result = validate(node_clients, document)
    assert result.returncode == 0, result.stdout


@pytest.mark.needs_node
def test_the_validator_finds_a_broken_reference(node_clients, tmp_path):
    document = tmp_path / "asyncapi.yaml"
    document.write_text(asyncapi_yaml().replace("'#/components/messages/HostDown'", "'#/components/messages/HostGone'"))
    assert validate(node_clients, document).returncode == 1
