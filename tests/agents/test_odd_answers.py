"""Whatever a model says, each specialist ends in a record or a SpecialistError: no run hangs on one odd answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from sigmaloop.agents.brief import Brief, EngineerTools
from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.failure_miner import FailureMiner
from sigmaloop.agents.filing import KnownCluster, NewCause
from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.agents.harness_engineer import HarnessEngineer
from sigmaloop.errors import SpecialistError
from sigmaloop.records import Candidate, Proposal

SOURCE = 'RULES = ["be kind"]\n\n\ndef run(session):\n    return None\n'
HALF = "\ud83d"
ODD_TEXTS = [" ", f"a{HALF}b", "a\0b", "\x1b]0;owned\x07", "\u202eabc", "\u200b", "x" * 300, "\x85"]
Ask = Callable[[], BaseModel]


@pytest.fixture
def specialists(endpoint: Any, rollout: Any, trace: Any, task: Any, failure: Any, cluster: Any) -> dict[str, Ask]:
    """What each specialist is asked; its answer comes from the endpoint."""
    candidate = Candidate(
        id="A0001", batch=1, attempt=1, cluster_id=cluster.id, parent="p", commit="c", agent="a", hypothesis="h",
        kind="prompt", summary="s", diff="+x",
    )  # fmt: skip
    tools = EngineerTools(
        SOURCE,
        *([lambda query: [f"hit for {query}"]] * 3),
        lambda _id: "[0] AGENT: hi",
        lambda _code: "ok",
        lambda _code, _id: "It passed.",
    )
    brief = Brief(cluster=cluster, attempt=1, agent=SOURCE)
    return {
        "MinedFailure": lambda: FailureMiner(endpoint, setting="s").mine(
            rollout=rollout, trace=trace, task=task, batch=1
        )[0],
        "FiledCauses": lambda: Clusterer(endpoint, setting="s").file(
            [NewCause(label="N1", failures=(failure,))],
            [KnownCluster(cluster=cluster, state="open")],
            batch=1,
            scope="cluster:1:abc",
        ),
        "Reading": lambda: GateJudge(endpoint, setting="s").judge(candidate=candidate, cluster=cluster, verdicts=()),
        "FinishedChange": lambda: HarnessEngineer(endpoint, setting="s", calls=4).propose(
            brief, tools, scope="propose:A0001"
        ),
    }


GOOD: dict[str, dict[str, Any]] = {
    "MinedFailure": {
        "mechanism": "acts too soon", "what_failed": "w", "root_cause": "r", "should_have": "s", "severity": 3,
        "evidence": [{"step": 0, "quote": "please cancel"}],
    },
    "FiledCauses": {
        "places": [{"cause": "N1", "cluster": "new", "title": "a title"}],
        "diagnoses": [{"cluster": "N1", "common_cause": "c", "where": "w"}],
    },
    "Reading": {"classification": "sound", "veto": False, "helped_because": "e", "next_idea": "n"},
    "FinishedChange": {"hypothesis": "h", "kind": "prompt", "summary": "s"},
}  # fmt: skip
EDIT = ("replace_text", {"old": "be kind", "new": "be kind, always"})


def ends_well(endpoint: Any, ask: Ask, answers: list[Any]) -> BaseModel | None:
    """The record that the answers end in; None for a SpecialistError. The last answer is given again and again."""
    endpoint.answers = [*answers, *[answers[-1]] * 8]
    try:
        record = ask()
    except SpecialistError:
        return None
    json.loads(record.model_dump_json())  # what the journal stores
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u200b" for c in words_of(record))
    return record


def words_of(record: BaseModel) -> str:
    return json.dumps(record.model_dump(exclude={"source"}), ensure_ascii=False)


@pytest.mark.parametrize("odd", ODD_TEXTS, ids=ascii)
@pytest.mark.parametrize("name", GOOD)
def test_an_odd_text_in_any_field_of_an_answer_ends_no_run(
    endpoint: Any, call: Any, specialists: dict[str, Ask], name: str, odd: str
) -> None:
    for field, value in GOOD[name].items():
        if isinstance(value, str):
            answer = call(name, {**GOOD[name], field: odd})
            first = [call(*EDIT)] if name == "FinishedChange" else []
            ends_well(endpoint, specialists[name], [*first, answer])


@pytest.mark.parametrize(
    ("tool", "argument"),
    [
        ("replace_text", "old"), ("replace_text", "new"), ("search_failures", "query"), ("search_learnings", "query"),
        ("search_attempts", "query"), ("read_trace", "failure_id"), ("replay", "failure_id"),
        (HALF, "x"), ("read_agent", HALF),
    ],
)  # fmt: skip
def test_an_odd_text_in_a_tools_argument_ends_no_attempt(
    endpoint: Any, call: Any, specialists: dict[str, Ask], tool: str, argument: str
) -> None:
    odd = f"it\0{HALF}\x1b[2J \u202e\r\n"
    arguments = {"old": "run", "new": "x"} if tool == "replace_text" else {}
    looks = call(tool, {**arguments, argument: odd})
    done = call("FinishedChange", GOOD["FinishedChange"])
    proposal = ends_well(endpoint, specialists["FinishedChange"], [looks, call(*EDIT), done])
    assert isinstance(proposal, Proposal)
    assert not any(c in proposal.source for c in "\0\x1b\u202e\r" + HALF)


def test_what_the_file_already_holds_may_be_quoted(endpoint: Any, call: Any, cluster: Any) -> None:
    persian = SOURCE.replace("be kind", "می\u200cخواهم")
    tools = EngineerTools(persian, *([lambda _query: []] * 3), lambda _id: "", lambda _source: "ok", lambda *_: "")
    brief = Brief(cluster=cluster, attempt=1, agent=persian)
    edit = {"old": "می\u200cخواهم", "new": "نمی\u200cخواهم\u202e"}
    endpoint.answers = [call("replace_text", edit), call("FinishedChange", GOOD["FinishedChange"])]
    proposal = HarnessEngineer(endpoint, setting="s").propose(brief, tools, scope="propose:A0001")
    assert proposal.source == SOURCE.replace("be kind", "نمی\u200cخواهم")


def test_an_expression_too_deep_for_the_compiler_is_a_warning(
    endpoint: Any, call: Any, specialists: dict[str, Ask]
) -> None:
    deep = call("replace_text", {"old": '["be kind"]', "new": "1" + "+1" * 60_000})
    done = call("FinishedChange", GOOD["FinishedChange"])
    assert ends_well(endpoint, specialists["FinishedChange"], [deep, done]) is not None
    assert any("does not compile" in str(m["content"]) for m in endpoint.requests[-1]["messages"])


texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=12) | st.sampled_from(ODD_TEXTS)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def answers_of(name: str) -> st.SearchStrategy[Any]:
    """Arguments as JSON text: anything, or a good answer of which some fields are anything."""
    fields = st.dictionaries(st.sampled_from(sorted(GOOD[name])), values, max_size=3)
    return st.one_of(values, fields.map(lambda odd: {**GOOD[name], **odd})).map(json.dumps)


@pytest.mark.parametrize("name", GOOD)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.fixed_dictionaries({name: st.tuples(*[answers_of(name)] * 2) for name in GOOD}), as_text=st.booleans())
def test_any_json_ends_in_a_record_or_a_specialist_error(
    endpoint: Any, call: Any, specialists: dict[str, Ask], name: str, said: Any, as_text: bool
) -> None:
    answers = [{"content": text} if as_text else call(name, text) for text in said[name]]
    first = [call(*EDIT)] if name == "FinishedChange" else []
    ends_well(endpoint, specialists[name], [*first, *answers])


@pytest.mark.parametrize("nested", ["[" * 900 + "]" * 900, '{"a":' * 300 + "1" + "}" * 300, "[" * 5000 + "]" * 5000])
@pytest.mark.parametrize("name", GOOD)
def test_an_answer_nested_without_end_is_no_answer(
    endpoint: Any, call: Any, specialists: dict[str, Ask], name: str, nested: str
) -> None:
    ends_well(endpoint, specialists[name], [call(name, f'{{"reason": {nested}}}')])
    ends_well(endpoint, specialists[name], [{"content": f'{{"reason": {nested}}}'}])
