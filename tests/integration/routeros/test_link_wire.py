"""The link over a real socket: a router that comes back is used again, with one connection."""

from __future__ import annotations

import asyncio

from shared.routeros import Backoff, LinkDown, LinkUp, RouterLink
from tests.integration.routeros.scripted_peer import Line, peer


async def test_a_lost_router_is_found_again():
    async def script(line: Line) -> None:
        await line.introduce()
        tag, _ = await line.expect("/ppp/active/print")
        line.row(tag, "=name=budi")
        line.done(tag)
        await line.writer.drain()
        await line.read()  # one command more, and the router is gone

    async with peer(script) as router:
        link = RouterLink(router.address(), backoff=Backoff(first=0.01, most=0.01))
        states = link.states()
        async with link, asyncio.timeout(10):
            for _ in range(2):
                async with link.session() as session:
                    assert await session.print_rows("/ppp/active") == [{"name": "budi"}]
                    ending = asyncio.create_task(session.run("/quit"))
                    await session.wait_ended()
                    await asyncio.gather(ending, return_exceptions=True)
        seen = [type(state) async for state in states]
    assert seen[:4] == [LinkDown, LinkUp, LinkDown, LinkUp]
    assert router.connections in {2, 3}
