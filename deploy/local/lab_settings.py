"""The lab's addresses as the product's settings: its chat servers take the place of the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERIFY_TOKEN = "ronda-demo"  # noqa: S105 - of a webhook that exists on this machine only


def settings_for(lab: Mapping[str, Any]) -> dict[str, str]:
    """Variables that point the notifier at the lab; nothing without a lab."""
    if not lab:
        return {}
    whatsapp = lab["whatsapp"]
    return {
        "RONDA_TELEGRAM_TOKEN": lab["telegram"]["token"],
        "RONDA_TELEGRAM_API_URL": lab["telegram"]["url"],
        "RONDA_WHATSAPP_DRIVER": "cloud",
        "RONDA_WHATSAPP_URL": whatsapp["url"],
        "RONDA_WHATSAPP_VERSION": whatsapp["version"],
        "RONDA_WHATSAPP_PHONE_ID": whatsapp["phone_number_id"],
        "RONDA_WHATSAPP_TOKEN": whatsapp["token"],
        "RONDA_WHATSAPP_APP_SECRET": whatsapp["app_secret"],
        "RONDA_WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
        "RONDA_WHATSAPP_TEMPLATE": whatsapp["template"],
    }
