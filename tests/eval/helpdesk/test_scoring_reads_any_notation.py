"""What counts as said, and which database states count as equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.eval.benchmarks.helpdesk.domains.retail.requests import AT_ONCE, TIMING
from sigmaloop.eval.benchmarks.helpdesk.plain_text import numbers
from sigmaloop.eval.benchmarks.helpdesk.requests import Need, amount, day, phrase
from sigmaloop.eval.benchmarks.helpdesk.scoring import canonical, is_said, score

SAID = [
    (amount(1200.5), "You get $1,200.50 back."),
    (amount(1200.5), "that makes 1200.5 dollars"),
    (amount(1200.5), "USD 1,200.50, as agreed"),
    (amount(45.0), "The fee is $45."),
    (amount(45.0), "The fee: **$45.00**."),
    (amount(-6.0), "You will be refunded $6."),
    (amount(-6.0), "The difference is -6.00 dollars."),
    (day("2025-05-20"), "It arrives on May 20."),
    (day("2025-05-20"), "It arrives on the 20th of May, 2025."),
    (day("2025-05-20"), "expected: 2025-05-20"),
    (day("2025-05-20"), "It should be with you on Tuesday, May 20th!"),
    (day("2025-05-02"), "by May 2, with UPS"),
    (day("2025-05-20"), "expected 5/20/2025"),
    (phrase("30 days"), "You can return it within thirty days."),
    (phrase("30 days"), "Return it up to 30 days after delivery."),
    (phrase("24 hours", "24-hour"), "only within twenty-four hours of booking"),
    (phrase("24 hours", "24-hour"), "we have a 24‑hour rule"),
    (phrase("three letters", "3 letters"), "At most 3 letters can change."),
    (TIMING, "This takes five to seven business days."),
    (TIMING, "within 5–7 business days"),
    (AT_ONCE, "The money is on your gift card immediately."),
    (phrase("74 min"), "The delay was 74 minutes."),
]
UNSAID = [
    (amount(1200.5), "You get $1,200 back."),
    (amount(12.0), "You get $112 back."),
    (amount(12.0), "You get $12.50 back."),
    (amount(45.0), "45.9"),
    (day("2025-05-20"), "It arrives on May 2."),
    (day("2025-05-02"), "It arrives on May 20."),
    (day("2025-05-20"), "It arrives on June 20."),
    (phrase("30 days"), "It takes 130 days."),
    (TIMING, "You will be refunded soon."),
    (AT_ONCE, "The refund takes 5 to 7 business days."),
    (phrase("74 min"), "The delay was 174 minutes."),
]


@pytest.mark.parametrize(("need", "text"), SAID, ids=[text for _, text in SAID])
def test_usual_notations_count_as_said(need: Need, text: str) -> None:
    assert is_said(need, ["Hello.", text])


@pytest.mark.parametrize(("need", "text"), UNSAID, ids=[text for _, text in UNSAID])
def test_other_facts_do_not_count(need: Need, text: str) -> None:
    assert not is_said(need, [text])


@given(cents=st.integers(1, 10_000_000))
def test_every_amount_is_found_however_it_is_written(cents: int) -> None:
    dollars = cents / 100
    for text in (
        f"${dollars:,.2f}",
        f"{dollars:.2f}",
        f"about ${dollars:,.2f}.",
        f"({dollars})",
        f"{dollars:g}" if cents < 10**6 else "",
    ):
        if text:
            assert is_said(amount(dollars), [f"It is {text}"])


@given(text=st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    assert all(number >= 0 for number in numbers(text))
    for need in (amount(1.0), day("2025-05-20"), phrase("30 days")):
        assert is_said(need, [text]) in (True, False)


def test_addresses_are_compared_as_people_write_them() -> None:
    one = {"line1": "12 Oak Street", "line2": "Apt 4", "state": "OH", "city": "Columbus"}
    other = {"line1": "12 oak st.", "line2": "apartment 4", "state": "oh", "city": "Columbus "}
    assert canonical(one) == canonical(other)
    assert canonical(one) != canonical({**one, "line2": ""})
    assert canonical(one) != canonical({**one, "line1": "12 Oak Lane"})


def test_whole_and_decimal_numbers_are_equal_but_a_number_is_no_flag() -> None:
    assert canonical({"a": 5}) == canonical({"a": 5.0})
    assert canonical({"verified": True})["verified"] is True


def test_both_parts_must_be_right() -> None:
    state, needs = {"t": {"x": {"a": 1}}}, [amount(5.0), amount(7.0)]
    right = score(state, state, spoken=["$5 and $7"], needs=needs)
    assert (right.reward, right.components, right.missing) == (
        1.0,
        {"database": 1.0, "said": 1.0, "agreed": 1.0, "honest": 1.0},
        "",
    )
    half = score(state, state, spoken=["$5"], needs=needs)
    assert (half.reward, half.components) == (0.0, {"database": 1.0, "said": 0.5, "agreed": 1.0, "honest": 1.0})
    wrong = score({}, state, spoken=["$5 and $7"], needs=needs)
    assert (wrong.reward, wrong.components["database"]) == (0.0, 0.0)
    assert "database" in wrong.missing
    assert score(state, {**state, "empty": {}}, spoken=[], needs=[]).reward == 1.0
