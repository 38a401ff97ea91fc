"""Which documents there are."""

from __future__ import annotations

import json
from pathlib import Path

from deploy.documents.asyncapi import asyncapi_yaml
from deploy.documents.environment import env_example
from deploy.documents.mission import mission_markdown
from deploy.local.nats_config import container_config, leaf_config
from services.api import openapi
from shared.contracts.catalogue import BY_TYPE


def documents(root: Path, *, with_mission: bool = True) -> dict[str, str]:
    """Every generated document by its path in the tree; the mission's table needs a whole run of the tests."""
    written = {
        ".env.example": env_example(),
        "deploy/nats.conf": container_config(),
        "deploy/nats-leaf.conf": leaf_config(),
        "docs/asyncapi.yaml": asyncapi_yaml(),
        openapi.DOCUMENT.as_posix(): openapi.document(),
    }
    for name, message_type in BY_TYPE.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **message_type.model_json_schema()}
        written[f"docs/schemas/{name}.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    if with_mission and (mission := mission_markdown(root)):
        written["docs/mission.md"] = mission
    return written
