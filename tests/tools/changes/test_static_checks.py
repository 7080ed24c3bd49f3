"""What may be tried: honest changes pass, whatever hides or quotes is refused before a rollout is paid."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from sigmaloop.errors import InadmissibleChange
from sigmaloop.tools.changes.edits import check_change
from sigmaloop.tools.changes.leak_scan import leaks, tells
from sigmaloop.tools.changes.static_checks import violations

SHIPPED = (Path(__file__).parents[3] / "target_agent" / "agent.py").read_text()
TASK = "hd-da47b0f8"
OPENING = "Hi. I'd like to return the blue kettle from order #W7719254, it leaks. I am Mara Lindqvist, 48107 Ann Arbor."
TEXTS = [
    OPENING,
    "Hello. I'd like to cancel my trip from Seattle to Chicago and get my money back.",
    "Hello. I'd like to cancel my trip from Boston to Denver and get my money back.",
    "Hi. I'd like to cancel my trip from Dallas to Austin and get my money back.",
    "Hello. You say that a refund goes to the original payment method within 7 days of the request. Where is mine?",
    "Hi there. My line 555-732-8237 is slow. My email is noah.keller99@example.com.",
]
POLICY = "# Policy\nA refund goes to the original payment method within 7 days of the request.\nEnd of policy."


def code_of(source: str, parent: str = SHIPPED) -> str | None:
    try:
        check_change(parent, source, task_ids=[TASK, "retail-exchange-0042"], texts=TEXTS, public=POLICY)
    except InadmissibleChange as refused:
        return refused.code
    return None


def rule(text: str) -> str:
    made = SHIPPED.replace(
        '    "Only do what the policy allows.",\n', f'    "Only do what the policy allows.",\n    {text!r},\n'
    )
    assert made != SHIPPED
    return made


def code(lines: str) -> str:
    """A change in the control flow: the lines stand at the beginning of `check_call`."""
    body = "\n".join("    " + line for line in lines.splitlines())
    made = SHIPPED.replace("    return None\n\n\ndef use_tool", f"{body}\n    return None\n\n\ndef use_tool")
    assert made != SHIPPED
    return made


HONEST = {
    "a rule": rule("Before you change anything, list the details and ask the customer to confirm with yes."),
    "a rule with numbers": rule("Refunds arrive within 5 to 7 days; a suitcase of 23 kg costs 50 dollars."),
    "a rule in the policy's words": rule("A refund goes to the original payment method within 7 days of the request."),
    "a rule in words that every customer says": rule("When they say: I'd like to cancel my trip, ask for the reason."),
    "an example": SHIPPED.replace(
        "EXAMPLES = []", 'EXAMPLES = ["Customer: my order #W0000000 broke. Agent: I look it up."]'
    ),
    "a tool note": SHIPPED.replace("TOOL_NOTES = {}", 'TOOL_NOTES = {"get_order": "Call it for every order named."}'),
    "a check in code": code(
        'seen = [m for m in messages if m.get("role") == "tool"]\n'
        'if name.startswith("cancel") and not seen:\n    return "look the order up first"'
    ),
    "a retry with imports": "import re\nimport time\nfrom datetime import date, timedelta\n" + SHIPPED,
    "a class": SHIPPED + "\n\nclass Memory:\n    def __init__(self):\n        self._seen = {}\n",
    "a table of prices": SHIPPED + '\n\nPRICES = {"economy": 120.5, "business": 410}\nLIMITS = [1, 2, 3, 5, 8]\n',
    "a plain getattr": code('x = getattr(messages, "copy", None)'),
    "a field called os": code('x = {"os": 1}\nreason = messages.os if hasattr(messages, "os") else None'),
    "lengths": SHIPPED + "\n\ndef known(s):\n    return len(s.opening) == 0 or len(s.opening) < 4000\n",
    "the official client": SHIPPED
    + "\n\ndef ask(session, m):\n    return session.openai().chat.completions.create(model='x', messages=m)\n",
}


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST.keys())
def test_an_honest_change_is_admitted(source: str) -> None:
    assert code_of(source) is None


def test_words_of_the_policy_are_free_although_a_customer_quotes_them() -> None:
    source = HONEST["a rule in the policy's words"]
    assert leaks(SHIPPED, source, task_ids=[TASK], texts=TEXTS, public=POLICY) == []
    assert 'words of a task: "a refund goes to the original"' in leaks(SHIPPED, source, task_ids=[TASK], texts=TEXTS)


def test_the_shipped_agent_breaks_no_rule() -> None:
    assert violations(SHIPPED) == []
    assert leaks("", SHIPPED, task_ids=[TASK], texts=TEXTS, public=POLICY) == []


def numbers(text: str) -> str:
    return str(list(text.encode()))


CHEATS = {
    "the id": code(f'if "{TASK}" in str(messages):\n    return "x"'),
    "the id in a comment": code(f"# {TASK}: return the kettle\nmessages = list(messages)"),
    "the id in other letters": code('x = "RETAIL_Exchange 0042"'),
    "the id in two parts": code('x = "retail-exch" + "ange-0042"'),
    "the id joined": code('x = "-".join(["retail", "exchange", "0042"])'),
    "the id in pieces": code('x = "".join(["hd-da", "47b", "0f8"])'),
    "the id formatted": code('n = ""\nx = f"hd-{n}da47b0f8"'),
    "the id backwards": code(f'x = "{TASK[::-1]}"[::-1]'),
    "the id as JSON escapes": code(r'x = json.loads(r"\u0068\u0064\u002dda47b0f8")'),
    "the opening": rule(OPENING),
    "six words of the opening": rule("If they would like to return the blue kettle from an order, do it."),
    "six words in a comment": code("# return the blue kettle from order\nx = 1"),
    "six words in capitals and marks": rule("RETURN *the* blue - KETTLE, from (order) this: do it."),
    "six words in pieces": code('x = " ".join(["return the blue", "kettle from order"])'),
    "an order number": rule("Order #W7719254 is to be returned."),
    "a telephone number": code('if "555-732-8237" in str(messages):\n    return "x"'),
    "an email": rule("For noah.keller99@example.com change the plan."),
    "a postcode": code('if "48107" in str(messages):\n    return "x"'),
}
HIDDEN = {
    "base64": "import base64\n" + code(f'x = base64.b64decode("{base64.b64encode(TASK.encode()).decode()}")'),
    "base64 from inside": code('x = __import__("base64")'),
    "a digest as a key": "import hashlib\n" + code(f'x = {{"{hashlib.md5(OPENING.encode()).hexdigest()}": 1}}'),
    "the built-in hash as a key": code("x = {123456: 1}.get(hash(str(messages)))"),
    "a seeded generator as a key": "import random\n" + code("x = random.Random(str(messages)).random()"),
    "numbers to text": code(f"x = bytes({numbers(TASK)})"),
    "numbers to characters": code(f'x = "".join(map(chr, {numbers(TASK)}))'),
    "one large number": code(f"x = ({int.from_bytes(OPENING.encode(), 'big')})"),
    "a number to bytes": code('x = (7523377).to_bytes(3, "big")'),
    "a number as a character": code('x = "%c%c" % (104, 100)'),
    "a number formatted as a character": code('n = 104\nx = f"{n:c}"'),
    "hex": code('x = type(b"").fromhex("68642d6461")'),
    "a long list of numbers": code(f"x = {numbers(OPENING)}"),
    "a compressed block": "import zlib\n" + SHIPPED,
    "a block without spaces": rule("q" * 81),
    "a block in a comment": code("# " + "Zm9v" * 21 + "\nx = 1"),
    "a block in bytes": code(f"x = {b'q' * 81!r}"),
    "pickle": "import pickle\n" + SHIPPED,
    "ctypes": "from ctypes import CDLL\n" + SHIPPED,
    "importlib": "import importlib\n" + SHIPPED,
    "subprocess": "import subprocess\n" + SHIPPED,
    "os": "import os\n" + SHIPPED,
    "sys": "import sys\n" + SHIPPED,
    "a network": "from urllib import request\n" + SHIPPED,
    "our own package": "from sigmaloop.eval import benchmark\n" + SHIPPED,
    "the worker": "import session\n" + SHIPPED,
    "eval": code('x = eval("1")'),
    "exec": code('exec("x = 1")'),
    "a file": code('x = open("notes")'),
    "builtins": code('x = __builtins__["eval"]'),
    "an attribute by a made-up name": code('x = getattr(messages, "__cl" + "ass__")'),
    "subclasses": code("x = ().__class__.__base__.__subclasses__()"),
    "globals of a function": code("x = use_tool.__globals__"),
    "the session's inside": SHIPPED.replace(
        "    messages = build_context(session)", "    messages = build_context(session)\n    session._channel.tell({})"
    ),
    "a module inside a module": "import traceback\n" + code("x = traceback.linecache.os.getcwd()"),
    "a module inside a module of another name": "import dataclasses as d\n" + code('x = d.builtins.eval("1")'),
    "a module imported from a module": "from typing import sys\n" + SHIPPED,
    "a module imported from a module under another name": "from json import codecs as c\n" + SHIPPED,
    "an attribute getter": "import operator\n" + code('x = operator.attrgetter("modules")(messages)'),
    "an imported attribute getter": "from operator import attrgetter as a\n" + SHIPPED,
    "a method caller": "import operator\n" + code('x = operator.methodcaller("decode")'),
    "getattr handed on": "import functools\n" + code('x = functools.partial(getattr, messages)("_channel")'),
    "getattr as a default": SHIPPED + "\n\ndef look(of, by=getattr):\n    return by(of, 'x')\n",
    "the opening known by its length": SHIPPED + "\n\ndef known(s):\n    return len(s.opening) == 101\n",
    "the opening known by its lengths": SHIPPED + "\n\ndef known(s):\n    return len(s.opening) in (101, 117)\n",
    "a frame": code("try:\n    1 / 0\nexcept Exception as e:\n    x = e.__traceback__.tb_frame"),
}  # fmt: skip


@pytest.mark.parametrize("source", CHEATS.values(), ids=CHEATS.keys())
def test_a_change_that_quotes_a_task_is_refused(source: str) -> None:
    assert code_of(source) == "names_task"


@pytest.mark.parametrize("source", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_change_that_hides_what_it_says_is_refused(source: str) -> None:
    assert code_of(source) == "forbidden"


def test_what_the_users_own_agent_does_already_is_not_the_changes_fault() -> None:
    parent = "import os\nimport base64\n" + SHIPPED + "\nKEY = base64.b64decode('eA==')\n"
    assert code_of(parent + "\nx = 1\n", parent) is None
    assert code_of(parent + "\nimport socket\n", parent) == "forbidden"
    assert code_of(parent + "\nimport os\n", parent) == "forbidden", "once is not a licence"


def test_a_refusal_says_where_and_what() -> None:
    with pytest.raises(InadmissibleChange, match=r"line 1: it imports pickle; a change says in plain code"):
        check_change(SHIPPED, "import pickle\n" + SHIPPED, task_ids=())
    with pytest.raises(InadmissibleChange, match="a task's own w7719254"):
        check_change(SHIPPED, rule("Order #W7719254 is to be returned."), task_ids=(), texts=TEXTS)


PLAIN_IDS = ["refund", "confirmation", "cancel_order", "----", "7"]


@pytest.mark.parametrize("said", ["Ask for a confirmation before a refund.", "First cancel_order, then tell.", "-----"])
def test_an_id_that_is_a_plain_word_forbids_no_word(said: str) -> None:
    check_change(SHIPPED, rule(said), task_ids=PLAIN_IDS)


@pytest.mark.parametrize("named", ["refund", "confirmation", "----"])
def test_an_id_that_is_a_plain_word_is_still_found_as_a_whole_literal(named: str) -> None:
    with pytest.raises(InadmissibleChange) as refused:
        check_change(SHIPPED, code(f'if "{named}" in str(messages):\n    return "x"'), task_ids=PLAIN_IDS)
    assert refused.value.code == "names_task"


def test_an_id_tells_when_it_is_more_than_a_word_or_two() -> None:
    telling = [TASK, "retail-exchange-0042", "task_7b", "return the kettle", "T-1000"]
    assert [tells(task_id) for task_id in (*telling, *PLAIN_IDS)] == [True] * len(telling) + [False] * len(PLAIN_IDS)
