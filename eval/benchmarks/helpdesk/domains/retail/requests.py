"""Retail: orders that are cancelled, returned, exchanged, modified, redirected, asked about."""

from __future__ import annotations

from sigmaloop.eval.benchmarks.helpdesk.domains.retail.tools import order_total
from sigmaloop.eval.benchmarks.helpdesk.domains.retail.world import fresh_names, place_order, target_order
from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case, RequestType, amount, day, phrase
from sigmaloop.eval.benchmarks.helpdesk.scene import Scene, pay_words, place_text, spoken_day
from sigmaloop.eval.benchmarks.helpdesk.world import Row, money

REASONS = {
    "no_longer_needed": ("I don't need it any more.", "I no longer need it."),
    "ordered_by_mistake": ("I ordered it by mistake.", "It was a mistake, I clicked the wrong button."),
    "found_cheaper": ("I found it cheaper elsewhere.", "Another shop has it for a lower price."),
    "arrives_too_late": ("It would arrive too late for me.", "It takes too long to arrive."),
}
TIMING = phrase("5 to 7 business days", "5-7 business days", "5 to 7 working days", "5-7 working days", "5 to 7 days")
AT_ONCE = phrase("immediately", "right away", "instantly", "at once", "straight away")


NUMBERED = ("It's order {number}.", "The order number is {number}.", "That would be order {number}.")
UNNUMBERED = (
    "I don't have the number at hand, but it's the order with the {item}.",
    "It's the order with the {item}; I can't find the number right now.",
    "Sorry, I don't know the number. It's the one with the {item}.",
)
ORIGINAL = (
    "Back to the original payment method, please.",
    "To the payment method that I used for the order, please.",
    "The original payment method, please.",
)


def _which(scene: Scene, order: Row, item: str, style: str) -> tuple[str, str]:
    """How the customer calls an order in passing, and what it answers when asked which one."""
    number = order["order_id"].removeprefix("or_")
    known = style == "number" or (style == "vague" and scene.dice.chance(0.4))
    answer = scene.pick_text(NUMBERED if known else UNNUMBERED, number=number, item=item)
    called = {"number": f"order {number}", "item": f"my order with the {item}", "vague": "one of my orders"}
    return called[style], answer


def _styled(scene: Scene, variant: str) -> str:
    """Descriptions where there are several, else as the variant says."""
    if variant in ("number", "item") or (variant == "vague" and scene.alone):
        return variant
    return "item" if scene.several else scene.dice.pick(("number", "item"))


def _case(scene: Scene, openings: tuple[str, ...], later: str, **rest: object) -> Case:
    return Case(opening=scene.dice.pick(openings), later=later, **rest)  # type: ignore[arg-type]


def _read(*orders: Row) -> tuple[Call, ...]:
    return tuple(Call("get_order", {"order_id": order["order_id"]}) for order in orders)


def cancel_pending_order(scene: Scene, variant: str) -> Case:
    order = target_order(scene, "pending", scene.dice.number(1, 2))
    item = order["items"][0]["name"]
    which, answer = _which(scene, order, item, _styled(scene, variant))
    reason = scene.dice.pick(("no_longer_needed", "ordered_by_mistake", "found_cheaper", "arrives_too_late"))
    facts = {"which": answer, "item": f"The {item}.", "reason": scene.dice.pick(REASONS[reason])}
    correction = ""
    if scene.corrects:
        reason = "found_cheaper" if reason == "ordered_by_mistake" else "ordered_by_mistake"
        put = {"found_cheaper": "that I found it cheaper elsewhere", "ordered_by_mistake": "that it was a mistake"}
        correction = f"Yes, but please put down as the reason {put[reason]}."
    refund = order_total(order)
    return _case(
        scene,
        (f"I'd like to cancel {which}.", f"Please cancel {which}.", f"I want {which} to be cancelled."),
        f"I'd like to cancel {which}.",
        topic=r"cancel",
        facts={**facts, "payment": scene.dice.pick(ORIGINAL)},
        reads=_read(order),
        writes=(Call("cancel_order", {"order_id": order["order_id"], "reason": reason}),),
        said=(amount(refund),),
        confirm=f"I would cancel this order and refund ${refund:.2f}. Shall I go ahead?",
        tell=f"The order is cancelled and ${refund:.2f} will be refunded.",
        correction=correction,
    )


