"""An account's rows on a router: look, act, verify. Every `Refused` that leaves here is the router's."""

from __future__ import annotations

from collections.abc import Sequence

from services.provisioner.core.account import (
    ACCOUNT_MENU,
    PROFILE_MENU,
    ROW_FIELDS,
    AddRow,
    ChangeRow,
    CloseSessions,
    RemoveRow,
    Row,
    Step,
    WantedAccount,
    not_kept,
    plan,
    shadowing_profiles,
)
from services.provisioner.core.refusal import profile_advice
from services.provisioner.faults import NotKept, ProfileMissing
from services.provisioner.handlers.sessions import close_sessions
from shared.errors import Temporary
from shared.routeros import ItemMissing, NameTaken, Session, ValueRefused, equals


async def look(session: Session, wanted: WantedAccount, *, router: str, close_owed: bool) -> tuple[Step, ...]:
    """What has to be done. Raises ProfileMissing where the router would take another profile for the wanted one."""
    steps = plan(wanted, await _read(session, wanted), close_owed=close_owed)
    if any(isinstance(step, AddRow | ChangeRow) and "profile" in step.properties for step in steps):
        await _demand_exact_profile(session, wanted, router)
    return steps


async def act(session: Session, wanted: WantedAccount, steps: Sequence[Step], *, router: str) -> tuple[Step, ...]:
    """Do it and see that the router kept it; the steps for which there was something to do.

    Raises ProfileMissing, NotKept, the router's other refusals, and Temporary if somebody else changed the rows.
    """
    try:
        done = tuple([step for step in steps if await _do(step, session, wanted)])
    except ValueRefused as refusal:
        if "profile" not in refusal.words:
            raise
        known = await _profiles(session, wanted)
        raise ProfileMissing(refusal.words, advice=profile_advice(router, wanted, known)) from refusal
    wrote = any(not isinstance(step, CloseSessions) for step in done)
    if wrote and (strays := not_kept(wanted, await _read(session, wanted))):
        raise NotKept(f"the router shows {', '.join(strays)} otherwise")
    return done


async def _read(session: Session, wanted: WantedAccount) -> list[Row]:
    menu = ACCOUNT_MENU[wanted.service]
    return list(await session.print_rows(menu, ROW_FIELDS, equals("name", wanted.name), secrets=True))


async def _demand_exact_profile(session: Session, wanted: WantedAccount, router: str) -> None:
    """A router takes the beginning of a name for the name: `paket1` would become `paket10` without a word."""
    exact = equals("name", wanted.profile)
    if await session.print_rows(PROFILE_MENU[wanted.service], ("name",), exact):
        return
    present = await _profiles(session, wanted)
    if shadowing_profiles(wanted.profile, present):
        raise ProfileMissing(
            f"no profile is called exactly {wanted.profile}", advice=profile_advice(router, wanted, present)
        )


async def _profiles(session: Session, wanted: WantedAccount) -> list[str]:
    rows = await session.print_rows(PROFILE_MENU[wanted.service], ("name",))
    return sorted(row["name"] for row in rows if "name" in row)


async def _do(step: Step, session: Session, wanted: WantedAccount) -> bool:
    """Carry out a step; whether there was anything to do."""
    menu = ACCOUNT_MENU[wanted.service]
    match step:
        case AddRow():
            await _add(session, wanted, step)
        case ChangeRow():
            await _change(session, menu, step)
        case RemoveRow():
            return await session.remove_if_there(menu, step.item) > 0
        case CloseSessions():
            return await close_sessions(session, wanted.service, wanted.name) > 0
    return True


async def _add(session: Session, wanted: WantedAccount, step: AddRow) -> None:
    try:
        await session.add(ACCOUNT_MENU[wanted.service], step.properties)
    except NameTaken as taken:
        if await _read(session, wanted):
            raise Temporary("somebody added the account between look and change") from taken
        raise  # by something that is not shown under this name


async def _change(session: Session, menu: str, step: ChangeRow) -> None:
    try:
        await session.set_(menu, step.item, step.properties)
    except ItemMissing as gone:
        raise Temporary("somebody removed the account between look and change") from gone
