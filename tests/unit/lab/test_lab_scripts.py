"""The little that event scripts may do."""

from __future__ import annotations

import pytest

from lab.routers import VirtualRouter
from lab.routers.behaviour.scripts import Fetched, FetchFailed, arguments, block, evaluate, statements

NAMES = {"user": "vc1", "mac-address": "AA:BB:CC:00:00:01", "n": "3"}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('"halo"', "halo"),
        ("$user", "vc1"),
        ('$"mac-address"', "AA:BB:CC:00:00:01"),
        ('"user=$user"', "user=vc1"),
        ('"mac=$"mac-address""', "mac=AA:BB:CC:00:00:01"),
        ('("a" . $user . "b")', "avc1b"),
        ('"a" . $n', "a3"),
        (r'"{\"user\":\"$user\"}"', '{"user":"vc1"}'),
        (r'"harga \$5"', "harga $5"),
        (r'"baris\r\nbaru"', "baris\r\nbaru"),
        ("$tidakada", ""),
        ("kata", "kata"),
    ],
)
def test_expressions(expression, text):
    assert evaluate(expression, NAMES) == text


def test_statements_end_at_lines_and_semicolons_outside_strings():
    source = (
        ':local a "x;y"\r\n# catatan; di sini\n:log info $a; :put [/ip address find];\n:if (1=1) do={ :put 1; :put 2 }'
    )
    assert statements(source) == [
        ':local a "x;y"',
        ":log info $a",
        ":put [/ip address find]",
        ":if (1=1) do={ :put 1; :put 2 }",
    ]


def test_lines_can_be_continued():
    assert statements("/tool fetch \\\n url=x") == ["/tool fetch  url=x"]


def test_fetch_arguments_keep_json_whole():
    text = ' url="http://x/hook" http-method=post http-data=("{\\"u\\":\\"" . $user . "\\"}") output=none'
    assert arguments(text, NAMES) == {
        "url": "http://x/hook",
        "http-method": "post",
        "http-data": '{"u":"vc1"}',
        "output": "none",
    }


def test_block_ends_at_its_own_brace():
    source = '{ /tool fetch url="http://x/{y}" } on-error={ :log warning "no" }'
    assert block(source) == (' /tool fetch url="http://x/{y}" ', ' on-error={ :log warning "no" }')


@pytest.mark.parametrize("fails", [False, True])
async def test_error_of_a_fetch_runs_what_on_error_says(fails):
    router, asked = VirtualRouter(), []

    async def fetch(arguments_):
        asked.append(arguments_)
        if fails:
            raise FetchFailed("connection failed")
        return Fetched(200, "")

    router.scripts.fetch = fetch
    source = ':do { /tool fetch url="http://x" http-data=("user=" . $user) } on-error={ :log warning "not told" }'
    await router.scripts.run(f"{source}\r\n:log info next", {"user": "budi"})
    assert [call["http-data"] for call in asked] == ["user=budi"]
    lines = [row["message"] for row in router.menu("/log").rows()]
    assert [line for line in lines if line in {"not told", "next"}] == (["not told", "next"] if fails else ["next"])
