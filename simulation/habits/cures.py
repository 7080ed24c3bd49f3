"""What a statement must say to cure a habit, or to make it worse: patterns of senses, several for each habit.

A pattern begins with what is to be done or not to be done; the further terms say about what, and may stand anywhere
in the statement. `a|b` is met by either sense; `!a|b` where neither occurs; `+a` only where it is not negated.
RIGHT ways cure where they are asked for and harm where they are turned down ("no need to", "rather than"); for WRONG
ways it is the other way round. A pattern with `~` only ever cures: its opposite means nothing. The senses are those
of `simulation.reading.lexicon`.
"""

from __future__ import annotations

RIGHT: dict[str, tuple[str, ...]] = {
    "acts_on_first_order": (
        "compare order|item described|several !flight|options|bill|insurance|month|line_number|fee|shipping",
        "look order several !bill|head_count|leg|line_number|shipping|total|method|options|apn|flight|roaming"
        "|delay|variant_word|charge|end|fee",
        "identify right order !line_word|bill|method|flight|leg",
        "look first_one several",
    ),
    "skips_confirmation": (
        "consent_ask !identity",
        "confirm details !identity|else|tool_confirms|delay|error|twice",
    ),
    "malformed_arguments": (
        "form argument !gigabytes|refund|date|variant",
        "form misform",
        "retry argument error !transfer|else|form",
        "~form error argument",
    ),
    "gives_up_after_error": ("retry error !succeeded",),
    "transfers_too_early": (
        "last_resort transfer !error",
        "handle_self transfer|needless|tool !error",
    ),
    "forgets_second_request": (
        "second_matter finish|request|ask|first !afresh|ids|belong|bill|leg|options|flight|unit|roaming|confirm",
        "~finish second request|several|first_step !afresh|ids|belong|bill|leg|options|people|insurance|flight|"
        "address|roaming",
        "~finish opening",
        "~listing request several|second !bag",
        "~finish several request listing|end|first !afresh|ids|belong|flight",
    ),
    "loses_state_across_orders": (
        "afresh another ids|order|reuse !error|bill|apn|doing|line_status|described",
        "~belong ids",
        "~belong reuse order|request",
    ),
    "omits_amount": (
        "say amount money !travellers|plan|shipping|gigabytes|discount|days",
        "say amount !plan|shipping|gigabytes|discount|travellers|bag|days|flight|cheapest|variant",
    ),
    "wrong_payment_method": ("requested method !days|identity",),
    "ignores_policy_limit": (
        "~refuse forbidden|insist !allowed|transfer",
        "policy_limit insist",
        "firm forbidden|insist|refuse !allowed|leg|options|transfer",
    ),
    "skips_identity_check": (
        "verify identity !flight|delay|line_status|bill|gigabytes",
        "verify_call",
    ),
    "claims_without_doing": ("doing claim !error|twice|downgrade|consent",),
    "repeats_write": ("once change_like|tool !item|apn|exchange",),
    "closes_too_early": ("ask_else else", "~confirm else", "else end"),
    "refuses_allowed_request": (
        "~carry_out +allowed !insist|only_do",
        "check forbids refuse",
    ),
    "wrong_variant": (
        "all_options compare|identify|variant|exchange|options",
        "compare|right_word options several",
    ),
    "picks_unavailable_variant": (
        "in_stock variant|choose !flight|bag",
        "alternative unavailable",
    ),
    "returns_whole_order": ("only_named return item|request !reason|options|day_word|method",),
    "guesses_cancel_reason": ("ask reason !tool_confirms|method", "from_customer reason"),
    "splits_exchange": (
        "in_one_call item|exchange !options|days|leg|people|bag|twice",
        "collect exchange item|in_one_call !options|return|leg|flight",
    ),
    "drops_address_line": ("include unit", "unit", "include address several|whole"),
    "omits_refund_timing": ("say|append days refund|arrive !weekday|delay|flight|today|else",),
    "sums_wrong": ("add_up shipping|discount", "shipping|discount total"),
    "not_cheapest_flight": ("cheapest choose|flight !gigabytes", "compare flight money"),
    "downgrade_without_refund": ("give downgrade difference|give|refund", "give difference downgrade|fee"),
    "insurance_wrong_leg": (
        "requested insurance leg",
        "line_number insurance leg",
        "check|identify leg insurance",
        "month insurance leg",
    ),
    "charges_free_bags": ("free bag",),
    "wrong_travel_date": ("count weekday|date today|weekday !bag|people|line|bill", "check weekday date|requested"),
    "compensation_unchecked": ("check compensation delay", "delay compensation !on_word"),
    "ignores_passenger_count": ("multiply people !free|else|reuse",),
    "changes_one_leg_only": (
        "every_leg !insurance|cheapest|bag",
        "several leg altering !insurance|people|cheapest|bag|money",
    ),
    "reboot_before_line_check": ("check line_status reboot|first_step",),
    "data_limit_versus_roaming": ("check roaming data",),
    "ignores_overdue_bill": (
        "pay overdue|bill resume|first_step",
        "check overdue|bill resume|overdue",
        "pay overdue line",
    ),
    "wrong_line": (
        "compare line_number line !reboot|bill|overdue|flight|order|leg",
        "line_number line !reboot|bill|overdue|identity|leg|gigabytes|people|flight|apn|address|form|order|"
        "total|unit|error",
    ),
    "plan_fee_unsaid": ("say fee plan",),
    "forgets_apn_reset": ("reset apn !reboot",),
    "pays_wrong_bill": ("month bill !resume|shipping|people|bag", "compare bill month"),
    "wrong_data_amount": ("exact gigabytes",),
}

