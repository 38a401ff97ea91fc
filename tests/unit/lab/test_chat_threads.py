"""The journal of what phones show."""

from __future__ import annotations

from lab.chats.threads import Bubble, Thread, Threads


def test_message_that_is_only_delivered_and_read_says_nothing_new() -> None:
    threads = Threads()
    threads.open(Thread("wa:1", "whatsapp", "whatsapp", "Sari"))
    first = threads.put("wa:1", Bubble("m1", "Ronda", False, "ONLINE", 1.0, "whatsapp", status="sent"))
    read = threads.change("wa:1", "m1", status="read")
    edited = threads.change("wa:1", "m1", text="OFFLINE")
    assert read is not None
    assert edited is not None
    assert first.seq < read.seq < edited.seq
    assert (read.said_seq, edited.said_seq) == (first.seq, edited.seq)
