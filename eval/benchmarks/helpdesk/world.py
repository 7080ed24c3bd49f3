"""The small database behind one task: a handful of rows that the tools read and change.

A world is plain JSON (tables of rows by id), so that opening an episode is one `json.loads` and comparing two
end states is one comparison. `COLUMNS` says what a row of each table holds; a test checks every world.
"""

from __future__ import annotations

import json

from sigmaloop.records import JsonObject

TODAY = "2025-05-14"
"""The day on which every conversation takes place, a Wednesday; the policies say so too."""

Row = JsonObject
"""A row of a table: `COLUMNS` says what it holds."""

COLUMNS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "customers": {
        "customer_id": str, "name": str, "email": str, "phone": str, "birth_date": str,
        "line1": str, "line2": str, "city": str, "state": str, "zip": str,
        "verified": bool, "payment_methods": list,
    },
    "products": {"product_id": str, "name": str, "variants": list},
    "orders": {
        "order_id": str, "customer_id": str, "status": str, "ordered_on": str, "expected_on": str,
        "carrier": str, "payment_method_id": str, "shipping_fee": float, "discount": float,
        "line1": str, "line2": str, "city": str, "state": str, "zip": str, "items": list,
    },
    "flights": {
        "flight_id": str, "number": str, "origin": str, "destination": str, "date": str, "departs": str,
        "arrives": str, "status": str, "delay_minutes": int, "economy_price": float, "economy_seats": int,
        "business_price": float, "business_seats": int,
    },
    "reservations": {
        "reservation_id": str, "customer_id": str, "status": str, "booked_on": str, "cabin": str,
        "passengers": list, "segments": list, "insured_legs": list, "bags": int, "paid_bags": int,
        "payment_method_id": str, "refunds": list,
    },
    "vouchers": {"voucher_id": str, "customer_id": str, "reservation_id": str, "amount": float},
    "plans": {"plan_id": str, "name": str, "network": str, "monthly_fee": float, "data_gb": int, "gb_price": float},
    "lines": {
        "line_id": str, "customer_id": str, "number": str, "user": str, "plan_id": str, "status": str,
        "suspended_for": str, "data_used_gb": float, "data_limit_gb": int, "roaming": bool, "apn": str,
        "radio": str, "resets": int, "apn_resets": int, "sim_replacements": int, "contract_until": str,
    },
    "bills": {
        "bill_id": str, "customer_id": str, "line_id": str, "month": str, "amount": float, "status": str,
        "paid_with": str, "charges": list,
    },
    "transfers": {"transfer_id": str},
}  # fmt: skip


class Refused(Exception):
    """A tool call that cannot be done; the text tells the agent why."""


class World:
    """The tables of one episode. Tools change it in place; nothing is shared between two episodes."""

    def __init__(self, snapshot: str) -> None:
        self.tables: dict[str, dict[str, Row]] = json.loads(snapshot)

    def table(self, name: str) -> dict[str, Row]:
        return self.tables.setdefault(name, {})

    def find(self, table: str, row_id: str) -> Row:
        """The row with this id, or Refused."""
        row = self.table(table).get(row_id)
        if row is None:
            raise Refused(f"there is no {table.rstrip('s')} {row_id}")
        return row

    def owned(self, table: str, customer_id: str) -> list[Row]:
        """A customer's rows of a table, in the order in which they were made."""
        return [row for row in self.table(table).values() if row["customer_id"] == customer_id]

    def add(self, table: str, row_id: str, row: Row) -> Row:
        self.table(table)[row_id] = row
        return row

    @staticmethod
    def of(tables: dict[str, dict[str, Row]]) -> str:
        """Tables as the text from which worlds are made; the order of the rows is kept."""
        return json.dumps(tables)


def money(amount: float) -> float:
    """Dollars, rounded to cents: the only way in which amounts are made, so that equal amounts are equal."""
    return round(amount + 0.0, 2) + 0.0
