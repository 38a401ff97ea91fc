"""Stand-ins of WhatsApp: Meta's Cloud API and the `/send-message` gateway of small providers."""

from lab.chats.whatsapp.business import Business, Strictness
from lab.chats.whatsapp.cloud import CloudServer
from lab.chats.whatsapp.contacts import Contact, Contacts, digits_of
from lab.chats.whatsapp.gateway import GatewayServer
from lab.chats.whatsapp.payloads import Template

__all__ = [
    "Business",
    "CloudServer",
    "Contact",
    "Contacts",
    "GatewayServer",
    "Strictness",
    "Template",
    "digits_of",
]
