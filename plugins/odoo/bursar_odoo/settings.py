"""What the operator may set for a shop. The host checks it against this schema and fills in the defaults."""

from dataclasses import dataclass
from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "paid_when": {
            "description": "`invoice-paid`: an order is paid when its posted invoices that are paid reach its total. `confirmed`: an order is paid when it is confirmed; only for shops where payment confirms orders and nobody else does, since a salesperson confirms with one click, paid or not.",
            "type": "string",
            "enum": ["invoice-paid", "confirmed"],
            "default": "invoice-paid",
        },
        "paid_states": {
            "description": "Payment states in which an invoice counts as paid. `in_payment` is a registered payment that the bank statement does not show yet (Odoo Enterprise); leave it out to wait for the bank.",
            "type": "array",
            "items": {"type": "string", "enum": ["paid", "in_payment"]},
            "default": ["paid", "in_payment"],
        },
        "learner_email_fields": {
            "description": "Fields of the order's line, by technical name (`x_learner_email`), that hold the learner's e-mail address. The first that is filled in counts; without one the customer (E-mail of the order's contact) learns. What is filled in and no address asks a person. Odoo refuses to read a field that it does not have.",
            "type": "array",
            "items": {"type": "string"},
            "default": [],
        },
        "database": {
            "description": "The name of the database, where one Odoo server has several and does not tell them apart by the address.",
            "type": "string",
            "default": "",
        },
    },
}


@dataclass(frozen=True)
class Settings:
    """The settings of one shop."""

    paid_when: str
    paid_states: list[str]
    learner_email_fields: list[str]
    database: str

    @classmethod
    def read(cls, given: dict[str, Any]) -> "Settings":
        return cls(**{name: given[name] for name in SCHEMA["properties"]})
