"""Every kind of mistake that a task is exposed to costs it its reward: the gold script, spoiled in one place."""

from collections.abc import Callable
from typing import Any

import pytest

from sigmaloop.eval.benchmarks.helpdesk import Helpdesk, OracleStep
from sigmaloop.eval.benchmarks.helpdesk.domains.desks import DESKS, REQUEST_TYPES
from sigmaloop.eval.benchmarks.helpdesk.tasks import HelpdeskTask, all_tasks
from sigmaloop.eval.benchmarks.helpdesk.world import World

BENCHMARK = Helpdesk()
TASKS = tuple(all_tasks().values())
Steps = list[OracleStep]
Spoil = Callable[[HelpdeskTask, Steps, World], Steps]


def writes(task: HelpdeskTask, steps: Steps) -> list[int]:
    tools = DESKS[task.kind.domain].tools
    return [i for i, step in enumerate(steps) if step.kind == "act" and tools[step.tool].writes]


def with_arguments(step: OracleStep, **changes: Any) -> OracleStep:
    return step.model_copy(update={"arguments": {**step.arguments, **changes}})


def without(name: str) -> Spoil:
    return lambda task, steps, world: [step for step in steps if step.tool != name]


def instead(name: str, change: Callable[[OracleStep, World], dict[str, Any]]) -> Spoil:
    """All calls of a tool with other arguments."""
    return lambda task, steps, world: [
        with_arguments(step, **change(step, world)) if step.tool == name else step for step in steps
    ]


