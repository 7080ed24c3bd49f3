"""What over-broad rules break: each raises the rate of other habits, whatever it was written against."""

from __future__ import annotations

from collections.abc import Iterable

from sigmaloop.simulation.reading.language import Signed

TOO_BROAD: tuple[tuple[str, str, dict[str, float]], ...] = (
    # what must be said, what must not be said (a qualification), habits and by how much their rate rises
    (
        "+transfer unsure|everything",
        "last_resort",
        {"transfers_too_early": 0.30, "gives_up_after_error": 0.25},
    ),
    (
        "-transfer absolute",
        "qualified tool unsure",
        {"ignores_policy_limit": 0.12, "claims_without_doing": 0.08},
    ),
    ("+confirm everything", "", {"forgets_second_request": 0.22, "claims_without_doing": 0.10}),
    ("+refuse unsure|explicit|everything", "only carry_out", {"refuses_allowed_request": 0.30}),
    (
        "-business absolute",
        "qualified confirm named whole else first guess",
        {"refuses_allowed_request": 0.30},
    ),
    ("+retry until_works", "", {"repeats_write": 0.22}),
    ("-twice absolute tool", "qualified write", {"gives_up_after_error": 0.25}),
    (
        "+brief",
        "",
        {
            "omits_amount": 0.20,
            "omits_refund_timing": 0.20,
            "plan_fee_unsaid": 0.20,
            "closes_too_early": 0.12,
        },
    ),
    ("+quickly end|finish|ask|requests", "", {"closes_too_early": 0.25}),
    ("whatever_wanted do_call", "refuse forbidden", {"ignores_policy_limit": 0.30}),
    ("+ask which_order absolute", "", {"forgets_second_request": 0.18}),
)


def bumps(statements: Iterable[Signed]) -> dict[str, float]:
    """By how much the statements together raise the rate of which habits."""
    raised: dict[str, float] = {}
    for said in statements:
        for needed, excluded, effects in TOO_BROAD:
            if _said(said, needed) and not any(name in said for name in excluded.split()):
                for habit, by in effects.items():
                    raised[habit] = max(by, raised.get(habit, 0.0))
    return raised


def _said(said: Signed, needed: str) -> bool:
    for term in needed.split():
        wanted = {"+": 1, "-": -1}.get(term[0])
        found = [said[name] for name in term.lstrip("+-").split("|") if name in said]
        if not any(wanted is None or wanted in signs for signs in found):
            return False
    return True
