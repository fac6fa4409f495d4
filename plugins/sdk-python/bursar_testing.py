"""A fake host, for unit tests of an adapter in plain Python. It keeps what an adapter says, and checks proofs with real keys.

Import it before the adapter: it puts modules in the place of the bindings, which only a component has.

It is smaller than the host: addresses and course keys are hardly judged, limits are not kept, permissions and phases not
asked for. What decides is `bursar adapter test` with the adapter's fixtures, which runs the component in the host itself.
"""

from __future__ import annotations

import base64
import hmac as _hmac
import json as _json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any


@dataclass
class World:
    """What the adapter is told."""

    shop: str = "test"
    secrets: dict[str, list[str]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    known: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Lines by order: `id`, `active`, `quantity`, `refunded_quantity`, `revision`, `product`, `courses`, `until`."""
    catalog: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Course runs by `kind:id`."""
    answers: list[tuple[int, Any]] = field(default_factory=list)
    """Status and body of what the shop's API answers, in order."""


@dataclass
class Sent:
    """A request as a test gives it: texts; a body that is no text is sent as JSON."""

    body: Any = ""
    headers: dict[str, str | list[str]] = field(default_factory=dict)
    path: str = ""
    query: str = ""
    method: str = "POST"
    received_at: int = 1_772_445_645_000
    topic: str = ""
    origin: str = "webhook"
    attempt: int = 1

    def bytes(self) -> bytes:
        return (self.body if isinstance(self.body, str) else _json.dumps(self.body)).encode()


class Refused(Exception):
    """The adapter ended with a problem."""

    def __init__(self, problem: Any) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.remedy: str = problem.remedy.name.lower()
        self.code: str = problem.code
        self.message: str = problem.message
        self.retry_after: int | None = problem.retry_after


@dataclass
class Handled:
    """What the adapter said about a delivery."""

    orders: list[dict[str, Any]]
    ignored: list[str]
    reviews: list[str]
    calls: list[dict[str, Any]]
    forgets: list[str]


class Err(Exception):
    """As componentize-py has it."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


_world = World()
_judged = Sent()
_orders: list[dict[str, Any]] = []
_calls: list[dict[str, Any]] = []
logged: list[tuple[str, str]] = []
"""What the latest run logged: level and message."""


def authenticate(adapter: type, sent: Sent, world: World | None = None) -> dict[str, Any]:
    """Asks the adapter whether a request is the shop's. Raises `Refused`."""
    _begin(sent, world)
    return _run(lambda: adapter().authenticate(_Request(sent)).said)


def handle(adapter: type, sent: Sent, world: World | None = None) -> Handled:
    """Has the adapter handle a request that was accepted. Raises `Refused`."""
    _begin(sent, world)
    delivery = _Delivery(sent)
    _run(lambda: adapter().handle(delivery))
    return Handled(list(_orders), delivery.reasons, delivery.reviews, list(_calls), delivery.forgets)


def describe(adapter: type) -> dict[str, Any]:
    """What the adapter says that it is."""
    _begin(Sent(), None)
    return _run(lambda: adapter().describe().said)


def sign(secret: str, text: str) -> str:
    """The hex of the HMAC-SHA256 that signs a body."""
    return _hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()


def _begin(sent: Sent, world: World | None) -> None:
    global _world, _judged
    _world, _judged = world or World(), sent
    for kept in (_orders, _calls, logged):
        kept.clear()


def _run(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Err as error:
        raise Refused(error.value) from None


class _Remedy(Enum):
    NONE = 0
    LATER = 1
    OPERATOR = 2


@dataclass
class _Problem:
    remedy: _Remedy
    code: str
    message: str
    retry_after: int | None


def _fail(remedy: str, code: str, message: str) -> Err:
    return Err(_Problem(_Remedy[remedy], code, message, None))


class _Request:
    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self.body = sent.bytes
        self.path, self.query, self.method = lambda: sent.path, lambda: sent.query, lambda: sent.method
        self.received_at = lambda: sent.received_at

    def headers(self) -> list[tuple[str, bytes]]:
        all = self._sent.headers.items()
        return [(name.lower(), one.encode()) for name, values in all for one in ([values] if isinstance(values, str) else values)]

    def header(self, name: str) -> str:
        values = [value.decode() for one, value in self.headers() if one == name.lower()]
        if not values:
            raise _fail("NONE", "header-missing", f"the request has no header {name}")
        if len(values) > 1:
            raise _fail("NONE", "header-repeated", f"the request has the header {name} more than once")
        return values[0]


class _Delivery:
    def __init__(self, sent: Sent) -> None:
        self.reasons: list[str] = []
        self.reviews: list[str] = []
        self.forgets: list[str] = []
        self.ignored, self.review, self.forget = self.reasons.append, self.reviews.append, self.forgets.append
        self.request, self.id = lambda: _Request(sent), lambda: "dlv_test"
        self.topic, self.origin, self.attempt = lambda: sent.topic, lambda: sent.origin, lambda: sent.attempt


class _Verdict:
    def __init__(self, **said: Any) -> None:
        self.said = said

    @classmethod
    def accept(cls, topic: str) -> _Verdict:
        return cls(verdict="accept", topic=topic)

    @classmethod
    def ignore(cls, reason: str) -> _Verdict:
        return cls(verdict="ignore", reason=reason)

    @classmethod
    def respond(cls, status: int, content_type: str, body: bytes) -> _Verdict:
        return cls(verdict="respond", status=status, content_type=content_type, body=body.decode())

    def about(self, subject: str) -> None:
        self.said["subject"] = subject

    def key(self, id: str) -> None:
        self.said["key"] = id

    def occurred_at(self, at: int) -> None:
        self.said["occurred_at"] = at

    def answer(self, status: int, content_type: str, body: bytes) -> None:
        self.said["answer"] = {"status": status, "content_type": content_type, "body": body.decode()}


class _Description:
    def __init__(self, platform: str, version: str) -> None:
        self.said: dict[str, Any] = {"platform": platform, "version": version, "topics": [], "secrets": [], "redacted": []}

    def topic(self, name: str, meaning: str) -> None:
        self.said["topics"].append(name)

    def secret(self, name: str, purpose: str) -> None:
        self.said["secrets"].append(name)

    def optional_secret(self, name: str, purpose: str) -> None:
        self.said.setdefault("optional_secrets", []).append(name)

    def optional_permission(self, name: str, purpose: str) -> None:
        self.said.setdefault("optional_permissions", []).append(name)

    def key_set(self, name: str, purpose: str) -> None:
        self.said.setdefault("key_sets", []).append(name)

    def settings(self, schema: str) -> None:
        self.said["settings"] = _json.loads(schema)

    def redact_header(self, name: str) -> None:
        self.said["redacted"].append(name)

    def redact_body(self, pointer: str) -> None:
        self.said["redacted"].append(pointer)

    def redact_address(self) -> None:
        self.said["redacted"].append("address")

    def document(self, name: str, purpose: str, text: str) -> None:
        self.said.setdefault("documents", {})[name] = text


class _Payment(Enum):
    PAID = 0
    UNPAID = 1
    UNDECIDED = 2


class _Cause(Enum):
    REFUNDED = 0
    CANCELLED = 1
    DELETED = 2
    DISPUTED = 3


class _Stated:
    """What order and line have in common. A blank learner counts as not given, as it does for the host."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said

    def hold(self, cause: _Cause, evidence: str) -> None:
        self.said.setdefault("holds", []).append((cause.name.lower(), evidence))

    def lift(self, cause: _Cause, evidence: str) -> None:
        self.said.setdefault("lifts", []).append((cause.name.lower(), evidence))

    def review(self, reason: str) -> None:
        self.said.setdefault("reviews", []).append(reason)

    def learner_email(self, address: str) -> None:
        if not address.strip():
            return
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", address):
            raise _fail("NONE", "email-malformed", "not an e-mail address")
        self.said["learner_email"] = address


class _Line(_Stated):
    def product(self, ids: list[tuple[str, str]], title: str) -> None:
        self.said |= {"product": ids, "title": title}

    def course(self, run: str, mode: str | None) -> None:
        if not re.fullmatch(r"course-v1:[^+\s]+\+[^+\s]+\+[^+\s]+", run):
            raise _fail("NONE", "course-malformed", "not the key of a course run")
        self.said.setdefault("courses", []).append((run, mode))

    def parent(self, id: str) -> None:
        self.said["parent"] = id

    def learner_username(self, name: str) -> None:
        self.said["learner_username"] = name

    def learner_external(self, provider: str, id: str) -> None:
        self.said["learner_external"] = (provider, id)

    def quantity(self, count: int) -> None:
        self.said["quantity"] = count

    def refunded_quantity(self, count: int) -> None:
        self.said["refunded_quantity"] = count

    def until(self, at: int) -> None:
        self.said["until"] = at


class _Order(_Stated):
    @classmethod
    def snapshot(cls, id: str, revision: list[int]) -> _Order:
        return cls._begin("snapshot", id, revision)

    @classmethod
    def patch(cls, id: str, revision: list[int]) -> _Order:
        return cls._begin("patch", id, revision)

    @classmethod
    def _begin(cls, statement: str, id: str, revision: list[int]) -> _Order:
        _orders.append({"id": id, "statement": statement, "revision": revision})
        return cls(_orders[-1])

    def number(self, text: str) -> None:
        self.said["number"] = text

    def fingerprint(self, text: str) -> None:
        self.said["fingerprint"] = text

    def origin(self, address: str) -> None:
        self.said["origin"] = address

    def placed_at(self, at: int) -> None:
        self.said["placed_at"] = at

    def test(self) -> None:
        self.said["test"] = True

    def payment(self, state: _Payment) -> None:
        self.said["payment"] = state.name.lower()

    def refunded_amount(self, amount: str, currency: str, total: str) -> None:
        self.said["refunded_amount"] = (amount, currency, total)

    def line(self, id: str) -> _Line:
        lines = self.said.setdefault("lines", [])
        for line in lines:
            if line["id"] == id:
                return _Line(line)
        lines.append({"id": id})
        return _Line(lines[-1])


def _known(order: str) -> list[Any]:
    blank = {"active": False, "quantity": 1, "refunded_quantity": 0, "revision": [], "product": [], "courses": [], "until": None}
    lines = [blank | line for line in _world.known.get(order, [])]
    return [SimpleNamespace(**{name: (lambda value=value: value) for name, value in line.items()}) for line in lines]


def _courses(product: list[tuple[str, str]]) -> list[tuple[str, str]]:
    found = (_world.catalog.get(f"{kind}:{id}") for kind, id in product)
    return next((courses for courses in found if courses is not None), [])


class _Level(Enum):
    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


class _Hash(Enum):
    SHA1 = 0
    SHA256 = 1
    SHA512 = 2


class _KeyForm(Enum):
    TEXT = 0
    BASE64 = 1
    HEX = 2


class _PartBody:
    def bytes(self) -> bytes:
        return _judged.bytes()


class _PartText:
    def __init__(self, value: str) -> None:
        self.bytes = value.encode


class _PartBytes:
    def __init__(self, value: bytes) -> None:
        self.bytes = lambda: value


class _ProofHex:
    def __init__(self, value: str) -> None:
        self._value = value

    def bytes(self) -> bytes:
        if not re.fullmatch(r"([0-9a-f]{2})+", self._value):
            raise _fail("NONE", "signature-malformed", "the signature is not hex")
        return bytes.fromhex(self._value)


class _ProofBase64:
    def __init__(self, value: str) -> None:
        self._value = value

    def bytes(self) -> bytes:
        try:
            return base64.b64decode(self._value, validate=True)
        except ValueError:
            raise _fail("NONE", "signature-malformed", "the signature is not base64") from None


def _key(text: str, form: _KeyForm) -> bytes:
    if form is _KeyForm.TEXT:
        return text.encode()
    return bytes.fromhex(text) if form is _KeyForm.HEX else base64.b64decode(text.removeprefix("whsec_"))


def _secrets(name: str) -> list[str]:
    if name not in _world.secrets:
        raise _fail("OPERATOR", "secret-missing", f"the shop has no secret {name}")
    return _world.secrets[name]


def _check_hmac(secret: str, form: _KeyForm, hash: _Hash, signed: list[Any], proof: Any) -> None:
    presented, text = proof.bytes(), b"".join(part.bytes() for part in signed)
    macs = [_hmac.new(_key(one, form), text, hash.name.lower()).digest() for one in _secrets(secret)]
    if not any(_hmac.compare_digest(mac, presented) for mac in macs):
        raise _fail("NONE", "signature-mismatch", "no active secret gives this signature")


def _check_shared_key(secret: str, presented: bytes) -> None:
    if not any(_hmac.compare_digest(one.encode(), presented) for one in _secrets(secret)):
        raise _fail("NONE", "signature-mismatch", "no active secret is this key")


def _check_fresh(at: int, tolerance_seconds: int) -> None:
    age = _judged.received_at - at
    if abs(age) > tolerance_seconds * 1000:
        raise _fail("NONE", "too-old" if age > 0 else "too-new", "signed too far from when it came")


def _no_check(*_: Any) -> None:
    raise NotImplementedError("the fake host checks HMACs and shared keys: use a fixture for anything else")


class _Call:
    def __init__(self, method: str, path_and_query: str) -> None:
        self._said: dict[str, Any] = {"method": method, "path": path_and_query}

    def header(self, name: str, value: str) -> None:
        self._said.setdefault("headers", {})[name] = value

    def body(self, content_type: str, body: bytes) -> None:
        self._said["body"] = _json.loads(body)

    def send(self) -> Any:
        _calls.append(self._said)
        if not _world.answers:
            raise _fail("LATER", "shop-unavailable", "the test has no answer for this call")
        status, body = _world.answers.pop(0)
        content = (body if isinstance(body, str) else _json.dumps(body)).encode()
        return SimpleNamespace(status=lambda: status, header=lambda name: None, body=lambda: content)


def _module(name: str, **content: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(content)
    sys.modules[name] = module
    return module


def _install() -> None:
    _module("componentize_py_types", Err=Err)
    interfaces = {
        "types": {"Remedy": _Remedy, "Problem": _Problem},
        "incoming": {"Request": _Request, "Delivery": _Delivery, "Verdict": _Verdict, "Description": _Description},
        "orders": {"Order": _Order, "Line": _Line, "KnownLine": Any, "Payment": _Payment, "Cause": _Cause, "known": _known},
        "catalog": {"courses": _courses},
        "settings": {"shop_name": lambda: _world.shop, "json": lambda: _json.dumps(_world.settings)},
        "logging": {"Level": _Level, "log": lambda level, message: logged.append((level.name.lower(), message))},
        "shop": {"Call": _Call, "Answer": Any},
        "signatures": {
            "Hash": _Hash,
            "KeyForm": _KeyForm,
            "Part": Any,
            "Proof": Any,
            "Part_Body": _PartBody,
            "Part_Text": _PartText,
            "Part_Bytes": _PartBytes,
            "Proof_Hex": _ProofHex,
            "Proof_Base64": _ProofBase64,
            "Proof_Bytes": _PartBytes,
            "hmac": _check_hmac,
            "shared_key": _check_shared_key,
            "fresh": _check_fresh,
            "ed25519": _no_check,
            "detached_jws": _no_check,
        },
    }
    imports = {name: _module(f"wit_world.imports.{name}", **content) for name, content in interfaces.items()}
    exports = _module("wit_world.exports", Adapter=object)
    _module("wit_world", exports=exports, imports=_module("wit_world.imports", **imports))


_install()