def return_item(scene: Scene, variant: str) -> Case:
    order = target_order(scene, "delivered", 3)
    item = scene.dice.pick(order["items"])
    which, answer = _which(scene, order, item["name"], _styled(scene, variant))
    gift = variant == "gift_card"
    target = scene.methods("gift_card")[0]["payment_method_id"] if gift else order["payment_method_id"]
    pay = scene.pick_text(GIFT) if gift else scene.dice.pick(ORIGINAL)
    correction = ""
    if scene.corrects and not gift:
        gift, target = True, scene.methods("gift_card")[0]["payment_method_id"]
        correction = "Yes, but please refund it to my gift card instead."
    source = f" from {which}" if which.startswith("order") else ""
    wish = f"return the {item['name']}{source}"
    onto = " and get the money on my gift card" if variant == "gift_card" else ""
    when = "immediately" if gift else "within 5 to 7 business days"
    return _case(
        scene,
        (f"I'd like to {wish}{onto}.", f"I want to {wish}{onto}.", f"Can I {wish}{onto}?"),
        f"I'd like to {wish}{onto}.",
        topic=r"return",
        facts={
            "which": answer,
            "item": f"Only the {item['name']}.",
            "payment": pay,
            "reason": scene.dice.pick(("It's not what I expected.", "I just don't like it.")),
        },
        reads=_read(order),
        writes=(_return(order, item, target),),
        said=(amount(item["price"]), AT_ONCE if gift else TIMING),
        confirm=f"I would start the return of the {item['name']}. Shall I go ahead?",
        tell=f"The return is started; ${item['price']:.2f} will be refunded {when}.",
        correction=correction,
    )


GIFT = ("On my gift card, please.", "Please put it on my gift card.", "To the gift card, please.")


def _return(order: Row, item: Row, method: str) -> Call:
    arguments = {"order_id": order["order_id"], "item_ids": [item["item_id"]], "payment_method_id": method}
    return Call("return_items", arguments)


def refund_to_gift_card(scene: Scene, variant: str) -> Case:
    return return_item(scene, "gift_card")


def return_from_two_orders(scene: Scene, variant: str) -> Case:
    first, second = target_order(scene, "delivered", 2), place_order(scene, "delivered", fresh_names(scene, 2))
    methods = [m["payment_method_id"] for m in scene.methods() if m["kind"] != "gift_card"]
    first["payment_method_id"], second["payment_method_id"] = scene.dice.take(methods, 2)
    items = [scene.dice.pick(order["items"]) for order in (first, second)]
    one, two = items[0]["name"], items[1]["name"]
    numbers = [order["order_id"].removeprefix("or_") for order in (first, second)]
    known = scene.dice.chance(0.4)
    answer = (
        f"They are orders {numbers[0]} and {numbers[1]}."
        if known
        else f"I don't have the numbers, but one is the order with the {one} and the other the one with the {two}."
    )
    return _case(
        scene,
        (
            f"I'd like to return two things from different orders: the {one} and the {two}.",
            f"I want to return the {one}, and from another order the {two}.",
        ),
        f"I'd like to return the {one}, and from another order the {two}.",
        topic=r"return",
        facts={
            "which": answer,
            "item": f"The {one} from the one order and the {two} from the other.",
            "payment": "Each to its original payment method, please.",
            "reason": "They are not what I expected.",
        },
        reads=_read(first, second),
        writes=tuple(
            _return(order, item, order["payment_method_id"]) for order, item in zip((first, second), items, strict=True)
        ),
        said=(*(amount(item["price"]) for item in items), TIMING),
        confirm=f"I would return the {one} and the {two}. Shall I go ahead?",
        tell="Both returns are started; "
        + " and ".join(f"${item['price']:.2f}" for item in items)
        + " will be refunded within 5 to 7 business days.",
    )


