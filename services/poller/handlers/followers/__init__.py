"""Everything a router says of itself, one follower per kind, all on the one connection.

A follower starts when the connection opens and ends with it; one that crashes is started again and ends no other.
"""

from __future__ import annotations

from services.poller.handlers.followers.boot import BootFollower
from services.poller.handlers.followers.interfaces import InterfaceFollower
from services.poller.handlers.followers.leases import LeaseFollower
from services.poller.handlers.followers.neighbors import NeighborsLook
from services.poller.handlers.followers.pools import PoolsLook
from services.poller.handlers.followers.post import Follower, Post
from services.poller.handlers.followers.rounds import Rounds
from services.poller.handlers.followers.security import SecurityDesk
from services.poller.handlers.followers.stress import StressTeller
from services.poller.handlers.followers.traffic import TrafficLook
from services.poller.handlers.followers.vitals import VitalsLook


def followers_of(post: Post, security: SecurityDesk) -> list[Follower]:
    """The followers of one router, ready for its first connection."""
    boot, interfaces, stress = BootFollower(post), InterfaceFollower(post), StressTeller(post)
    rounds = Rounds(
        post,
        (
            VitalsLook(post, stress, boot),
            TrafficLook(post, security),
            PoolsLook(post, stress),
            NeighborsLook(post),
            interfaces,
        ),
    )
    return [boot, interfaces, LeaseFollower(post), security, rounds]
