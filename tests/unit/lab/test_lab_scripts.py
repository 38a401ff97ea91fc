"""The little that event scripts may do."""

from __future__ import annotations

import pytest

from lab.routers.behaviour.scripts import arguments, evaluate, statements

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
