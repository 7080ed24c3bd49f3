"""What over-broad rules break: each raises the rate of other habits, whatever it was written against."""

from __future__ import annotations

TOO_BROAD: tuple[tuple[str, dict[str, float]], ...] = (
    (
        "+transfer unsure|everything !last_resort",
        {"transfers_too_early": 0.30, "gives_up_after_error": 0.25},
    ),
    (
        "-transfer absolute !qualified|tool|unsure|needless|error|last_resort",
        {"ignores_policy_limit": 0.12, "claims_without_doing": 0.08},
    ),
    ("+confirm everything !once", {"forgets_second_request": 0.22, "claims_without_doing": 0.10}),
    ("+refuse unsure|explicit|everything !only_named|carry_out|forbids|insist", {"refuses_allowed_request": 0.30}),
    (
        "-business absolute !qualified|confirm|only_named|whole|else|first|guess|once|item|leg|twice|doing|tool|"
        "say|requested",
        {"refuses_allowed_request": 0.30},
    ),
    ("+retry until_works !error", {"repeats_write": 0.22}),
    ("-twice absolute tool !qualified|change_like", {"gives_up_after_error": 0.25}),
    (
        "+brief",
        {
            "omits_amount": 0.20,
            "omits_refund_timing": 0.20,
            "plan_fee_unsaid": 0.20,
            "closes_too_early": 0.12,
        },
    ),
    ("+quickly end", {"closes_too_early": 0.25}),
    ("whatever_wanted do_call !refuse|forbids", {"ignores_policy_limit": 0.30}),
    ("+ask which_order absolute !qualified|several", {"forgets_second_request": 0.18}),
)
"""A pattern of senses, `+` affirmed, `-` negated, `!` a qualification that makes the rule harmless; and by how much the
rate of which habits rises."""
