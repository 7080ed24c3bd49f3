"""How a miner words each habit: tags and causes besides those of the catalogue.

Like people, models never explain the same mistake twice in the same words; clusters must survive that. What should
have been done is put together by the grammar of `wording`.
"""

from __future__ import annotations

from typing import NamedTuple

from sigmaloop.records import digest
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.specialists.wording.choices import Draw
from sigmaloop.simulation.specialists.wording.faults import FAULTS
from sigmaloop.simulation.specialists.wording.sentences import sentence


class Phrasing(NamedTuple):
    """Ways to say one thing; of mechanisms and causes the catalogue's own first."""

    mechanisms: tuple[str, ...]
    causes: tuple[str, ...]
    remedies: tuple[str, ...]


_MORE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "acts_on_first_order": (
        ("acts on first order found", "does not compare several orders"),
        ("With several orders on file the agent settles for the first one it opens.",),
    ),
    "skips_confirmation": (
        ("acts before confirmation", "no yes before the change"),
        ("The agent calls the changing tool straight away and leaves the customer no chance to object.",),
    ),
    "malformed_arguments": (
        ("arguments in wrong format", "id passed without prefix"),
        ("The agent abbreviates ids or leaves out fields that the tool's schema demands.",),
    ),
    "gives_up_after_error": (
        ("no retry after tool error", "hands over after one error"),
        ("A single tool error makes the agent hand over, although a corrected call would have worked.",),
    ),
    "transfers_too_early": (
        ("transfers although solvable", "premature handover to a person"),
        ("The agent escalates what its own tools and the policy would have let it solve.",),
    ),
    "forgets_second_request": (
        ("only first request handled", "loses the other request"),
        ("Once the first of two requests is done, the agent treats the conversation as finished.",),
    ),
    "loses_state_across_orders": (
        ("ids mixed up between orders", "reuses id of earlier order"),
        ("Working on a second order, the agent carries over an id from the one before.",),
    ),
    "omits_amount": (
        ("sum of money unsaid", "refund or charge left unsaid"),
        ("The agent confirms success and leaves out the figure that the customer needs to know.",),
    ),
    "wrong_payment_method": (
        ("first payment method taken", "payment method not checked"),
        ("The agent defaults to whatever payment method is listed first in the profile.",),
    ),
    "ignores_policy_limit": (
        ("gives in to insistence", "forbidden change made under pressure"),
        ("Pressed by the customer, the agent drops a limit that it had named itself.",),
    ),
    "skips_identity_check": (
        ("customer never verified", "verification step skipped"),
        ("The agent goes from finding the profile directly to the request and leaves verification out.",),
    ),
    "claims_without_doing": (
        ("announces without tool call", "success reported, nothing done"),
        ("The agent writes that the change is made, but leaves the tool uncalled.",),
    ),
    "repeats_write": (
        ("change executed twice", "duplicate write call"),
        ("After a successful change the agent issues the very same call once more.",),
    ),
    "closes_too_early": (
        ("ends without asking for more", "conversation closed too soon"),
        ("The agent says goodbye before the customer can bring up something further.",),
    ),
    "refuses_allowed_request": (
        ("too strict refusal", "permitted request turned down"),
        ("The agent reads a limit into the policy that is not there.",),
    ),
    "wrong_variant": (
        ("not all options matched", "new item misses an option"),
        ("One matching option is enough for the agent; the others are never compared.",),
    ),
    "picks_unavailable_variant": (
        ("out of stock item chosen", "stock not checked"),
        ("The agent offers a variant without reading whether it is in stock.",),
    ),
    "returns_whole_order": (
        ("all items returned", "returns more than asked"),
        ("The agent sends back everything in the order where single items were meant.",),
    ),
    "guesses_cancel_reason": (
        ("invents cancellation reason", "reason not asked for"),
        ("The agent fills in a plausible reason for the cancellation by itself.",),
    ),
    "splits_exchange": (
        ("items exchanged one by one", "several calls for one exchange"),
        ("The agent starts an exchange before it has collected all items, and the second call is refused.",),
    ),
    "drops_address_line": (
        ("apartment left out of address", "incomplete address entered"),
        ("The agent shortens the address to street and city and loses the apartment.",),
    ),
    "omits_refund_timing": (
        ("refund duration unsaid", "no word on when refund arrives"),
        ("The agent confirms a refund and is silent about when the money arrives.",),
    ),
    "sums_wrong": (
        ("shipping or discount forgotten", "wrong total stated"),
        ("In adding up an order the agent leaves shipping fee or discount out of the sum.",),
    ),
    "not_cheapest_flight": (
        ("first flight taken unpriced", "flight prices not compared"),
        ("The agent takes the top search result and does not look for a lower fare.",),
    ),
    "downgrade_without_refund": (
        ("fare difference not refunded", "refund after downgrade forgotten"),
        ("The agent believes the lower cabin refunds itself and does not pay the difference back.",),
    ),
    "insurance_wrong_leg": (
        ("wrong leg insured", "insures first leg by default"),
        ("Asked to insure one leg, the agent insures the first of the trip.",),
    ),
    "charges_free_bags": (
        ("bag allowance ignored", "charges bags within allowance"),
        ("The agent counts all added bags as paid bags, whatever the membership gives for free.",),
    ),
    "wrong_travel_date": (
        ("weekday turned into wrong date", "date of weekday miscounted"),
        ("The agent guesses the calendar date behind a weekday.",),
    ),
    "compensation_unchecked": (
        ("voucher without checking delay", "delay not verified before voucher"),
        ("The agent issues a voucher on the customer's word.",),
    ),
    "ignores_passenger_count": (
        ("calculated for one passenger", "other passengers not counted"),
        ("The agent takes a price per person for the price of the reservation.",),
    ),
    "changes_one_leg_only": (
        ("return leg left unchanged", "trip changed only in part"),
        ("Having changed the outbound flight the agent forgets the way back.",),
    ),
    "reboot_before_line_check": (
        ("restart advised too early", "line status checked too late"),
        ("The agent starts with a restart instead of finding out what state the line is in.",),
    ),
    "data_limit_versus_roaming": (
        ("roaming and data limit confused", "wrong cause of data trouble"),
        ("The agent decides on roaming or data volume before it has looked at both.",),
    ),
    "ignores_overdue_bill": (
        ("line resumed with unpaid bill", "unpaid bill overlooked"),
        ("The agent resumes a suspended line without asking why it was suspended.",),
    ),
    "wrong_line": (
        ("primary line taken", "line not matched by number"),
        ("The agent works on the main line although the customer speaks of another number.",),
    ),
    "plan_fee_unsaid": (
        ("fee of contract end unsaid", "cost of plan change unsaid"),
        ("The agent changes the plan or ends the contract and keeps silent about what it costs.",),
    ),
    "forgets_apn_reset": (
        ("settings not reset after change", "APN left unset"),
        ("After a new SIM or plan the agent stops without sending the settings to the phone.",),
    ),
    "pays_wrong_bill": (
        ("newest bill taken", "bill not matched to request"),
        ("The agent handles the most recent bill whatever month the customer speaks of.",),
    ),
    "wrong_data_amount": (
        ("gigabytes differ from request", "default data package added"),
        ("The agent books a default package size instead of the amount that was asked for.",),
    ),
}


def _phrasing(habit_id: str) -> Phrasing:
    habit = HABITS[habit_id]
    mechanisms, causes = _MORE.get(habit_id, ((), ()))
    return Phrasing((habit.mechanism, *mechanisms), (habit.cause, *causes), _should_have(habit_id))


def _should_have(habit_id: str) -> tuple[str, ...]:
    """Three ways to say what would have been right."""

    def luck(number: int) -> Draw:
        return lambda label: int(digest("should have", habit_id, number, label, size=12), 16) / 16**12

    said = (sentence(FAULTS[habit_id], luck(number), ("affirmed", "contrast")) for number in range(20))
    return tuple(dict.fromkeys(said))[:3]


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
