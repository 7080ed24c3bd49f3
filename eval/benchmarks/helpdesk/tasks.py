"""Generates the 580 tasks: which request types, variants and twists, and the whole content of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sigmaloop.eval.benchmarks.helpdesk.customer.customer import Script
from sigmaloop.eval.benchmarks.helpdesk.dice import Dice
from sigmaloop.eval.benchmarks.helpdesk.domains.desks import DESKS, REQUEST_TYPES
from sigmaloop.eval.benchmarks.helpdesk.expectations import respects
from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case, Need, RequestType
from sigmaloop.eval.benchmarks.helpdesk.scene import Scene, spoken_birthday
from sigmaloop.eval.benchmarks.helpdesk.things import things_in, things_of
from sigmaloop.eval.benchmarks.helpdesk.tools import call
from sigmaloop.eval.benchmarks.helpdesk.twists import Twists, draw_twists
from sigmaloop.eval.benchmarks.helpdesk.world import Row, World
from sigmaloop.records import Split, Task, digest

GENERATION_SEED = 20250514
"""Of the benchmark; any other seed makes as many other tasks of the same kinds."""
SIZES: dict[Split, int] = {"train": 180, "validation": 100, "test": 300}


_MANY = ("acts_on_first_order", "wrong_line")
"""Habits that need several orders, reservations or lines."""
TWIST_HABITS: dict[str, tuple[str, ...]] = {
    "old_email": ("gives_up_after_error",),
    "busy": ("gives_up_after_error",),
    "upset": ("transfers_too_early",),
    "corrects": ("skips_confirmation",),
    "second_at_opening": ("forgets_second_request", "loses_state_across_orders"),
    "second_at_close": ("closes_too_early", "loses_state_across_orders"),
}


@dataclass(frozen=True)
class HelpdeskTask:
    """A task with everything in it. Only `task` leaves the benchmark."""

    task: Task
    kind: RequestType
    variant: str
    snapshot: str
    script: Script
    calls: tuple[Call, ...]
    """The gold script's tool calls, without what the customer's being signed in or a busy system changes."""
    busy: bool
    twists: tuple[str, ...]

    @property
    def needs(self) -> tuple[Need, ...]:
        return tuple(need for case in self.script.cases for need in case.said)

    @property
    def habits(self) -> tuple[str, ...]:
        """The habits of weak agents that change the outcome here, by name; for tests and for people."""
        names = [habit for habit in self.kind.exposed(self.variant) if "several" in self.twists or habit not in _MANY]
        names += [habit for twist, habits in TWIST_HABITS.items() if twist in self.twists for habit in habits]
        if "signed_in" not in self.twists:
            names.append("skips_identity_check")
        if any(case.writes for case in self.script.cases):
            names.append("claims_without_doing")
        return tuple(dict.fromkeys(names))

    def gold(self) -> dict[str, dict[str, Row]]:
        """The expected end state, by replaying the gold script's calls."""
        world = World(self.snapshot)
        for step in self.calls:
            call(DESKS[self.kind.domain].tools, world, step.tool, step.arguments)
        return world.tables


@lru_cache(maxsize=2)
def all_tasks(seed: int = GENERATION_SEED) -> dict[str, HelpdeskTask]:
    """Every task by id, in the order of the splits; made once, in about half a second."""
    tasks: dict[str, HelpdeskTask] = {}
    people = Dice(seed, "people").shuffled(range(900))
    for split, size in SIZES.items():
        plan = _plan(seed, split, size)
        twists = draw_twists([(kind, variant) for kind, variant, _ in plan], seed=seed, split=split)
        for (kind, variant, weight), drawn in zip(plan, twists, strict=True):
            number = len(tasks)
            task = _make(seed, split, kind, variant, twists=drawn, weight=weight, number=number, person=people[number])
            tasks[task.task.id] = task
    return tasks


def _plan(seed: int, split: Split, size: int) -> list[tuple[RequestType, str, float]]:
    """Types with their variants for a split: as many tasks as the square root of a type's frequency asks for, at least
    one each, so that rare types are measured too; the weights of a type's tasks add up to the frequency itself."""
    kinds = list(REQUEST_TYPES.values())
    roots = {kind.name: kind.weight**0.5 for kind in kinds}
    share = {name: size * root / sum(roots.values()) for name, root in roots.items()}
    counts = {name: max(1, int(value)) for name, value in share.items()}
    rest = sorted(share, key=lambda name: (int(share[name]) - share[name], name))
    for name in rest[: size - sum(counts.values())]:
        counts[name] += 1
    offset = list(SIZES).index(split)
    plan = [
        (kind, kind.variants[(i + offset) % len(kind.variants)], kind.weight / counts[kind.name])
        for kind in kinds
        for i in range(counts[kind.name])
    ]
    return Dice(seed, "plan", split).shuffled(plan)