def before(tool: str, **arguments: Any) -> Spoil:
    """A needless call, just before the first write, on the line that it is about."""

    def spoil(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
        first = writes(task, steps)[0]
        line = next(step.arguments["line_id"] for step in steps if "line_id" in step.arguments)
        extra = OracleStep(kind="act", tool=tool, arguments={"line_id": line, **arguments})
        return [*steps[:first], extra, extra, *steps[first:]]

    return spoil


def silent(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
    return [step for step in steps if step.kind == "act"]


def other_payment(step: OracleStep, world: World) -> dict[str, Any]:
    if "payment_method_id" not in step.arguments:
        return {}
    first = next(iter(world.table("customers").values()))["payment_methods"][0]["payment_method_id"]
    return {"payment_method_id": first}


def pay_first(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
    return [with_arguments(s, **other_payment(s, world)) if s.kind == "act" else s for s in steps]


def nothing_written(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
    return [step for i, step in enumerate(steps) if i not in writes(task, steps)]


def written_twice(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
    first = writes(task, steps)[0]
    return [*steps[: first + 1], steps[first], steps[first], *steps[first + 1 :]]


def handed_over(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
    first = next(i for i, step in enumerate(steps) if step.kind == "say")
    return [*steps[:first], OracleStep(kind="act", tool="transfer_to_human", arguments={"summary": "x"})]


def first_of(table: str, key: str) -> Spoil:
    """Writes on the first of the customer's orders, reservations or lines."""

    def spoil(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
        first = next(iter(world.table(table)))
        spots = writes(task, steps)
        return [
            with_arguments(s, **{key: first}) if i in spots and key in s.arguments else s for i, s in enumerate(steps)
        ]

    return spoil


def next_bill(step: OracleStep, world: World) -> dict[str, Any]:
    bill = next(
        row
        for row in world.table("bills").values()
        if row["status"] == "open" and row["bill_id"] != step.arguments["bill_id"]
    )
    charge = {"charge_id": bill["charges"][-1]["charge_id"]} if "charge_id" in step.arguments else {}
    return {"bill_id": bill["bill_id"], **charge}


def other_flight(step: OracleStep, world: World) -> dict[str, Any]:
    flights = world.table("flights")
    old = flights[step.arguments["flight_ids"][0]]
    same = [f for f in flights.values() if (f["origin"], f["date"]) == (old["origin"], old["date"]) and f != old]
    return {"flight_ids": [same[0]["flight_id"], *step.arguments["flight_ids"][1:]]}


def flight_of_another_day(step: OracleStep, world: World) -> dict[str, Any]:
    flights = world.table("flights")
    old = flights[step.arguments["flight_ids"][0]]
    route = (old["origin"], old["destination"])
    near = [f for f in flights.values() if (f["origin"], f["destination"]) == route and f["date"] != old["date"]]
    assert len({f["date"] for f in near}) >= 2
    return {"flight_ids": [near[-1]["flight_id"]]}


def flight_with_too_few_seats(step: OracleStep, world: World) -> dict[str, Any]:
    flights = world.table("flights")
    old = flights[step.arguments["flight_ids"][0]]
    short = [f for f in flights.values() if f["economy_seats"] < 3 and f["date"] == old["date"]]
    assert short[0]["economy_price"] < old["economy_price"]
    return {"flight_ids": [short[0]["flight_id"]]}


def unavailable_variant(step: OracleStep, world: World) -> dict[str, Any]:
    missing = [v["sku"] for p in world.table("products").values() for v in p["variants"] if not v["available"]]
    return {"new_skus": missing[:1]}


def forbidden(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
    """What an agent does that gives in when the customer insists."""
    order, trip = next(reversed(world.table("orders")), ""), next(reversed(world.table("reservations")), "")
    bill = next(reversed(world.table("bills").values()), {"bill_id": "", "charges": [{"charge_id": ""}]})
    people = world.table("reservations").get(trip, {"passengers": [{"passenger_id": ""}]})["passengers"]
    customer = next(iter(world.table("customers").values()))
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "cancel_shipped_refused": ("cancel_order", {"order_id": order, "reason": "no_longer_needed"}),
        "cancel_not_eligible": (
            "cancel_reservation",
            {"reservation_id": trip, "payment_method_id": customer["payment_methods"][0]["payment_method_id"]},
        ),
        "delay_compensation": (
            "issue_voucher",
            {"customer_id": customer["customer_id"], "reservation_id": trip, "amount": 50.0},
        ),
        "rename_passenger": (
            "rename_passenger",
            {"reservation_id": trip, "passenger_id": people[-1]["passenger_id"], "name": "Some Body"},
        ),
        "bill_dispute": (
            "credit_charge",
            {"bill_id": bill["bill_id"], "charge_id": bill["charges"][-1]["charge_id"]},
        ),
    }
    name, arguments = calls[task.kind.name]
    first = next(i for i, step in enumerate(steps) if step.kind == "say" or step.tool == "transfer_to_human")
    extra = OracleStep(kind="act", tool=name, arguments=arguments)
    return [*steps[:first], extra, extra, *steps[first:]]


def whole_order(step: OracleStep, world: World) -> dict[str, Any]:
    return {"item_ids": [item["item_id"] for item in world.table("orders")[step.arguments["order_id"]]["items"]]}


def other_variant(step: OracleStep, world: World) -> dict[str, Any]:
    """The first variant of the right color."""
    found = []
    for sku in step.arguments["new_skus"]:
        made = next(p for p in world.table("products").values() if sku in [v["sku"] for v in p["variants"]])
        color = next(v["options"]["color"] for v in made["variants"] if v["sku"] == sku)
        found.append(next(v["sku"] for v in made["variants"] if v["sku"] != sku and v["options"]["color"] == color))
    return {"new_skus": found}


def both(first: Spoil, second: Spoil) -> Spoil:
    return lambda task, steps, world: second(task, first(task, steps, world), world)


def split_exchange(task: HelpdeskTask, steps: Steps, world: World) -> Steps:
    made: Steps = []
    for step in steps:
        if step.tool != "exchange_items":
            made.append(step)
            continue
        pairs = zip(step.arguments["item_ids"], step.arguments["new_skus"], strict=True)
        made += [with_arguments(step, item_ids=[item], new_skus=[sku]) for item, sku in pairs]
    return made


ONE = {"retail": ("orders", "order_id"), "airline": ("reservations", "reservation_id"), "telecom": ("lines", "line_id")}

SPOILS: dict[str, Spoil] = {
    "skips_identity_check": without("verify_customer"),
    "claims_without_doing": nothing_written,
    "omits_amount": silent,
    "plan_fee_unsaid": silent,
    "omits_refund_timing": silent,
    "repeats_write": written_twice,
    "transfers_too_early": handed_over,
    "gives_up_after_error": handed_over,
    "wrong_payment_method": pay_first,
    "returns_whole_order": instead("return_items", whole_order),
    "wrong_variant": both(instead("modify_items", other_variant), instead("exchange_items", other_variant)),
    "splits_exchange": split_exchange,
    "guesses_cancel_reason": instead("cancel_order", lambda s, w: {"reason": "no_longer_needed"}),
    "downgrade_without_refund": without("refund_payment"),
    "insurance_wrong_leg": instead("add_insurance", lambda s, w: {"legs": [3 - s.arguments["legs"][0]]}),
    "not_cheapest_flight": both(instead("book_flight", other_flight), instead("change_flights", other_flight)),
    "charges_free_bags": instead("add_bags", lambda s, w: {"paid_bags": s.arguments["bags"]}),
    "wrong_travel_date": both(
        instead("book_flight", flight_of_another_day), instead("change_flights", flight_of_another_day)
    ),
    "ignores_passenger_count": both(
        instead("book_flight", flight_with_too_few_seats), instead("change_flights", flight_with_too_few_seats)
    ),
    "picks_unavailable_variant": both(
        instead("exchange_items", unavailable_variant), instead("modify_items", unavailable_variant)
    ),
    "ignores_policy_limit": forbidden,
    "compensation_unchecked": forbidden,
    "changes_one_leg_only": instead("change_cabin", lambda s, w: {"legs": [1]}),
    "drops_address_line": both(
        instead("change_order_address", lambda *_: {"line2": None}),
        instead("update_profile_address", lambda *_: {"line2": None}),
    ),
    "ignores_overdue_bill": without("pay_bill"),
    "forgets_apn_reset": without("reset_apn"),
    "pays_wrong_bill": both(instead("pay_bill", next_bill), instead("credit_charge", next_bill)),
    "wrong_data_amount": instead("add_data", lambda s, w: {"gb": s.arguments["gb"] + 1}),
    "reboot_before_line_check": before("reset_line"),
    "data_limit_versus_roaming": lambda t, s, w: [
        *(step for step in s if step.tool not in ("add_data", "set_roaming")),
    ],
    "acts_on_first_order": lambda t, s, w: first_of(*ONE[t.kind.domain])(t, s, w),
    "wrong_line": lambda t, s, w: first_of("lines", "line_id")(t, s, w),
}  # fmt: skip
UNIMPORTANT = {
    "gives_up_after_error": lambda task: task.variant == "over_limit",
    "guesses_cancel_reason": lambda task: any(
        step.arguments.get("reason") == "no_longer_needed" for step in task.calls
    ),
    "acts_on_first_order": lambda task: not task.script.cases[0].writes or task.kind.name == "order_total_question",
    "changes_one_leg_only": lambda task: task.kind.name == "change_to_cheapest",
    "charges_free_bags": lambda task: task.snapshot.count('"bags": 0') > 0 and _all_paid(task),
    "ignores_passenger_count": lambda task: (
        task.kind.name not in ("change_to_cheapest", "book_flight") or len(task.script.cases) > 1
    ),
    "wrong_travel_date": lambda task: len(task.script.cases) > 1,
    "ignores_policy_limit": lambda task: len(task.script.cases) > 1,
    "compensation_unchecked": lambda task: len(task.script.cases) > 1,
    "wrong_line": lambda task: not task.script.cases[0].writes,
}
"""Tasks of an exposed type where this mistake cannot be made or hits the right thing by luck."""


def _all_paid(task: HelpdeskTask) -> bool:
    return any(
        call.arguments.get("bags") == call.arguments.get("paid_bags") for call in task.calls if call.tool == "add_bags"
    )


def play(task: HelpdeskTask, steps: Steps) -> float:
    episode = BENCHMARK.open(task.task.id, seed=1)
    for step in steps:
        if step.kind == "act":
            episode.act(step.tool, step.arguments)
        else:
            episode.say(step.text)
    return episode.score().reward


@pytest.mark.parametrize("habit", SPOILS)
def test_the_mistake_costs_every_exposed_task_its_reward(habit: str) -> None:
    exposed = [task for task in TASKS if habit in task.habits and not UNIMPORTANT.get(habit, lambda task: False)(task)]
    assert len(exposed) >= 2
    survived = []
    for task in exposed:
        steps = list(BENCHMARK.oracle(task.task.id))
        if play(task, SPOILS[habit](task, steps, World(task.snapshot))) == 1.0:
            survived.append((task.task.id, task.kind.name, task.variant, task.twists))
    assert survived == []


def test_what_a_customer_corrects_is_not_what_it_asked_for() -> None:
    """An agent that writes without asking for a yes cannot know the correction."""
    corrected = [task for task in TASKS if "corrects" in task.twists and task.script.cases[0].correction]
    assert len(corrected) > 25
    for task in corrected:
        case = task.script.cases[0]
        assert case.correction not in task.script.opening
        assert case.correction not in case.facts.values()


def test_every_habit_of_a_type_is_listed_for_variants_that_exist() -> None:
    for kind in REQUEST_TYPES.values():
        assert set(kind.habits) <= {"", *kind.variants}
