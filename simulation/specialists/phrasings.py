"""How a miner words each habit: tags, causes and remedies besides those of the catalogue.

Like people, models never explain the same mistake twice in the same words; clusters must survive that. Per
habit: further mechanism tags, further causes, further remedies.
"""

from __future__ import annotations

from typing import NamedTuple

from sigmaloop.simulation.habits import HABITS


class Phrasing(NamedTuple):
    """Ways to say one thing, the catalogue's own first."""

    mechanisms: tuple[str, ...]
    causes: tuple[str, ...]
    remedies: tuple[str, ...]


_MORE: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "acts_on_first_order": (
        ("acts on first order found", "does not compare several orders"),
        ("With several orders on file the agent settles for the first one it opens.",),
        (
            "When a customer has several orders or reservations, compare each of them with what the customer "
            "describes before changing one.",
            "Open all orders of the customer and pick the one that fits the description, not the first.",
        ),
    ),
    "skips_confirmation": (
        ("acts before confirmation", "no yes before the change"),
        ("The agent calls the changing tool straight away and leaves the customer no chance to object.",),
        (
            "List the details of the change and get the customer's explicit yes before calling a tool that "
            "changes anything.",
            "Ask the customer to confirm what will be changed, and make the change only after a yes.",
        ),
    ),
    "malformed_arguments": (
        ("arguments in wrong format", "id passed without prefix"),
        ("The agent abbreviates ids or leaves out fields that the tool's schema demands.",),
        (
            "Pass ids exactly as they appear in tool results, prefix included, and fill in every required "
            "argument in the schema's format.",
            "Always copy identifiers verbatim from the tool results, with the full prefix, and write numbers as "
            "digits.",
        ),
    ),
    "gives_up_after_error": (
        ("no retry after tool error", "hands over after one error"),
        ("A single tool error makes the agent hand over, although a corrected call would have worked.",),
        (
            "If a tool returns an error, correct the arguments and retry the call; do not transfer because of a "
            "single error.",
            "Read the error message of a failed tool call, fix what it names and try again.",
        ),
    ),
    "transfers_too_early": (
        ("transfers although solvable", "premature handover to a person"),
        ("The agent escalates what its own tools and the policy would have let it solve.",),
        (
            "Solve the request yourself as long as the tools can do it; transfer to a human only as a last resort "
            "when the policy requires it.",
            "Do not transfer to a human while one of the tools can still handle the request.",
        ),
    ),
    "forgets_second_request": (
        ("only first request handled", "loses the other request"),
        ("Once the first of two requests is done, the agent treats the conversation as finished.",),
        (
            "If the message holds two requests, make a list and complete both of them before you finish.",
            "Keep a list of everything the customer asked for and work through each request until all are done.",
        ),
    ),
    "loses_state_across_orders": (
        ("ids mixed up between orders", "reuses id of earlier order"),
        ("Working on a second order, the agent carries over an id from the one before.",),
        (
            "For each further order, look it up again and take the ids from that order, never from the previous one.",
            "Do not reuse ids of an earlier order: fetch the next order first and use only its own ids.",
        ),
    ),
    "omits_amount": (
        ("sum of money unsaid", "refund or charge left unsaid"),
        ("The agent confirms success and leaves out the figure that the customer needs to know.",),
        (
            "State the exact amount in dollars that is refunded or charged in your message to the customer.",
            "After a refund or charge, tell the customer how much money it is.",
        ),
    ),
    "wrong_payment_method": (
        ("first payment method taken", "payment method not checked"),
        ("The agent defaults to whatever payment method is listed first in the profile.",),
        (
            "Check which payment method the customer asked for or the order was paid with, and use that one "
            "instead of the first in the profile.",
            "Refund or charge the original payment method, or the one the customer requested; do not default to "
            "the first card on file.",
        ),
    ),
    "ignores_policy_limit": (
        ("gives in to insistence", "forbidden change made under pressure"),
        ("Pressed by the customer, the agent drops a limit that it had named itself.",),
        (
            "When the policy forbids a request, stay firm and decline it, no matter how often the customer insists.",
            "Do not give in: refuse what the policy prohibits even if the customer keeps insisting.",
        ),
    ),
    "skips_identity_check": (
        ("customer never verified", "verification step skipped"),
        ("The agent goes from finding the profile directly to the request and leaves verification out.",),
        (
            "Call verify_customer with the zip code or birth date before you look at or change anything on the "
            "account.",
            "Always verify who the customer is with verify_customer before acting on the account.",
        ),
    ),
    "claims_without_doing": (
        ("announces without tool call", "success reported, nothing done"),
        ("The agent writes that the change is made, but leaves the tool uncalled.",),
        (
            "Never tell the customer that something is done before you have actually called the tool and it succeeded.",
            "Make the tool call first and report the result only after the tool has returned success.",
        ),
    ),
    "repeats_write": (
        ("change executed twice", "duplicate write call"),
        ("After a successful change the agent issues the very same call once more.",),
        (
            "Call each changing tool only once; if it has succeeded, do not call it a second time.",
            "Do not repeat a change that already succeeded: make every change exactly once.",
        ),
    ),
    "closes_too_early": (
        ("ends without asking for more", "conversation closed too soon"),
        ("The agent says goodbye before the customer can bring up something further.",),
        (
            "Ask the customer whether there is anything else before you say goodbye.",
            "Before closing, always offer more help: ask if there is anything else to do.",
        ),
    ),
    "refuses_allowed_request": (
        ("too strict refusal", "permitted request turned down"),
        ("The agent reads a limit into the policy that is not there.",),
        (
            "Carry out every request that the policy allows instead of turning it down.",
            "Do not decline what is allowed by the policy.",
        ),
    ),
    "wrong_variant": (
        ("not all options matched", "new item misses an option"),
        ("One matching option is enough for the agent; the others are never compared.",),
        (
            "Compare every option of a variant, such as colour, size and material, with what the customer asked "
            "for, and choose the variant that matches all of them.",
            "The new variant must match all options that the customer named and keep the remaining options of the "
            "old item.",
        ),
    ),
    "picks_unavailable_variant": (
        ("out of stock item chosen", "stock not checked"),
        ("The agent offers a variant without reading whether it is in stock.",),
        (
            "Before choosing a variant make sure that it is available; do not take one that is out of stock.",
            "Look at the availability of each variant and choose only one that is in stock.",
        ),
    ),
    "returns_whole_order": (
        ("all items returned", "returns more than asked"),
        ("The agent sends back everything in the order where single items were meant.",),
        (
            "For a return include only the items that the customer asked to return, not all items of the order.",
            "Restrict a return to the items the customer mentioned; do not return the entire order.",
        ),
    ),
    "guesses_cancel_reason": (
        ("invents cancellation reason", "reason not asked for"),
        ("The agent fills in a plausible reason for the cancellation by itself.",),
        (
            "Before cancelling ask the customer for the reason and pass exactly that one; do not make one up.",
            "The reason of a cancellation must come from the customer: ask for it, do not assume one.",
        ),
    ),
    "splits_exchange": (
        ("items exchanged one by one", "several calls for one exchange"),
        ("The agent starts an exchange before it has collected all items, and the second call is refused.",),
        (
            "Put all items of an order into one call: exchanging or modifying works only once per order.",
            "Before exchanging or modifying, collect every item and make a single call for the whole order, not "
            "one call per item.",
        ),
    ),
    "drops_address_line": (
        ("apartment left out of address", "incomplete address entered"),
        ("The agent shortens the address to street and city and loses the apartment.",),
        (
            "Include the apartment, suite or unit as the second address line whenever the customer gives one.",
            "When you change an address, fill in line2 with the apartment or unit; never leave it out.",
        ),
    ),
    "omits_refund_timing": (
        ("refund duration unsaid", "no word on when refund arrives"),
        ("The agent confirms a refund and is silent about when the money arrives.",),
        (
            "With every refund say how many days it takes until the money arrives.",
            "Always tell the customer how long the refund takes, in business days.",
        ),
    ),
    "sums_wrong": (
        ("shipping or discount forgotten", "wrong total stated"),
        ("In adding up an order the agent leaves shipping fee or discount out of the sum.",),
        (
            "Calculate a total as item prices plus shipping minus discount.",
            "Include the shipping fee and subtract the discount whenever you state the total of an order.",
        ),
    ),
    "not_cheapest_flight": (
        ("first flight taken unpriced", "flight prices not compared"),
        ("The agent takes the top search result and does not look for a lower fare.",),
        (
            "Look at the price of every flight found and book the cheapest one that fits.",
            "Sort the flights by price and choose the lowest fare, not the first result.",
        ),
    ),
    "downgrade_without_refund": (
        ("fare difference not refunded", "refund after downgrade forgotten"),
        ("The agent believes the lower cabin refunds itself and does not pay the difference back.",),
        (
            "When a cabin is downgraded, pay back the price difference with refund_payment.",
            "A downgrade to a lower cabin needs a refund of the difference: make it right after the cabin change.",
        ),
    ),
    "insurance_wrong_leg": (
        ("wrong leg insured", "insures first leg by default"),
        ("Asked to insure one leg, the agent insures the first of the trip.",),
        (
            "Check which leg the customer wants insured and add the insurance to that leg only.",
            "Insure the leg that was named by the customer; do not default to leg 1.",
        ),
    ),
    "charges_free_bags": (
        ("bag allowance ignored", "charges bags within allowance"),
        ("The agent counts all added bags as paid bags, whatever the membership gives for free.",),
        (
            "Before adding bags, look up how many are free for the membership level and cabin and charge only "
            "those above the allowance.",
            "Bags within the free allowance of membership and cabin must not be charged as paid bags.",
        ),
    ),
    "wrong_travel_date": (
        ("weekday turned into wrong date", "date of weekday miscounted"),
        ("The agent guesses the calendar date behind a weekday.",),
        (
            "When the customer names a weekday, work out the date from today's date and check it.",
            "Count forward from today's date to find the exact date of the weekday that was named.",
        ),
    ),
    "compensation_unchecked": (
        ("voucher without checking delay", "delay not verified before voucher"),
        ("The agent issues a voucher on the customer's word.",),
        (
            "Before issuing a voucher look up the flight's delay and make sure that the customer is eligible.",
            "Compensation is given only after the flight status was checked and the delay confirmed.",
        ),
    ),
    "ignores_passenger_count": (
        ("calculated for one passenger", "other passengers not counted"),
        ("The agent takes a price per person for the price of the reservation.",),
        (
            "Multiply every amount by the number of passengers in the reservation; never calculate for one person.",
            "Count the passengers and multiply price, bags and refunds by their number.",
        ),
    ),
    "changes_one_leg_only": (
        ("return leg left unchanged", "trip changed only in part"),
        ("Having changed the outbound flight the agent forgets the way back.",),
        (
            "Change every leg of the trip, the return flight too, unless the customer asks for a single leg.",
            "A change of cabin or flight applies to all legs: include both outbound and return.",
        ),
    ),
    "reboot_before_line_check": (
        ("restart advised too early", "line status checked too late"),
        ("The agent starts with a restart instead of finding out what state the line is in.",),
        (
            "Run check_line to see the status of the line before any restart of line or phone.",
            "First check the line status; only then suggest a restart.",
        ),
    ),
    "data_limit_versus_roaming": (
        ("roaming and data limit confused", "wrong cause of data trouble"),
        ("The agent decides on roaming or data volume before it has looked at both.",),
        (
            "For data problems look at the remaining data and at the roaming setting, and fix only what is the cause.",
            "Before adding data or switching roaming, check the data left and whether roaming is on, and mend the "
            "real cause.",
        ),
    ),
    "ignores_overdue_bill": (
        ("line resumed with unpaid bill", "unpaid bill overlooked"),
        ("The agent resumes a suspended line without asking why it was suspended.",),
        (
            "Before you resume a line, look for overdue bills and get them paid first.",
            "A suspended line may be resumed only after the unpaid bills were checked and paid.",
        ),
    ),
    "wrong_line": (
        ("primary line taken", "line not matched by number"),
        ("The agent works on the main line although the customer speaks of another number.",),
        (
            "If the customer has several lines, match the phone number that was named and act on that line, not "
            "on the first.",
            "Check the number of each line and use the line that the customer asked about instead of the primary one.",
        ),
    ),
    "plan_fee_unsaid": (
        ("fee of contract end unsaid", "cost of plan change unsaid"),
        ("The agent changes the plan or ends the contract and keeps silent about what it costs.",),
        (
            "Say what the plan change or the end of the contract costs before you make it.",
            "Always mention the fee of a new plan or of ending a contract to the customer.",
        ),
    ),
    "forgets_apn_reset": (
        ("settings not reset after change", "APN left unset"),
        ("After a new SIM or plan the agent stops without sending the settings to the phone.",),
        (
            "Reset the APN after every change of SIM or plan, and whenever picture messages do not work.",
            "Call reset_apn after replacing a SIM or changing the plan.",
        ),
    ),
    "pays_wrong_bill": (
        ("newest bill taken", "bill not matched to request"),
        ("The agent handles the most recent bill whatever month the customer speaks of.",),
        (
            "Match the bill with the month or amount that the customer mentions before paying it, and do not take "
            "the latest by default.",
            "Check which bill the customer means by month or amount and pay that one, not the newest.",
        ),
    ),
    "wrong_data_amount": (
        ("gigabytes differ from request", "default data package added"),
        ("The agent books a default package size instead of the amount that was asked for.",),
        (
            "Book the exact amount of gigabytes that was requested, no more and no less.",
            "Add as many gigabytes as the customer asked for, not a default package.",
        ),
    ),
}


def _phrasing(habit_id: str) -> Phrasing:
    habit = HABITS[habit_id]
    mechanisms, causes, remedies = _MORE.get(habit_id, ((), (), ()))
    return Phrasing((habit.mechanism, *mechanisms), (habit.cause, *causes), (habit.remedy, *remedies))


PHRASINGS: dict[str, Phrasing] = {habit_id: _phrasing(habit_id) for habit_id in HABITS}
"""For every habit of the catalogue."""

GENERIC = Phrasing(
    (
        "policy not followed closely",
        "inattentive handling",
        "intent misunderstood",
        "unclear communication",
        "incomplete resolution",
    ),
    (
        "The agent does not follow the policy closely enough.",
        "The agent is not careful enough in its handling.",
        "The agent misunderstands the intent behind the message.",
        "The agent communicates in an unclear manner.",
        "The agent leaves the matter incompletely resolved.",
    ),
    (
        "Follow the policy more closely and work carefully.",
        "Handle everything attentively.",
        "Understand the intent fully before acting.",
        "Communicate more clearly.",
        "Make certain that the resolution is complete.",
    ),
)
"""What a miner says that saw nothing in particular."""
