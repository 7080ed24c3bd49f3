"""What a rule must say to cure a habit: concept patterns, several alternatives for each habit.

A pattern is a list of terms, all of which must be met. `a|b` is met by either concept, whatever its sign; `+a` only
where it is affirmed, `-a` only where it is negated ("not the first one"); `!a|b` where neither occurs. A pattern
with its signs flipped contradicts the cure, except for patterns that start with `~`, whose opposite means nothing.
"""

from __future__ import annotations

CURES: dict[str, tuple[str, ...]] = {
    "acts_on_first_order": (
        "+right_one order described|item several|item",
        "+look order several !bill|passengers|leg|line_number|shipping",
        "~-first order !method|leg|flight|bill|variant|passengers|line_number|item",
    ),
    "skips_confirmation": ("+confirm write|details",),
    "malformed_arguments": ("+form argument !gigabytes", "~-omit_form argument"),
    "gives_up_after_error": ("+retry error", "~-give_up error"),
    "transfers_too_early": (
        "+last_resort transfer",
        "~-transfer tool|policy|unsure",
        "+handle_self transfer|tool",
    ),
    "forgets_second_request": ("~+finish +list_all requests", "~+finish +second requests"),
    "loses_state_across_orders": ("+afresh another ids", "-reuse ids|order", "~+belong ids", "+afresh reuse"),
    "omits_amount": ("~+say money amount_word",),
    "wrong_payment_method": ("+requested_method method", "~-first method"),
    "ignores_policy_limit": ("-exception policy|insist", "~+refuse forbidden|insist", "~-do_call forbidden"),
    "skips_identity_check": ("+verify identity reading",),
    "claims_without_doing": ("+doing claim", "~-claim doing|done"),
    "repeats_write": ("~-twice tool|write", "+once tool|write !item|apn"),
    "closes_too_early": ("+ask|confirm else", "~-end else"),
    "refuses_allowed_request": ("~-refuse allowed", "~+carry_out allowed"),
    "wrong_variant": (
        "+all_options match|variant",
        "+match options +all",
        "~-not_all options|match",
        "-enough options",
        "~-first variant options",
    ),
    "picks_unavailable_variant": ("+in_stock variant", "~-unavailable variant"),
    "returns_whole_order": ("+only item return", "~-whole return"),
    "guesses_cancel_reason": ("+ask reason cancel", "+from_customer reason", "-invent reason"),
    "splits_exchange": (
        "+in_one_call item|exchange",
        "~+collect item exchange",
        "~-one_by_one item|exchange",
    ),
    "drops_address_line": ("+include unit", "+unit address", "+include address +all"),
    "omits_refund_timing": ("+say days arrive",),
    "sums_wrong": ("+shipping|discount total",),
    "not_cheapest_flight": ("+cheapest choose|flight", "~-first flight choose !variant"),
    "downgrade_without_refund": ("+give downgrade difference|give",),
    "insurance_wrong_leg": ("+named insurance leg", "-first insurance leg", "+check insurance leg"),
    "charges_free_bags": ("+free bag", "~-charge bag"),
    "wrong_travel_date": ("+count weekday|date today|weekday", "+check weekday date", "-guess date"),
    "compensation_unchecked": ("+check compensation delay", "~-compensation delay"),
    "ignores_passenger_count": ("+multiply passengers", "-one_person passengers"),
    "changes_one_leg_only": ("+every_leg", "~-first_leg leg !insurance"),
    "reboot_before_line_check": ("+check line_status reboot",),
    "data_limit_versus_roaming": ("+check roaming data", "+roaming data"),
    "ignores_overdue_bill": (
        "+pay overdue|bill resume",
        "+check overdue|bill resume|overdue",
        "~-resume overdue",
    ),
    "wrong_line": ("+match|named line line_number", "-primary line"),
    "plan_fee_unsaid": ("+say fee plan",),
    "forgets_apn_reset": ("+reset apn",),
    "pays_wrong_bill": ("+month bill match|choose|pay|look", "-latest bill"),
    "wrong_data_amount": ("+exact gigabytes", "-smallest gigabytes"),
}

OPPOSED: dict[str, tuple[str, ...]] = {
    "acts_on_first_order": ("+use_first order !method|leg|flight|bill|variant",),
    "not_cheapest_flight": ("+use_first flight !insurance",),
    "wrong_payment_method": ("+use_first method",),
    "splits_exchange": ("+one_by_one item",),
    "transfers_too_early": ("+transfer unsure",),
    "omits_amount": ("-say amount_word !passengers",),
    "forgets_second_request": ("-second requests",),
    "skips_identity_check": ("-verify identity",),
    "claims_without_doing": ("+claim -doing",),
    "repeats_write": ("+do_twice",),
    "refuses_allowed_request": ("+refuse allowed unsure",),
    "wrong_variant": ("+enough options",),
    "returns_whole_order": ("+return_whole",),
    "changes_one_leg_only": ("+only first_leg",),
    "reboot_before_line_check": ("+reboot_first line",),
    "pays_wrong_bill": ("+latest -month",),
}
"""Patterns of statements that are plainly against the cure, whatever else they say."""
