"""Errors of the Cloud API in the Graph API's shape; texts from Meta's public list of error codes."""

from __future__ import annotations

import secrets
from typing import Any

TITLES = {
    4: "Application request limit reached",
    100: "Invalid parameter",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131030: "Recipient phone number not in allowed list",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131051: "Unsupported message type",
    131052: "Media download error",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132012: "Parameter format does not match format in the created template",
    368: "Temporarily blocked for policies violations",
}
STATUS = {131000: 500, 131016: 503, 131005: 403, 132001: 404, 368: 403}


class CloudError(Exception):
    """An answer with `error`; the HTTP status follows the code."""

    def __init__(self, code: int, details: str, *, status: int = 0, subcode: int = 0) -> None:
        self.code = code
        self.details = details
        self.status = status or STATUS.get(code, 400)
        self.subcode = subcode
        self.title = TITLES.get(code, "Generic user error")
        super().__init__(f"(#{code}) {self.title}")

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        error: dict[str, Any] = {
            "message": str(self),
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        if self.subcode:
            error["error_subcode"] = self.subcode
        return {"error": error}

    def in_status(self) -> dict[str, Any]:
        """The same error as a failed status carries it."""
        return {
            "code": self.code,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details},
        }


class TokenError(CloudError):
    """401: no token, or not ours."""

    def body(self) -> dict[str, Any]:
        """The shorter shape of authentication errors."""
        return {
            "error": {
                "message": self.details,
                "type": "OAuthException",
                "code": 190,
                "fbtrace_id": "A" + secrets.token_urlsafe(16),
            }
        }


def missing(name: str) -> CloudError:
    """A required parameter is not there."""
    return CloudError(131008, f"The parameter {name} is required.")


def invalid(details: str) -> CloudError:
    """A value has the wrong type, length or content."""
    return CloudError(131009, details)
