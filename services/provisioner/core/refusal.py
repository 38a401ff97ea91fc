"""What a person should do about a router's refusal."""

from __future__ import annotations

from collections.abc import Sequence

from services.provisioner.core.account import WantedAccount

_SHOWN = 12


def profile_advice(router: str, wanted: WantedAccount, present: Sequence[str]) -> str:
    """For a profile that the router does not have."""
    names = ", ".join(f"«{name}»" for name in present[:_SHOWN]) or "none"
    more = f" and {len(present) - _SHOWN} more" if len(present) > _SHOWN else ""
    return f"The router {router} has no profile «{wanted.profile}»; it has {names}{more}."


def advice(router: str, code: str) -> str:
    """For everything else."""
    return _ADVICE.get(code, _ADVICE[""]).format(router=router)


_ADVICE = {
    "": "The router {router} refused this; correct the account and save it again.",
    "not_found": "Something that the account names is not on the router {router}; look there.",
    "conflict": "The router {router} has another entry with this name; rename one of them.",
    "not_allowed": "Ronda's user on {router} lacks a right; give its group read, write, api and test.",
    "feature_missing": "The router {router} has no such menu; its package is absent or disabled.",
    "not_kept": "The router {router} took the change and shows something else; look at the account there.",
    "sealed": "The password cannot be opened with the sealing keys of the provisioner; give it the key that sealed it.",
}
