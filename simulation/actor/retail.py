"""How the simulated model serves customers of the shop."""

from __future__ import annotations

import re

from sigmaloop.simulation.actor import understanding as read
from sigmaloop.simulation.actor.desk import Desk, Request, dollars, listing
from sigmaloop.simulation.actor.dialogue import Refusal, Unclear
from sigmaloop.simulation.messages import JsonObject

_COLORS = r"\b(black|white|red|blue|green|gr[ae]y|yellow|orange|purple|brown|pink|silver|gold|beige)\b"


class Retail:
    """Procedures of the shop, one per kind of request."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.d = desk, desk.d

    def handle(self, request: Request) -> None:
        text = request.texts[-1]
        for pattern, topic, procedure in (
            (r"\bprofile\b|have moved", "your profile", self.update_profile),
            (r"different address|delivery address|new address", "the delivery", self.change_address),
            (r"different orders|from another order", "the return", self.return_from_two),
            (r"\breturn|send .* back", "the return", self.return_items),
            (r"exchange|\bchange the\b|swap|modify", "the exchange", self.swap),
            (r"cancel", "the cancellation", self.cancel),
            (r"how much|total|altogether|did i pay|i paid", "the total", self.total),
            (r"arrive|deliver|carrier|status|where is", "the delivery", self.status),
        ):
            if re.search(pattern, text, re.I):
                request.topic = topic
                return procedure(request)
        raise Unclear("I am sorry, I did not understand what I can do for you.")

    # finding

    def orders(self) -> list[str]:
        return [str(order) for order in self.desk.customer.get("order_ids") or []]

    def get(self, order_id: str) -> JsonObject:
        return self.d.look_up("get_order", order_id=order_id) or {}

    def by_number(self, number: str) -> JsonObject:
        """An order by its number; the habit omits the prefix and does not correct it."""
        if self.d.strikes("malformed_arguments"):
            self.d.look_up("get_order", order_id=number)
            raise Refusal(f"I am sorry, I cannot find an order {number}.")
        return self.get(f"or_{number}")

    def find(self, request: Request) -> JsonObject:
        """The order that is meant."""
        order = self._seen(request) or self._find(request, self.orders())
        if request.number > 1 and self.desk.before and self.d.strikes("loses_state_across_orders"):
            return {**order, "order_id": self.desk.before["order_id"]}
        self.desk.before = self.desk.before or order
        return order

    def _seen(self, request: Request) -> JsonObject | None:
        def fits(order: JsonObject) -> bool:
            return str(order.get("order_id"))[3:] in request.text or bool(self.items(order, request))

        return self.desk.seen("items", request, fits)

    def _find(self, request: Request, ids: list[str]) -> JsonObject:
        if not ids:
            raise Refusal("I am sorry, there is no order on your account.")
        for attempt in range(2):
            number = re.search(r"\borders?\b\D{0,20}\b(\d{5})\b", request.text, re.I)
            if number:
                return self.by_number(number.group(1))
            if len(ids) > 1 and self.d.strikes("acts_on_first_order"):
                return self.get(ids[0])
            orders = [order for order in map(self.get, ids) if self.items(order, request)]
            if orders or len(ids) == 1:
                return orders[0] if orders else self.get(ids[0])
            if attempt == 0:
                self.desk.ask(request, "which", "Which order is it? Please tell me its number or what is in it.")
        return self.get(ids[0])

    def items(self, order: JsonObject, request: Request) -> list[JsonObject]:
        """Items of the order that the customer names."""
        items = order.get("items") or []
        return [item for item in items if read.mentioned([item["name"]], request.text)]

    # procedures

    def cancel(self, request: Request) -> None:
        order = self.find(request)

        def build() -> tuple[str, JsonObject]:
            reason = read.cancel_reason(request.texts) or "no_longer_needed"
            return "cancel_order", {"order_id": order["order_id"], "reason": reason}

        def forbidden() -> None:
            self.desk.commit(request, "cancel", build)

        if order.get("status") != "pending":
            why = "a shipped order cannot be cancelled; you can return it within 30 days after delivery."
            return self.desk.refuse(request, why, forbidden)
        if not self.d.strikes("guesses_cancel_reason"):
            self.desk.ask(request, "reason", "May I ask for the reason of the cancellation?")
        names = listing([item["name"] for item in order["items"]])
        result = self.desk.commit(request, "cancel", build, summary=f"I would cancel the order with {names}.")
        total = order_total(order)
        self.desk.tell(lambda: self.money(result, f"The order is cancelled and {dollars(total)} will be refunded."))
        return None

    def money(self, result: JsonObject, words: str) -> str:
        """The words, or fewer that leave the amount out when the habit strikes."""
        return "This is done." if self.d.strikes("omits_amount") else words

    def timing(self, method_id: str) -> str:
        """When a refund arrives."""
        if self.d.strikes("omits_refund_timing"):
            return ""
        lost = self.d.gap and not self.d.records("payment_methods")
        methods = [] if lost else self.desk.customer.get("payment_methods") or []
        gift = any(m["payment_method_id"] == method_id and m["kind"] == "gift_card" for m in methods)
        return "You have it immediately." if gift else "This takes 5 to 7 business days."

    def return_items(self, request: Request) -> None:
        order = self.find(request)
        items = self.items(order, request)
        if not items:
            self.desk.ask(request, "item", "Which item would you like to return?")
            items = self.items(order, request) or order["items"][:1]
        if self.d.strikes("returns_whole_order"):
            items = order["items"]
        self.desk.ask(request, "payment", "To which payment method should the refund go?")

        def build() -> tuple[str, JsonObject]:
            method = self.desk.method(request, original=order["payment_method_id"])
            ids = [item["item_id"] for item in items]
            return "return_items", {"order_id": order["order_id"], "item_ids": ids, "payment_method_id": method}

        names = listing([item["name"] for item in items])
        self.desk.commit(request, "return", build, summary=f"I would start the return of {names}.")
        refund, method = sum(item["price"] for item in items), build()[1]["payment_method_id"]
        words = f"The return is started; {dollars(refund)} will be refunded."
        self.desk.tell(lambda: f"{self.money({}, words)} {self.timing(method)}".strip())

    def return_from_two(self, request: Request) -> None:
        self.desk.ask(request, "payment", "To which payment method should the refunds go?")
        found = [(item, order) for order in map(self.get, self.orders()) for item in self.items(order, request)]
        wanted = read.mentioned([item["name"] for item, _ in found], request.texts[-1])
        found.sort(key=lambda pair: wanted.index(pair[0]["name"]) if pair[0]["name"] in wanted else 9)
        if self.d.strikes("forgets_second_request"):
            found = found[:1]
        if not found:
            raise Refusal("I am sorry, I cannot find these items.")
        names = listing([item["name"] for item, _ in found])
        for number, (item, order) in enumerate(found):
            wrong = number > 0 and self.d.strikes("loses_state_across_orders")
            source = found[0][1] if wrong else order

            def build(item: JsonObject = item, source: JsonObject = source) -> tuple[str, JsonObject]:
                method = self.desk.method(request, original=source["payment_method_id"])
                arguments = {"order_id": source["order_id"], "item_ids": [item["item_id"]]}
                return "return_items", {**arguments, "payment_method_id": method}

            self.desk.commit(request, item["name"], build, summary=f"I would start the return of {names}.")
        sums = listing([dollars(item["price"]) for item, _ in found])
        method = found[0][1]["payment_method_id"]
        words = f"Both returns are started; {sums} will be refunded."
        self.desk.tell(lambda: f"{self.money({}, words)} {self.timing(method)}".strip())

    def swap(self, request: Request) -> None:
        order = self.find(request)
        items = self.items(order, request) or order["items"][:1]
        tool = "modify_items" if order.get("status") == "pending" else "exchange_items"
        if not re.search(_COLORS, request.text, re.I):
            self.desk.ask(request, "variant", "Which variant would you like instead, with which options?")
        self.desk.ask(request, "payment", "Which payment method should I use for the price difference?")
        products = {item["item_id"]: self.variants(item) for item in items}

        def chosen() -> list[JsonObject]:
            return [self.choose(request, item, products[item["item_id"]]) for item in items]

        def build(part: slice = slice(None)) -> tuple[str, JsonObject]:
            return tool, {
                "order_id": order["order_id"],
                "item_ids": [item["item_id"] for item in items[part]],
                "new_skus": [variant["sku"] for variant in chosen()[part]],
                "payment_method_id": self.desk.method(request, ask="?"),
            }

        summary = f"I would change {listing([i['name'] for i in items])} to the variant that you asked for."
        if len(items) > 1 and self.d.strikes("splits_exchange"):
            self.desk.commit(request, "first", lambda: build(slice(0, 1)), summary=summary)
            self.desk.commit(request, "second", lambda: build(slice(1, None)), summary=summary)
        else:
            self.desk.commit(request, "swap", build, summary=summary)
        difference = sum(v["price"] - item["price"] for v, item in zip(chosen(), items, strict=True))
        words = f"This is done; the price difference is {dollars(difference)}."
        self.desk.tell(lambda: self.money({}, words))

    def variants(self, item: JsonObject) -> list[JsonObject]:
        return list((self.d.look_up("list_variants", product_id=item["product_id"]) or {}).get("variants") or [])

    def choose(self, request: Request, item: JsonObject, variants: list[JsonObject]) -> JsonObject:
        """The variant that the customer describes; habits ignore some of its options."""
        option = next((key for key in item["options"] if key != "color"), "")
        values = {str(v["options"].get(option)) for v in variants}
        colors: list[str] = []
        value = ""
        for text in request.texts:
            part = _part(text, item["name"])
            colors = colors or [c.lower() for c in re.findall(_COLORS, part, re.I)]
            named = [
                v for v in sorted(values, key=len, reverse=True) if re.search(rf"{option} {re.escape(v)}\b", part, re.I)
            ]
            same = [str(item["options"].get(option))] if f"same {option}" in part else []
            value = value or next(iter([*named, *same]), "")
        colors = colors or [str(item["options"].get("color"))]
        value = value or str(item["options"].get(option))
        if self.d.strikes("wrong_variant"):
            near = [v for v in variants if v["options"].get("color") == colors[0] and v["options"].get(option) != value]
            return (near or variants)[0]
        fitting = [v for c in colors for v in variants if v["options"] == {"color": c, option: value}]
        if not self.d.strikes("picks_unavailable_variant"):
            fitting = [v for v in fitting if v["available"]] or fitting
        return (fitting or variants)[0]

    def change_address(self, request: Request) -> None:
        order = self.find(request)
        self.desk.ask(request, "address", "What is the new address?")
        summary = "I would change the delivery address."
        self.desk.commit(request, "address", lambda: self._addressed(request, order), summary=summary)
        self.desk.tell(lambda: "The delivery address is changed.")

    def _addressed(self, request: Request, order: JsonObject | None) -> tuple[str, JsonObject]:
        place = read.address(request.texts)
        if not place.get("line2") or self.d.strikes("drops_address_line"):
            place.pop("line2", None)
        if order is None:
            return "update_profile_address", {"customer_id": self.desk.customer["customer_id"], **place}
        return "change_order_address", {"order_id": order["order_id"], **place}

    def update_profile(self, request: Request) -> None:
        self.desk.ask(request, "address", "What is the new address?")
        summary = "I would save the new address in your profile."
        self.desk.commit(request, "profile", lambda: self._addressed(request, None), summary=summary)
        if re.search(r"\border\b", request.texts[-1], re.I) and not self.d.strikes("forgets_second_request"):
            order = self.find(request)
            self.desk.commit(request, "order", lambda: self._addressed(request, order), summary=summary)
        self.desk.tell(lambda: "The new address is saved.")

    def status(self, request: Request) -> None:
        order = self.find(request)
        day = order.get("expected_on", "")
        words = f"It is expected on {read.spoken_day(day)} ({day}) with {order.get('carrier')}."
        self.desk.tell(lambda: words)

    def total(self, request: Request) -> None:
        if "together" in request.text and len(self.orders()) > 1:
            orders = [order for order in map(self.get, self.orders()) if self.items(order, request)]
        else:
            orders = [self.find(request)]
        self.desk.tell(lambda: f"The total is {dollars(sum(self._sum(order) for order in orders))}.")

    def _sum(self, order: JsonObject) -> float:
        if self.d.strikes("sums_wrong"):
            return float(sum(item["price"] for item in order.get("items") or []))
        return order_total(order)


def order_total(order: JsonObject) -> float:
    items = sum(item["price"] for item in order.get("items") or [])
    return float(items + order.get("shipping_fee", 0.0) - order.get("discount", 0.0))


def _part(text: str, name: str) -> str:
    """What a text says for one of several items."""
    found = re.search(rf"for the {re.escape(name)}\b(.*?)(?:\band for the\b|$)", text, re.I | re.S)
    return found.group(1) if found else "" if "for the " in text else text
