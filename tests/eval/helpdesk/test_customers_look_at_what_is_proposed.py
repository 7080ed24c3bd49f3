"""A yes is for what the customer wants: a wrong thing, a wrong method, an extra get a no; two matters stay apart."""

import json
from dataclasses import replace

import pytest

from sigmaloop.eval.benchmarks.helpdesk.customer.customer import YES, Customer
from sigmaloop.eval.benchmarks.helpdesk.customer.proposals import NEVER_ASKED, WRONG_ONE
from sigmaloop.eval.benchmarks.helpdesk.requests import Case
from sigmaloop.eval.benchmarks.helpdesk.tasks import HelpdeskTask, all_tasks

TASKS = tuple(all_tasks().values())


def task(kind: str, *, several: bool = False, corrects: bool = False) -> HelpdeskTask:
    """The first task of a kind with these twists and no second request."""
    return next(
        each
        for each in TASKS
        if each.kind.name == kind
        and len(each.script.cases) == 1
        and (not several or "several" in each.twists)
        and bool(each.script.cases[0].correction) == corrects
    )


def methods(each: HelpdeskTask) -> dict[str, str]:
    row = next(iter(json.loads(each.snapshot)["customers"].values()))
    return {method["payment_method_id"]: method["label"] for method in row["payment_methods"]}


def answer(each: HelpdeskTask, text: str) -> str:
    return Customer(each.script).answer(text) or ""


def test_what_is_right_or_left_open_gets_a_yes() -> None:
    wanted = task("return_item")
    write = wanted.script.cases[0].writes[0].arguments
    item, right = wanted.script.cases[0].facts["item"], methods(wanted)[str(write["payment_method_id"])]
    for text in (
        "I would start the return. Shall I go ahead?",
        f"I would return {item.removeprefix('Only ').rstrip('.')} and refund it to your {right}. Shall I go ahead?",
        f"You have {', '.join(methods(wanted).values())} on file; I'd refund it to the {right}. Is that okay?",
        "I'd refund it to your original payment method. Is that okay?",
    ):
        assert answer(wanted, text) in YES, text


def test_a_wrong_payment_method_gets_a_no_that_names_the_right_one() -> None:
    wanted = task("cabin_upgrade")
    right = methods(wanted)[str(wanted.script.cases[0].writes[0].arguments["payment_method_id"])]
    for label in methods(wanted).values():
        said = answer(wanted, f"The upgrade would be charged to your {label}. Shall I go ahead?")
        assert said in YES if label == right else said.startswith("No, please use my"), label
        assert label == right or right.split(" ")[-1] in said


def test_another_order_gets_a_no_that_says_which_one() -> None:
    wanted = task("cancel_pending_order", several=True)
    case = wanted.script.cases[0]
    others = [key for key in json.loads(wanted.snapshot)["orders"] if key != case.writes[0].arguments["order_id"]]
    for number in (others[0].removeprefix("or_"), "99999"):
        said = answer(wanted, f"I would cancel order {number} and refund it. Shall I go ahead?")
        assert said == f"{WRONG_ONE} {case.facts['which']}"


def test_a_wrong_number_gets_a_no() -> None:
    wanted = task("add_data")
    gb = wanted.script.cases[0].writes[0].arguments["gb"]
    assert answer(wanted, f"I'd add {gb} GB to your line. OK?") in YES
    assert answer(wanted, "I'd add 40 GB to your line. OK?") == f"No, please make it {gb} gigabytes."


@pytest.mark.parametrize(
    ("kind", "extra"),
    [
        ("return_item", "add gift wrapping for $4.99"),
        ("cabin_upgrade", "add travel insurance for both of you"),
        ("add_data", "sign you up for our premium membership"),
        ("order_status", "send you a voucher"),
    ],
)
def test_what_nobody_asked_for_gets_a_no(kind: str, extra: str) -> None:
    assert answer(task(kind), f"I would do that, and also {extra}. Shall I go ahead?") == NEVER_ASKED