def _wish(scene: Scene, item: Row, *, soldout: bool) -> tuple[Row, Row | None, str]:
    """A variant that the customer wants, the sold-out one that it would like more, and the words for it."""
    product = scene.tables["products"][item["product_id"]]
    option = next(key for key in item["options"] if key != "color")
    others = [
        v for v in product["variants"] if v["sku"] != item["sku"] and v["options"]["color"] != item["options"]["color"]
    ]
    wanted = scene.dice.pick(others)
    color, value = wanted["options"]["color"], wanted["options"][option]
    if not soldout:
        if value == item["options"][option]:
            return wanted, None, f"the {color} one with the same {option}"
        words = (f"the {color} one, {option} {value}", f"color {color}, {option} {value}")
        return wanted, None, scene.dice.pick(words)
    missing = (
        next(v for v in others if v["options"]["color"] != color and v["options"][option] == value)
        if len({v["options"]["color"] for v in others}) > 1
        else None
    )
    if missing is None:
        return wanted, None, f"the {color} one, {option} {value}"
    missing["available"] = False
    first = missing["options"]["color"]
    return wanted, missing, f"the {first} one, {option} {value}, or {color} if {first} is not available"


def _swap(scene: Scene, variant: str, *, status: str, tool: str, verb: str) -> Case:
    """Exchange and modification: the same procedure on delivered and on pending orders."""
    order = target_order(scene, status, 3 if variant == "two_items" else 2)
    items = order["items"][: 2 if variant == "two_items" else 1]
    which, answer = _which(scene, order, items[0]["name"], _styled(scene, "style"))
    wishes = [_wish(scene, item, soldout=variant == "out_of_stock") for item in items]
    wanted = [wish[0] for wish in wishes]
    listed = " and ".join(f"for the {item['name']} {wish[2]}" for item, wish in zip(items, wishes, strict=True))
    correction = ""
    if scene.corrects and variant == "plain":
        wanted[0], correction = _other_value(scene, items[0], wanted[0])
    method = scene.method()
    difference = money(sum(v["price"] - item["price"] for v, item in zip(wanted, items, strict=True)))
    names = " and the ".join(item["name"] for item in items)
    source = f" of {which}" if which.startswith("order") else ""
    short = verb == "exchange" and scene.dice.chance(0.4) and len(items) == 1
    wish = f"{verb} the {names}{source}" if short else f"{verb} the {names}{source}: {listed}"
    return _case(
        scene,
        (f"I'd like to {wish}.", f"I want to {wish}.", f"I need to {wish}."),
        f"I'd like to {wish}.",
        topic=r"exchang|swap|modif|chang\w+ (?:the )?item",
        facts={
            "which": answer,
            "item": f"The {names}.",
            "variant": f"I'd like {listed}.",
            "payment": f"Please use {pay_words(method)} for the difference.",
            "reason": "I just prefer the other one.",
        },
        reads=(*_read(order), *(Call("list_variants", {"product_id": i["product_id"]}) for i in items)),
        writes=(
            Call(
                tool,
                {
                    "order_id": order["order_id"],
                    "item_ids": [item["item_id"] for item in items],
                    "new_skus": [v["sku"] for v in wanted],
                    "payment_method_id": method["payment_method_id"],
                },
            ),
        ),
        said=(amount(difference),),
        confirm=f"The price difference is ${abs(difference):.2f}. Shall I go ahead?",
        tell=f"This is done; the price difference is ${abs(difference):.2f}.",
        correction=correction,
    )


def _other_value(scene: Scene, item: Row, wanted: Row) -> tuple[Row, str]:
    """Another variant of the same color, and the words that ask for it at confirmation."""
    variants = scene.tables["products"][item["product_id"]]["variants"]
    option = next(key for key in wanted["options"] if key != "color")
    same = [v for v in variants if v["options"]["color"] == wanted["options"]["color"] and v["sku"] != wanted["sku"]]
    chosen = scene.dice.pick(same)
    return chosen, f"Yes, but please make it {option} {chosen['options'][option]}."


def exchange_item(scene: Scene, variant: str) -> Case:
    return _swap(scene, variant, status="delivered", tool="exchange_items", verb="exchange")


def modify_pending_item(scene: Scene, variant: str) -> Case:
    return _swap(scene, variant, status="pending", tool="modify_items", verb="change")


