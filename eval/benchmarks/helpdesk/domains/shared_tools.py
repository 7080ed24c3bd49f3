"""The four tools that every domain has: find, verify and read a customer, and hand over to a person."""

from __future__ import annotations

from sigmaloop.eval.benchmarks.helpdesk.tools import Param, Tool
from sigmaloop.eval.benchmarks.helpdesk.world import Refused, Row, World
from sigmaloop.records import JsonObject

CUSTOMER = Param("The customer's id, such as cu_48213.", like="cu_48213")
PAYMENT = Param("Id of one of the customer's payment methods, such as pm_4821.", like="pm_4821")
DAY = r"\d{4}-\d{2}-\d{2}"

ADDRESS = {
    "line1": Param("Street and number."),
    "line2": Param("Apartment, unit or floor, if there is one.", required=False),
    "city": Param("City."),
    "state": Param("Two-letter state.", pattern=r"[A-Za-z]{2}", form="a two-letter state such as OH"),
    "zip": Param("Five-digit zip code.", pattern=r"\d{5}", form="a five-digit zip code"),
}


def find_customer(world: World, email: str = "", phone: str = "", name: str = "", zip: str = "") -> JsonObject:  # noqa: A002
    if not (email or phone or (name and zip)):
        raise Refused("find_customer needs an email, or a phone number, or a name together with a zip code")
    for row in world.table("customers").values():
        if (
            (email and row["email"].lower() == email.lower())
            or (phone and _digits(row["phone"]) == _digits(phone))
            or (name and zip and row["name"].lower() == name.lower() and row["zip"] == zip)
        ):
            return {key: row[key] for key in ("customer_id", "name", "verified")}
    given = email or phone or f"{name}, {zip}"
    raise Refused(f"no customer found for {given}; try another way to find the customer")


def verify_customer(world: World, customer_id: str, zip: str = "", birth_date: str = "") -> JsonObject:  # noqa: A002
    row = world.find("customers", customer_id)
    if not (zip or birth_date):
        raise Refused("verify_customer needs the zip code or the birth date that the customer gave")
    if (zip and zip != row["zip"]) or (birth_date and birth_date != row["birth_date"]):
        raise Refused("this does not match our records; the customer is not verified")
    row["verified"] = True
    return {"customer_id": customer_id, "verified": True}


def get_customer(world: World, customer_id: str) -> JsonObject:
    row = world.find("customers", customer_id)
    return {**row, **{f"{t[:-1]}_ids": _ids(world, t, row) for t in _OWNED if t in world.tables}}


def transfer_to_human(world: World, summary: str) -> JsonObject:
    number = f"tr_{len(world.table('transfers')) + 1}"
    world.add("transfers", number, {"transfer_id": number})
    return {"transferred": True}


_OWNED = ("orders", "reservations", "lines", "bills")


def _ids(world: World, table: str, customer: Row) -> list[str]:
    return [row[f"{table[:-1]}_id"] for row in world.owned(table, customer["customer_id"])]


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def payment_method(world: World, customer_id: str, payment_method_id: str) -> Row:
    """The payment method, if it is this customer's, or Refused."""
    methods: list[Row] = world.find("customers", customer_id)["payment_methods"]
    for method in methods:
        if method["payment_method_id"] == payment_method_id:
            return method
    raise Refused(f"{payment_method_id} is not a payment method of customer {customer_id}")


SHARED: tuple[Tool, ...] = (
    Tool(
        "find_customer",
        "Find a customer by email, or by phone number, or by name together with zip code.",
        {
            "email": Param("Email address.", required=False),
            "phone": Param("Phone number.", required=False),
            "name": Param("First and last name; needs zip too.", required=False),
            "zip": Param("Five-digit zip code.", required=False),
        },
        find_customer,
    ),
    Tool(
        "verify_customer",
        "Check the zip code or birth date that the customer gave, and mark the customer as verified.",
        {
            "customer_id": CUSTOMER,
            "zip": Param("Zip code that the customer gave.", required=False),
            "birth_date": Param(
                "Birth date that the customer gave.", required=False, pattern=DAY, form="a date like 1984-03-09"
            ),
        },
        verify_customer,
    ),
    Tool(
        "get_customer",
        "Everything on file about a customer: contact, address, payment methods and the ids of what they have.",
        {"customer_id": CUSTOMER},
        get_customer,
    ),
    Tool(
        "transfer_to_human",
        "Hand the conversation over to a human colleague. This ends your part of it.",
        {"summary": Param("What the customer wants and what was done.")},
        transfer_to_human,
        writes=True,
    ),
)
