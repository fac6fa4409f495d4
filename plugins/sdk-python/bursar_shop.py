"""The shop's own API. To use it takes the permission `shop`: build for a world that has the interface.

An adapter names a path, the host adds origin and credentials. Only during `handle`.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from typing import Any

from wit_world.imports import shop as _shop

from bursar import Problem, asked, read_json


class Answer:
    """What the shop's API answered, whatever its status."""

    def __init__(self, host: _shop.Answer) -> None:
        self._host = host

    def status(self) -> int:
        return self._host.status()

    def json(self) -> Any:
        """The answer's JSON, numbers with a point as `Decimal`. Problem: `shop-unexpected` (later) where it is none."""
        try:
            return read_json(self._host.body().decode("utf-8"))
        except ValueError:
            message = f"the shop's API answered {self.status()} with something that is not JSON"
            raise Problem.later("shop-unexpected", message) from None


def call(method: str, path_and_query: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Sends JSON to the shop's API, if there is a body, and waits. Problem: `shop-unavailable` (later). Credentials are no
    header of the adapter's: the host adds them."""
    request = _shop.Call(method, path_and_query)
    for name, value in {"accept": "application/json", **(headers or {})}.items():
        request.header(name, value)
    if body is not None:
        request.body("application/json", _json.dumps(body).encode())
    return Answer(asked(request.send))