def change_order_address(scene: Scene, variant: str) -> Case:
    order = target_order(scene, "pending", scene.dice.number(1, 2))
    item = order["items"][0]["name"]
    which, answer = _which(scene, order, item, _styled(scene, variant))
    place = scene.address(unit=True)
    sentence = f"The new address is {place_text(place)}."
    correction = ""
    if scene.corrects:
        place = {**place, "line2": f"Apt {scene.dice.number(50, 98)}"}
        correction = f"Yes, but the apartment is {place['line2'].removeprefix('Apt ')}, I mixed that up."
    return _case(
        scene,
        (f"I need {which} sent to a different address.", f"I'd like to change the delivery address of {which}."),
        f"I'd like to change the delivery address of {which}.",
        topic=r"address|deliver",
        facts={"which": answer, "item": f"The {item}.", "address": sentence, "reason": "I'll be staying there."},
        reads=_read(order),
        writes=(Call("change_order_address", {"order_id": order["order_id"], **place}),),
        confirm="I would change the delivery address. Shall I go ahead?",
        tell="The delivery address is changed.",
        correction=correction,
    )


def update_profile_address(scene: Scene, variant: str) -> Case:
    place = scene.address(unit=True)
    writes = [Call("update_profile_address", {"customer_id": scene.customer_id, **place})]
    facts = {"address": f"The new address is {place_text(place)}.", "reason": "I have moved."}
    extra, reads = "", _read()
    if variant == "also_order":
        order = target_order(scene, "pending", 1)
        item = order["items"][0]["name"]
        writes.append(Call("change_order_address", {"order_id": order["order_id"], **place}))
        extra, reads = f", and my order with the {item} should go to the new address too", _read(order)
        facts |= {"which": scene.pick_text(UNNUMBERED, item=item), "item": f"The {item}."}
    elif scene.several:
        place_order(scene, "pending", fresh_names(scene, 1))
        facts["which"] = "No, only the address in my profile; the orders can stay as they are."
    return _case(
        scene,
        (
            f"I have moved, please update the address in my profile{extra}.",
            f"I need a new address in my profile{extra}.",
        ),
        f"I'd like to update the address in my profile{extra}.",
        topic=r"address|profile",
        facts=facts,
        reads=reads,
        writes=tuple(writes),
        confirm="I would save the new address. Shall I go ahead?",
        tell="The new address is saved.",
    )


def order_status(scene: Scene, variant: str) -> Case:
    order = target_order(scene, scene.dice.pick(("shipped", "pending")), scene.dice.number(1, 2))
    item = order["items"][0]["name"]
    which, answer = _which(scene, order, item, _styled(scene, variant))
    return _case(
        scene,
        (
            f"When will {which} arrive, and who delivers it?",
            f"I'd like to know when {which} arrives and with which carrier.",
        ),
        f"I'd like to know when {which} arrives and with which carrier.",
        topic=r"arriv|deliver|status|track",
        facts={"which": answer, "item": f"The {item}."},
        reads=_read(order),
        said=(day(order["expected_on"]), phrase(order["carrier"].lower())),
        tell=f"It is expected on {spoken_day(order['expected_on'])} with {order['carrier']}.",
    )


def cancel_shipped_refused(scene: Scene, variant: str) -> Case:
    order = target_order(scene, "shipped", scene.dice.number(1, 2))
    item = order["items"][0]["name"]
    which, answer = _which(scene, order, item, _styled(scene, variant))
    return _case(
        scene,
        (f"I'd like to cancel {which}.", f"Please cancel {which}, I don't want it any more."),
        f"I'd like to cancel {which}.",
        topic=r"cancel",
        facts={"which": answer, "item": f"The {item}.", "reason": "I don't need it any more."},
        reads=_read(order),
        said=(phrase("30 days", "30-day", "30 day"),),
        tell="I am sorry, a shipped order cannot be cancelled; you can return it within 30 days after delivery.",
        insists=scene.dice.pick(
            (
                ("But it isn't even here yet. Can't you just cancel it?",),
                ("Please, can't you make an exception? I really don't want it.", "Are you sure? Just stop the parcel."),
            )
        ),
    )