WRONG: dict[str, tuple[str, ...]] = {
    "acts_on_first_order": (
        "first_one !method|leg|flight|bill|variant_word|line|options|insurance|request|gigabytes|cheapest|policy",
        "first_one order !method|leg|flight|bill|variant_word|line|options|insurance|gigabytes|cheapest",
        "first order identify !method|leg|flight|bill|variant_word|line|options|insurance|gigabytes|cheapest|"
        "reuse|request",
    ),
    "skips_confirmation": ("at_once details !resume|refuse|else|end|transfer|apn|overdue|exchange|error",),
    "malformed_arguments": ("misform argument|form",),
    "gives_up_after_error": ("give_up error !last_resort",),
    "transfers_too_early": (
        "transfer needless|unsure !last_resort|error",
        "~transfer tool|policy|needless !last_resort|error",
    ),
    "forgets_second_request": ("only_first request",),
    "loses_state_across_orders": ("reuse ids|order !reboot|twice|policy",),
    "omits_amount": (),
    "wrong_payment_method": ("first method !days",),
    "ignores_policy_limit": ("exception policy|insist|forbidden", "~do_call forbidden"),
    "skips_identity_check": (),
    "claims_without_doing": ("~claim done doing",),
    "repeats_write": ("twice change_like|tool|doing|succeeded !error|reread|apn|consent",),
    "closes_too_early": ("~end else", "end quickly !else"),
    "refuses_allowed_request": ("refuse allowed !insist|forbids",),
    "wrong_variant": ("not_all options|variant|compare", "~first variant options"),
    "picks_unavailable_variant": ("~unavailable variant", "choose unavailable !alternative"),
    "returns_whole_order": (
        "more_items return",
        "whole return item|order|request !day_word|options|flight|leg|method|fee|exchange",
    ),
    "guesses_cancel_reason": ("invent reason",),
    "splits_exchange": ("one_by_one item|exchange !leg|fee",),
    "drops_address_line": (),
    "omits_refund_timing": (),
    "sums_wrong": (),
    "not_cheapest_flight": ("first flight choose !variant_word|insurance|order",),
    "downgrade_without_refund": (),
    "insurance_wrong_leg": ("leg_first insurance",),
    "charges_free_bags": ("~charge bag free", "all_bags charge", "charge +free_bag !only_named|all_bags|add_up|count"),
    "wrong_travel_date": ("guess date|weekday",),
    "compensation_unchecked": ("on_word compensation",),
    "ignores_passenger_count": ("one_person people|multiply",),
    "changes_one_leg_only": ("one_leg leg altering !insurance|both_named", "one_leg every_leg !insurance"),
    "reboot_before_line_check": ("reboot first_step !later_step",),
    "data_limit_versus_roaming": ("same_thing roaming data",),
    "ignores_overdue_bill": ("resume overdue !pay|check",),
    "wrong_line": ("primary line !reboot|gigabytes",),
    "plan_fee_unsaid": (),
    "forgets_apn_reset": ("leave_as apn",),
    "pays_wrong_bill": ("latest bill",),
    "wrong_data_amount": ("smallest gigabytes", "~more_or_less gigabytes|data"),
}
