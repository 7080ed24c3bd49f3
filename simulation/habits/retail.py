"""Habits that strike in retail."""

from __future__ import annotations

from sigmaloop.simulation.habits.habit import Habit

RETAIL: tuple[Habit, ...] = (
    Habit(
        id="wrong_variant",
        domain="retail",
        rate=0.073,
        wrong="Chooses a new item that matches only one of the options asked for.",
        mechanism="variant matches one option only",
        symptom="The new item has the colour that was asked for, but not the size or material.",
        cause="The agent stops at the first variant that matches one option instead of checking all of them.",
        remedy="Choose the variant that matches every option the customer named and keeps the other options of the "
        "old item.",
    ),
    Habit(
        id="picks_unavailable_variant",
        domain="retail",
        rate=0.165,
        wrong="Chooses a variant that is not available and leaves it at the refusal.",
        mechanism="unavailable variant chosen",
        symptom="The new item is out of stock, the tool refuses it and nothing is exchanged.",
        cause="The agent does not look at the availability of a variant before choosing it.",
        remedy="Check that the variant is available in stock before you offer or choose it.",
    ),
    Habit(
        id="returns_whole_order",
        domain="retail",
        rate=0.046,
        wrong="Returns all items of an order where one was meant.",
        mechanism="whole order returned",
        symptom="The return call lists every item of the order although the customer named only some.",
        cause="The agent returns the complete order instead of only the items that the customer named.",
        remedy="Return only the items that the customer named, never the whole order.",
    ),
    Habit(
        id="guesses_cancel_reason",
        domain="retail",
        rate=0.165,
        wrong="Fills in a cancellation reason that the customer never gave.",
        mechanism="cancellation reason guessed",
        symptom="The reason of the cancellation stands in no message of the customer.",
        cause="The agent makes up a reason for the cancellation instead of asking for it.",
        remedy="Ask the customer for the reason of the cancellation; never guess it.",
    ),
    Habit(
        id="splits_exchange",
        domain="retail",
        rate=0.198,
        wrong="Exchanges or changes items one by one; the second call is refused.",
        mechanism="exchange split into several calls",
        symptom="The first exchange call holds one item, the second call for the same order is refused.",
        cause="The agent makes one call per item although an order can be exchanged or changed only once.",
        remedy="Collect all items of an order and exchange or change them together in a single call.",
    ),
    Habit(
        id="drops_address_line",
        domain="retail",
        rate=0.059,
        wrong="Leaves out the second address line (apartment, suite).",
        mechanism="second address line dropped",
        symptom="The new address lacks the apartment or suite that the customer gave.",
        cause="The agent copies street and city but leaves out the second line of the address.",
        remedy="Copy the complete address, including the apartment or suite in the second address line.",
    ),
    Habit(
        id="omits_refund_timing",
        domain="retail",
        rate=0.046,
        wrong="Does not say how long the refund takes.",
        mechanism="refund timing not stated",
        symptom="The refund is made, but no message says within how many days it arrives.",
        cause="The agent does not tell the customer how many days the refund takes.",
        remedy="Tell the customer how many business days the refund takes to arrive.",
    ),
    Habit(
        id="sums_wrong",
        domain="retail",
        rate=0.119,
        wrong="Forgets shipping or discount when it adds up a total.",
        mechanism="total added up wrong",
        symptom="The total that the agent states differs from the order by the shipping fee or the discount.",
        cause="The agent adds up only the item prices and forgets shipping and discount.",
        remedy="When you add up a total, include shipping and subtract the discount.",
    ),
)