def _make(
    seed: int,
    split: Split,
    kind: RequestType,
    variant: str,
    *,
    twists: Twists,
    weight: float,
    number: int,
    person: int,
) -> HelpdeskTask:
    dice = Dice(seed, split, number)
    scene = Scene(dice, person=person, corrects=twists.corrects, several=twists.several)
    cases, second = [kind.build(scene, variant)], _second_kind(scene, kind)
    if twists.second != "none":
        scene.corrects = scene.several = scene.alone = False
        cases.append(second.build(scene, second.variants[0]))
    scene.customer["verified"] = twists.signed_in
    cases = [_known(scene, *pair) for pair in zip(cases, (kind, second), strict=False)]
    script = _script(scene, kind, cases, twists)
    snapshot = World.of(scene.tables)
    busy = twists.busy and bool(cases[0].writes)
    content = (kind.name, variant, snapshot, script.opening, script.identity, [repr(case) for case in cases], busy)
    return HelpdeskTask(
        task=Task(
            id=f"hd-{digest(seed, 'id', number, size=8)}",
            split=split,
            request_type=kind.name,
            weight=round(weight, 6),
            fingerprint=digest(content),
        ),
        kind=kind,
        variant=variant,
        snapshot=snapshot,
        script=script,
        calls=_calls(scene, kind, cases),
        busy=busy,
        twists=twists.names(),
    )


def _second_kind(scene: Scene, first: RequestType) -> RequestType:
    """Another, plainer request of the same customer, about something of its own and with a name of its own."""
    return scene.dice.pick([kind for kind in DESKS[first.domain].types if kind.second and kind.called != first.called])


def _known(scene: Scene, case: Case, kind: RequestType) -> Case:
    """The case with what its customer knows of the world: what it is about, and what a proposal may get wrong."""
    calls = [step.arguments for step in (*case.reads, *case.writes)]
    things = things_of(things_in(scene.tables), scene.tables, calls)
    return replace(case, called=kind.called, things=tuple(things.values()), respects=respects(scene.tables, case))


UPSET = (
    "This is the third time that I'm writing about this.",
    "I'm really annoyed by now.",
    "I have been waiting for an answer for days.",
)
HELLO = ("Hi.", "Hello.", "Good morning.", "Hello there.", "Hi there.")
ALSO = ("Also, {}", "And one more thing: {}", "Besides that, {}")


def _script(scene: Scene, kind: RequestType, cases: Sequence[Case], twists: Twists) -> Script:
    dice, who = scene.dice, scene.customer
    email = f"old.{who['email']}" if twists.old_email else who["email"]
    born = who["birth_date"] if dice.chance(0.5) else spoken_birthday(who["birth_date"])
    identity = {
        "email": scene.pick_text(("My email is {v}.", "The email is {v}.", "You can find me under {v}."), v=email),
        "name": scene.pick_text(("My name is {v}.", "I'm {v}.", "The name is {v}."), v=who["name"]),
        "zip": scene.pick_text(("My zip code is {v}.", "The zip code is {v}.", "Zip code {v}."), v=who["zip"]),
        "birth_date": scene.pick_text(
            ("I was born on {v}.", "My date of birth is {v}.", "Date of birth: {v}."), v=born
        ),
        "phone": f"My phone number is {who['phone']}.",
    }
    parts = [dice.pick(HELLO)]
    if twists.upset:
        parts.append(dice.pick(UPSET))
    parts.append(cases[0].opening)
    if twists.second == "opening":
        parts.append(dice.pick(ALSO).format(cases[1].later))
    if dice.chance(0.4):
        parts.append(identity["email"])
    return Script(
        opening=" ".join(parts),
        identity=identity,
        verification="zip" if kind.domain == "retail" else "birth_date",
        cases=tuple(cases),
        second=twists.second,
        voice=digest(GENERATION_SEED, who["customer_id"], who["email"]),
        things=tuple(things_in(scene.tables).values()),
    )


def _calls(scene: Scene, kind: RequestType, cases: Sequence[Case]) -> tuple[Call, ...]:
    who = scene.customer
    proof = "zip" if kind.domain == "retail" else "birth_date"
    start = (
        Call("find_customer", {"name": who["name"], "zip": who["zip"]}),
        Call("verify_customer", {"customer_id": who["customer_id"], proof: who[proof]}),
        Call("get_customer", {"customer_id": who["customer_id"]}),
    )
    return (*start, *(call for case in cases for call in (*case.reads, *case.writes)))
