"""WhatsApp: Meta's Cloud API, and the `/send-message` gateways that small providers run."""

from services.notifier.adapters.whatsapp.cloud import CloudMessenger, Templates
from services.notifier.adapters.whatsapp.gateway import GatewayMessenger

__all__ = ["CloudMessenger", "GatewayMessenger", "Templates"]