def order_total_question(scene: Scene, variant: str) -> Case:
    order = target_order(scene, scene.dice.pick(("pending", "delivered")), scene.dice.number(2, 3))
    item = order["items"][0]["name"]
    which, answer = _which(scene, order, item, _styled(scene, variant))
    orders = [order]
    if variant == "two_orders":
        orders.append(place_order(scene, order["status"], fresh_names(scene, 2)))
        second = orders[1]["items"][0]["name"]
        which = f"my order with the {item} and my order with the {second} together"
        answer = f"The one with the {item} and the one with the {second}; I don't have the numbers."
    total = money(sum(order_total(row) for row in orders))
    return _case(
        scene,
        (
            f"How much did I pay in total for {which}, with shipping and discount?",
            f"I'd like to know what I paid altogether for {which}, including shipping and discount.",
        ),
        f"I'd like to know what I paid in total for {which}, with shipping and discount.",
        topic=r"total|sum|paid|cost",
        facts={"which": answer, "item": f"The {item}."},
        reads=_read(*orders),
        said=(amount(total),),
        tell=f"The total is ${total:.2f}.",
    )


_SUBJECTS = ("item", "number", "vague")
_FIND = ("acts_on_first_order",)

RETAIL_TYPES: tuple[RequestType, ...] = (
    RequestType(
        "return_item", "retail", 10.0, return_item, called="the return", corrects=True, write="return_items",
        habits={"": ("returns_whole_order", "wrong_payment_method", "omits_refund_timing", "omits_amount", *_FIND)},
    ),
    RequestType(
        "cancel_pending_order", "retail", 8.0, cancel_pending_order, _SUBJECTS,
        called="the cancellation", corrects=True, write="cancel_order",
        habits={"": ("guesses_cancel_reason", "omits_amount", *_FIND)},
    ),
    RequestType(
        "exchange_item", "retail", 6.0, exchange_item, ("plain", "two_items", "out_of_stock"), called="the exchange",
        corrects=True, write="exchange_items",
        habits={
            "": ("wrong_variant", "wrong_payment_method", *_FIND),
            "two_items": ("splits_exchange",),
            "out_of_stock": ("picks_unavailable_variant",),
        },
    ),
    RequestType("order_status", "retail", 5.0, order_status, _SUBJECTS, called="the delivery", habits={"": _FIND}),
    RequestType(
        "modify_pending_item", "retail", 4.0, modify_pending_item, ("plain", "out_of_stock"),
        called="the change of the item",
        corrects=True, write="modify_items",
        habits={"": ("wrong_variant", "omits_amount", *_FIND), "out_of_stock": ("picks_unavailable_variant",)},
    ),
    RequestType(
        "change_order_address", "retail", 3.5, change_order_address, _SUBJECTS, called="the delivery address",
        corrects=True, write="change_order_address", habits={"": ("drops_address_line", *_FIND)},
    ),
    RequestType(
        "return_from_two_orders", "retail", 3.0, return_from_two_orders,
        called="the returns", second=False, write="return_items",
        habits={"": ("loses_state_across_orders", "forgets_second_request", "wrong_payment_method", "omits_amount")},
    ),
    RequestType(
        "refund_to_gift_card", "retail", 2.5, refund_to_gift_card, called="the return", write="return_items",
        habits={"": ("wrong_payment_method", "omits_refund_timing", "returns_whole_order", *_FIND)},
    ),
    RequestType(
        "cancel_shipped_refused", "retail", 2.0, cancel_shipped_refused, called="the cancellation", second=False,
        habits={"": ("ignores_policy_limit", *_FIND)},
    ),
    RequestType(
        "order_total_question", "retail", 1.8, order_total_question, ("plain", "two_orders"), called="the total",
        habits={"": ("sums_wrong", *_FIND)},
    ),
    RequestType(
        "update_profile_address", "retail", 1.5, update_profile_address, ("plain", "also_order"), called="my profile",
        write="update_profile_address",
        habits={"": ("drops_address_line",), "also_order": ("forgets_second_request",)},
    ),
)  # fmt: skip