def test_an_item_more_gets_a_no_but_may_describe_the_order() -> None:
    wanted = next(each for each in TASKS if each.kind.name == "return_item" and len(each.script.cases) == 1)
    case = wanted.script.cases[0]
    items = json.loads(wanted.snapshot)["orders"][case.writes[0].arguments["order_id"]]["items"]
    mine = next(item["name"] for item in items if item["item_id"] in case.writes[0].arguments["item_ids"])  # type: ignore[operator]
    more = next(item["name"] for item in items if item["name"] != mine)
    assert answer(wanted, f"I would return the {mine} and the {more}. OK?") == f"No, only the {mine}."
    assert not answer(wanted, f"I would return the {mine} from the order with the {more}. OK?").startswith("No")
    assert not answer(wanted, f"I would return the {mine}. The {more} stays with you. OK?").startswith("No")


def test_a_proposal_without_a_question_gets_its_answer_too() -> None:
    corrected, plain = task("change_to_cheapest", corrects=True), task("return_item")
    assert answer(corrected, "I will move your trip to the cheapest flight.") == corrected.script.cases[0].correction
    assert answer(plain, "I will start the return for you.") in YES


def test_a_pending_correction_is_told_once_and_counts_as_a_yes() -> None:
    customer = Customer(task("change_to_cheapest", corrects=True).script)
    assert customer.answer("I would move your trip. Shall I go ahead?") == customer._script.cases[0].correction
    assert customer.agreed == {0}
    assert customer.answer("With that changed, shall I go ahead?") in YES


def test_a_no_is_no_yes() -> None:
    customer = Customer(task("add_data").script)
    customer.answer("I'd add 40 GB to your line. OK?")
    assert customer.agreed == set()


def two() -> tuple[Customer, Case, Case]:
    """A return and a cancellation, both told in the opening."""
    script, other = task("return_item").script, task("cancel_pending_order").script
    cases = (script.cases[0], other.cases[0])
    return Customer(replace(script, cases=cases, second="opening")), *cases


def test_the_matter_that_is_named_last_wins() -> None:
    customer, back, cancelled = two()
    assert customer.answer("What is the reason for the return?") == back.facts["reason"]
    assert (
        customer.answer("The return is noted; now to the cancellation: what is the reason?")
        == cancelled.facts["reason"]
    )
    assert customer.answer("After the cancellation I'll see to the return. What's the reason?") == back.facts["reason"]


def test_the_matter_whose_thing_is_named_wins() -> None:
    customer, back, cancelled = two()
    item = back.facts["item"].removeprefix("Only the ").rstrip(".")
    number = cancelled.things[0].number
    assert customer.answer(f"Before I cancel anything: why did you not like the {item}?") == back.facts["reason"]
    assert (
        customer.answer(f"Leaving the return aside, what is the reason for order {number}?")
        == cancelled.facts["reason"]
    )


def test_asked_for_both_it_answers_for_both() -> None:
    customer, back, cancelled = two()
    said = customer.answer("What are the reasons for the return and the cancellation?") or ""
    assert back.facts["reason"] in said
    assert cancelled.facts["reason"] in said
    assert "For the return:" in said
    said = customer.answer("What is the reason for the return? And why the cancellation?") or ""
    assert back.facts["reason"] in said
    assert cancelled.facts["reason"] in said


def test_a_yes_for_one_matter_is_none_for_the_other() -> None:
    customer, *_ = two()
    customer.answer("I would start the return. Shall I go ahead?")
    assert customer.agreed == {0}
    customer.answer("And the cancellation: shall I go ahead with it?")
    assert customer.agreed == {0, 1}


def test_the_wish_for_a_gift_card_is_no_secret() -> None:
    """No policy tells an agent to ask where a refund should go: the customer says it first, or corrects a proposal."""
    wanted = [case for each in TASKS for case in each.script.cases if "gift card" in case.facts.get("payment", "")]
    assert len(wanted) > 10
    assert all("gift card" in case.opening and "gift card" in case.later for case in wanted)
