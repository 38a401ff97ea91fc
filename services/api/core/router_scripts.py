"""The scripts that make a router tell what happens on it, for RouterOS 6.49 and 7: to be pasted into its profiles.

`/tool fetch` blocks its script until it is answered, needs the policy `test`, and fails with an error, which is caught
here and said in the router's log. Variables with a hyphen are written `$"mac-address"`.
"""

from __future__ import annotations

from dataclasses import dataclass

TOKEN_PLACE = "TOKEN"  # noqa: S105 - what stands where the secret belongs
HOST_PLACE = "192.0.2.1"


@dataclass(frozen=True, slots=True)
class RouterScript:
    """A script, and the field of the router that it belongs into."""

    where: str
    source: str
    note: str


def ingest_url(base: str, token: str) -> str:
    """Where a router posts."""
    return f"{base.rstrip('/')}/ingest/routeros/{token}"


_HOTSPOT = ("service=hotspot", "address=$address", "mac=$mac-address")
_ENDED = ("uptime-secs=$uptime-secs", "bytes-in=$bytes-in", "bytes-out=$bytes-out", "cause=$cause")
_PPP = ("service=ppp", "address=$remote-address", "mac=$caller-id", "interface=$interface")
_USER = "user=$user"  # last: a name may hold `&`, and RouterOS 6 cannot escape it
_SESSIONS = "Put it into every profile whose log-ins are to be told, behind what stands there."
_HOST = "One text for all hosts: the router puts the host in."
_HOST6 = f"RouterOS 6 does not say which host it is: write the host's own address in place of {HOST_PLACE}."


def scripts_for(base: str, token: str = TOKEN_PLACE) -> list[RouterScript]:
    """All scripts. A field that has a script already keeps it: ours is one line more, at its end."""
    url = ingest_url(base, token)
    found = [
        ("/ip hotspot user profile, on-login", ("event=login", *_HOTSPOT, _USER), _SESSIONS),
        ("/ip hotspot user profile, on-logout", ("event=logout", *_HOTSPOT, *_ENDED, _USER), _SESSIONS),
        ("/ppp profile, on-up", ("event=login", *_PPP, _USER), _SESSIONS),
        ("/ppp profile, on-down", ("event=logout", *_PPP, _USER), _SESSIONS),
    ]
    for event in ("up", "down"):
        where = f"/tool netwatch, {event}-script"
        found.append((f"{where} (RouterOS 7)", (f"event={event}", "host=$host"), _HOST))
        found.append((f"{where} (RouterOS 6)", (f"event={event}", f"host={HOST_PLACE}"), _HOST6))
    return [RouterScript(where, _line(url, fields), note) for where, fields, note in found]


def _line(url: str, fields: tuple[str, ...]) -> str:
    fetch = f'/tool fetch url="{url}" http-method=post keep-result=no http-data=({_joined(("raw=yes", *fields))})'
    return f':do {{ {fetch} }} on-error={{ :log warning "Ronda could not be told" }}'


def _joined(fields: tuple[str, ...]) -> str:
    """The fields as one expression: `"raw=yes&user=" . $user`, with `$"mac-address"` for names with a hyphen."""
    pieces: list[str] = []
    text = ""
    for field in fields:
        name, _, variable = field.partition("=$")
        text += ("&" if text or pieces else "") + (f"{name}=" if variable else field)
        if variable:
            pieces += [f'"{text}"', f'$"{variable}"' if "-" in variable else f"${variable}"]
            text = ""
    return " . ".join([*pieces, f'"{text}"'] if text else pieces)
