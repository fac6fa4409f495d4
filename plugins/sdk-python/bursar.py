"""The kit for writing Bursar adapters in Python.

An adapter is a class with three functions, and one line that exports it from the module `app`:

    from bursar import Delivery, Description, Request, Rules, Verdict, export, orders, signatures

    class Example(Rules):
        def describe(self) -> Description:
            return Description("example", "1.0.0").secret("webhook", "the secret of the webhook form")

        def authenticate(self, request: Request) -> Verdict:
            signatures.hmac_hex(request, "x-example-signature", "webhook")
            return Verdict.accept("sale").about(request.json()["number"])

        def handle(self, delivery: Delivery) -> None:
            sale = delivery.request().json()
            order = orders.snapshot(sale["number"], [sale["changed"]])
            order.payment("paid").learner_email(sale["learner"])
            order.line("1").product([("sku", sale["course"])], "A course")

    Adapter = export(Example)

Problems are raised. Anything else that is raised is a mistake in the adapter: it is logged with its message and place, and
ends the instance, as a panic does in Rust. The host then keeps the delivery until there is a better adapter.

The kit must never hold a rule of its own about orders: what is said here is said by the adapter. It uses the standard
library alone, and imports what world `minimal` has; the shop's API is in `bursar_shop`, because to use it takes a permission.

Import every module at the top of a file: the interpreter is stored after the imports, and has no files later on.
"""

from __future__ import annotations

import json as _json
import re as _re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, TypeVar

from componentize_py_types import Err
from wit_world import exports as _exports
from wit_world.imports import catalog as _catalog
from wit_world.imports import incoming as _incoming
from wit_world.imports import logging as _logging
from wit_world.imports import orders as _orders
from wit_world.imports import settings as _settings
from wit_world.imports import signatures as _signatures
from wit_world.imports import types as _types

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

Id = str | int
"""An id as the platform writes it."""

Remedy = Literal["none", "later", "operator"]
Payment = Literal["paid", "unpaid", "undecided"]
Cause = Literal["refunded", "cancelled", "deleted", "disputed"]
Hash = Literal["sha1", "sha256", "sha512"]
KeyForm = Literal["text", "base64", "hex"]
KnownLine = _orders.KnownLine

T = TypeVar("T")


class Problem(Exception):
    """Why something could not be done, and who can still do something about it. Raised."""

    def __init__(self, remedy: Remedy, code: str, message: str, retry_after: int | None = None) -> None:
        """`code`: a stable lower-case word for programs. `message`: one sentence for people, without a secret or
        personal data. `retry_after`: how long waiting makes sense, in seconds."""
        super().__init__(f"{message} ({code})")
        self.remedy = remedy
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @classmethod
    def rejected(cls, code: str, message: str) -> Problem:
        """Nothing can be done: the request is refused, or the delivery rejected for a person to see."""
        return cls("none", code, message)

    @classmethod
    def later(cls, code: str, message: str, retry_after: int | None = None) -> Problem:
        """Time will help: it is tried again."""
        return cls("later", code, message, retry_after)

    @classmethod
    def operator(cls, code: str, message: str) -> Problem:
        """A person must act first: a secret, a permission or a setting is missing or wrong."""
        return cls("operator", code, message)


def asked(call: Callable[..., T], *arguments: Any) -> T:
    """Calls the host, and raises its problems as this kit's."""
    try:
        return call(*arguments)
    except Err as error:
        told = error.value
        raise Problem(told.remedy.name.lower(), told.code, told.message, told.retry_after) from None


class Request:
    """One HTTP request from a shop. What is not asked for is not copied into the instance."""

    def __init__(self, host: _incoming.Request) -> None:
        self._host = host
        self._body: bytes | None = None

    def method(self) -> str:
        """Upper-case."""
        return self._host.method()

    def path(self) -> str:
        """What follows `/webhooks/{shop}`, undecoded: empty, or beginning with `/`."""
        return self._host.path()

    def query(self) -> str:
        """What follows `?`, undecoded."""
        return self._host.query()

    def header(self, name: str) -> str:
        """The value of the one header of this name. Problems: `header-missing`, `header-repeated`, `header-not-text`."""
        return asked(self._host.header, name)

    def optional_header(self, name: str) -> str | None:
        """The same, and None where there is none. One that is repeated is a problem all the same."""
        try:
            return self.header(name)
        except Problem as problem:
            if problem.code == "header-missing":
                return None
            raise

    def headers(self) -> list[tuple[str, bytes]]:
        """Every header in the order of arrival, names in lower case."""
        return self._host.headers()

    def is_media_type(self, media_type: str) -> bool:
        """Does the request say that its body is of this media type? Parameters such as a charset do not matter."""
        said = self.optional_header("content-type") or ""
        return said.split(";", 1)[0].strip().lower() == media_type.lower()

    def body(self) -> bytes:
        """The body, byte for byte. Copied in at the first call."""
        if self._body is None:
            self._body = self._host.body()
        return self._body

    def text(self) -> str:
        """The body as text. Problem: `body-unexpected` where it is not UTF-8."""
        try:
            return self.body().decode("utf-8")
        except UnicodeDecodeError:
            raise Problem.rejected("body-unexpected", "the body is not UTF-8") from None

    def json(self) -> Any:
        """The body read as JSON, numbers with a point as `Decimal`. Problem: `body-not-json`, with nothing of the body."""
        text = self.text()
        try:
            return read_json(text)
        except ValueError:
            # The library's own words may quote the body, and the body may be somebody's address.
            raise Problem.rejected("body-not-json", "the body is not JSON") from None

    def received_at(self) -> Instant:
        """When the host had read the request, by the host's clock."""
        return self._host.received_at()


class Delivery:
    """A stored request whose turn has come."""

    def __init__(self, host: _incoming.Delivery) -> None:
        self._host = host
        self._request: Request | None = None

    def request(self) -> Request:
        """The request, with the redacted parts reading `***`."""
        if self._request is None:
            self._request = Request(self._host.request())
        return self._request

    def id(self) -> str:
        """`dlv_…`, unique for ever."""
        return self._host.id()

    def topic(self) -> str:
        """As given to `Verdict.accept`."""
        return self._host.topic()

    def origin(self) -> str:
        """`webhook`: the shop sent it. `backfill`: Bursar asked the shop. `operator`: a person had it run again."""
        return self._host.origin()

    def attempt(self) -> int:
        """Which try this is, from 1."""
        return self._host.attempt()

    def ignored(self, reason: str) -> None:
        """There is nothing to do, and why."""
        self._host.ignored(reason)

    def review(self, reason: str) -> None:
        """A person should look at this delivery. Facts that are stated hold all the same."""
        self._host.review(reason)

    def forget(self, subject: Id) -> None:
        """The shop asks that somebody be forgotten: what is stored of its requests about this subject, as it was given to
        `Verdict.about`, is blanked once they are finished. Orders stay, and the access that was paid for. At most 1,000
        subjects a run."""
        self._host.forget(str(subject))


class Verdict:
    """What becomes of a request."""

    def __init__(self, host: _incoming.Verdict) -> None:
        self.host = host

    @classmethod
    def accept(cls, topic: str) -> Verdict:
        """Genuine, and to be handled. The topic is shown to people; mostly it is not signed, so it must decide nothing."""
        return cls(_incoming.Verdict.accept(topic))

    @classmethod
    def ignore(cls, reason: str) -> Verdict:
        """Genuine, but of no interest: answered 200 and counted under the reason, never stored."""
        return cls(_incoming.Verdict.ignore(reason))

    @classmethod
    def respond(cls, status: int, content_type: Literal["text/plain", "application/json"], body: str | bytes) -> Verdict:
        """A handshake that wants a particular answer; nothing is stored. Status 200 to 299, at most 4 KiB."""
        return cls(_incoming.Verdict.respond(status, content_type, _bytes(body)))

    def about(self, subject: Id) -> Verdict:
        """What the delivery is about, an order's id say: of those about one subject only one is handled at a time."""
        self.host.about(str(subject))
        return self

    def key(self, id: Id) -> Verdict:
        """An id of this event that is covered by the signature: a second one with the same body is dropped."""
        self.host.key(str(id))
        return self

    def occurred_at(self, at: Instant) -> Verdict:
        """When the shop says that it happened. For people."""
        self.host.occurred_at(at)
        return self

    def answer(self, status: int, content_type: Literal["text/plain", "application/json"], body: str | bytes) -> Verdict:
        """What to answer, once the delivery is stored, in place of 200 with an empty body."""
        self.host.answer(status, content_type, _bytes(body))
        return self


class Description:
    """What an adapter is, as the host reads it once."""

    def __init__(self, platform: str, version: str) -> None:
        """`platform` names the adapter in the configuration; `version` is the adapter's own, as in Semantic Versioning."""
        self.host = _incoming.Description(platform, version)

    def topic(self, name: str, meaning: str) -> Description:
        """A topic that the adapter understands, and what it means in a few words."""
        self.host.topic(name, meaning)
        return self

    def secret(self, name: str, purpose: str) -> Description:
        """A secret without which the shop cannot be served, and what it is for in the operator's words."""
        self.host.secret(name, purpose)
        return self

    def optional_secret(self, name: str, purpose: str) -> Description:
        """A secret that some shops have."""
        self.host.optional_secret(name, purpose)
        return self

    def optional_permission(self, name: str, purpose: str) -> Description:
        """A permission (`shop`, `lms-read`, `lms-write`) that the adapter can do without, and what it gains by it. Where a shop does
        not grant it, its calls are the problem `not-granted`."""
        self.host.optional_permission(name, purpose)
        return self

    def key_set(self, name: str, purpose: str) -> Description:
        """A set of public keys; where it is fetched from is the operator's configuration."""
        self.host.key_set(name, purpose)
        return self

    def settings(self, schema: dict[str, Any]) -> Description:
        """The settings an operator may give, as a JSON Schema of type `object`."""
        self.host.settings(_json.dumps(schema))
        return self

    def redact_header(self, name: str) -> Description:
        """A header to blank before anything is stored or logged."""
        self.host.redact_header(name)
        return self

    def redact_body(self, json_pointer: str) -> Description:
        """A part of a JSON body to blank likewise, as a JSON Pointer (RFC 6901)."""
        self.host.redact_body(json_pointer)
        return self

    def redact_address(self) -> Description:
        """Path and query to blank likewise: for platforms that prove themselves by the address that they know."""
        self.host.redact_address()
        return self

    def document(self, name: str, purpose: str, text: str) -> Description:
        """A text that the operator pastes into the shop, the query of a subscription say: `bursar adapter inspect FILE --document
        NAME` prints it. At most 64 KiB, with line ends as `\\n`."""
        self.host.document(name, purpose, text)
        return self


class Line:
    """A statement about one line of an order."""

    def __init__(self, host: _orders.Line) -> None:
        self._host = host

    def product(self, ids: Iterable[tuple[str, Id]], title: str) -> Line:
        """The product, as the catalog may know it, most exact first, and its title for people."""
        self._host.product([(kind, str(id)) for kind, id in ids], title)
        return self

    def course(self, run: str, mode: str | None = None) -> Line:
        """A course run that the order itself names, for when the catalog does not know the product. Problem:
        `course-malformed`."""
        asked(self._host.course, run, mode)
        return self

    def parent(self, id: Id) -> Line:
        """The line that this one came with: what holds the parent holds this line."""
        self._host.parent(str(id))
        return self

    def learner_email(self, address: str) -> Line:
        """Who learns. Blank counts as not given. Problem: `email-malformed`."""
        asked(self._host.learner_email, address)
        return self

    def learner_username(self, name: str) -> Line:
        """Who learns, by the LMS's username. Problem: `username-malformed`."""
        asked(self._host.learner_username, name)
        return self

    def learner_external(self, provider: str, id: str) -> Line:
        """Who learns, as a login provider of the site knows them. Problem: `identity-malformed`."""
        asked(self._host.learner_external, provider, id)
        return self

    def quantity(self, count: int) -> Line:
        """How many were sold; 1 if not said."""
        self._host.quantity(count)
        return self

    def refunded_quantity(self, count: int) -> Line:
        """How many of them were refunded; 0 if not said."""
        self._host.refunded_quantity(count)
        return self

    def until(self, at: Instant) -> Line:
        """The right ends at that moment unless a later statement extends it."""
        self._host.until(at)
        return self

    def hold(self, cause: Cause, evidence: str) -> Line:
        """As `Order.hold`, for this line only."""
        self._host.hold(_orders.Cause[cause.upper()], evidence)
        return self

    def lift(self, cause: Cause, evidence: str) -> Line:
        """As `Order.lift`, for this line only."""
        self._host.lift(_orders.Cause[cause.upper()], evidence)
        return self

    def review(self, reason: str) -> Line:
        """A person should look at this line, and why."""
        self._host.review(reason)
        return self


class Order:
    """A statement about one order."""

    def __init__(self, host: _orders.Order) -> None:
        self._host = host

    def number(self, text: Id) -> Order:
        """What people call the order, where that is not its id."""
        self._host.number(str(text))
        return self

    def fingerprint(self, text: str) -> Order:
        """A mark of the order that never changes, such as its key."""
        self._host.fingerprint(text)
        return self

    def origin(self, address: str) -> Order:
        """Where the order says that it was sold: the shop's address, out of what the platform signs."""
        self._host.origin(address)
        return self

    def placed_at(self, at: Instant) -> Order:
        """When it was placed."""
        self._host.placed_at(at)
        return self

    def test(self) -> Order:
        """A test order: it touches a live LMS only where the operator accepts test orders."""
        self._host.test()
        return self

    def payment(self, state: Payment) -> Order:
        """Has the shop got the money?"""
        self._host.payment(_orders.Payment[state.upper()])
        return self

    def hold(self, cause: Cause, evidence: str) -> Order:
        """The cause holds every line, known now or later. The evidence is what shows it, `status=cancelled` say."""
        self._host.hold(_orders.Cause[cause.upper()], evidence)
        return self

    def lift(self, cause: Cause, evidence: str) -> Order:
        """The cause no longer holds, and what shows it."""
        self._host.lift(_orders.Cause[cause.upper()], evidence)
        return self

    def refunded_amount(self, amount: str, currency: str, total: str) -> Order:
        """Money went back, and the shop does not say for what: decimal text, `amount` out of `total`."""
        self._host.refunded_amount(amount, currency, total)
        return self

    def learner_email(self, address: str) -> Order:
        """Who learns, for lines that do not say. Blank counts as not given. Problem: `email-malformed`."""
        asked(self._host.learner_email, address)
        return self

    def line(self, id: Id) -> Line:
        """One line of the order, by the id that the shop gives it. The same id again continues the same line."""
        return Line(self._host.line(str(id)))

    def review(self, reason: str) -> Order:
        """A person should look at this order, and why."""
        self._host.review(reason)
        return self


class orders:
    """Statements about orders. They are gathered during the run and take effect together when `handle` returns."""

    @staticmethod
    def snapshot(id: Id, revision: Sequence[int]) -> Order:
        """The whole order: a line known from before and not named now is gone."""
        return Order(_orders.Order.snapshot(str(id), list(revision)))

    @staticmethod
    def patch(id: Id, revision: Sequence[int]) -> Order:
        """A part of the order: only what is named is stated. May arrive before anything else about the order."""
        return Order(_orders.Order.patch(str(id), list(revision)))

    @staticmethod
    def known(id: Id) -> list[KnownLine]:
        """The lines of an order as the ledger has them; none if it is unknown. Read when asked: `line.revision()`."""
        return _orders.known(str(id))


class catalog:
    """The operator's catalog of this shop."""

    @staticmethod
    def courses(product: Iterable[tuple[str, Id]]) -> list[tuple[str, str]]:
        """Course runs and modes of the first id that the catalog knows."""
        return _catalog.courses([(kind, str(id)) for kind, id in product])


class settings:
    """What the operator configured for the shop that this run serves."""

    @staticmethod
    def shop_name() -> str:
        """The shop's name, as in `/webhooks/{shop}`."""
        return _settings.shop_name()

    @staticmethod
    def read() -> dict[str, Any]:
        """The shop's settings: checked against the adapter's schema, defaults filled in."""
        return _json.loads(_settings.json())


class log:
    """Lines for the log of this run. Never log a secret or personal data."""

    @staticmethod
    def debug(message: str) -> None:
        """For the adapter's author."""
        _logging.log(_logging.Level.DEBUG, message)

    @staticmethod
    def info(message: str) -> None:
        """For whoever reads along."""
        _logging.log(_logging.Level.INFO, message)

    @staticmethod
    def warning(message: str) -> None:
        """Something odd that was coped with."""
        _logging.log(_logging.Level.WARNING, message)

    @staticmethod
    def error(message: str) -> None:
        """Something that went wrong."""
        _logging.log(_logging.Level.ERROR, message)


MAX_SIGNATURES = 8
"""A request may carry this many signatures of one version; more are not looked at."""

TOLERANCE = 300
"""How far apart, in seconds, sender and receiver may be by the Standard Webhooks text and Stripe's libraries."""

Part = _signatures.Part
Proof = _signatures.Proof
Body = _signatures.Part_Body
Text = _signatures.Part_Text
Hex = _signatures.Proof_Hex
Base64 = _signatures.Proof_Base64


class signatures:
    """Proofs that a request is the shop's. The host checks them; no secret enters the adapter. Each returns when the proof
    holds, and raises `signature-mismatch`, `signature-malformed`, `secret-missing` or a problem of the header when it does
    not. `secret` is always a secret's name."""

    @staticmethod
    def hmac_hex(request: Request, header: str, secret: str, hash: Hash = "sha256", prefix: str = "") -> None:
        """A header that holds the lower-case hex of an HMAC of the body. `prefix` stands before the hex, `sha256=` say."""
        proof = _without_prefix(request.header(header), prefix)
        signatures.hmac(secret, "text", hash, [Body()], Hex(proof))

    @staticmethod
    def hmac_base64(request: Request, header: str, secret: str, hash: Hash = "sha256", prefix: str = "") -> None:
        """A header that holds the base64 of an HMAC of the body."""
        proof = _without_prefix(request.header(header), prefix)
        signatures.hmac(secret, "text", hash, [Body()], Base64(proof))

    @staticmethod
    def standard_webhooks(request: Request, secret: str, prefix: str = "webhook-", tolerance: int = TOLERANCE) -> str:
        """Standard Webhooks, `v1`: `webhook-id`, `webhook-timestamp`, `webhook-signature`. The secret is base64, with or
        without `whsec_`. Returns the id, which is signed and the same for every try: what `Verdict.key` wants."""
        id, time = request.header(f"{prefix}id"), request.header(f"{prefix}timestamp")
        proofs = [one[3:] for one in request.header(f"{prefix}signature").split(" ") if one.startswith("v1,")]
        signed: list[Part] = [Text(f"{id}.{time}."), Body()]
        _one_holds(proofs, lambda proof: signatures.hmac(secret, "base64", "sha256", signed, Base64(proof)))
        signatures.fresh(_unix_seconds(time), tolerance)
        return id

    @staticmethod
    def stripe(request: Request, secret: str, header: str = "stripe-signature", tolerance: int = TOLERANCE) -> None:
        """Stripe's way: `t=1700000000,v1=…`, an HMAC of the time, a point and the body; several `v1` while a secret is
        replaced."""
        fields = [field.strip().partition("=") for field in request.header(header).split(",")]
        times = [value for name, _, value in fields if name == "t"]
        if len(times) != 1:
            raise _malformed("the signature's header has no one time")
        signed: list[Part] = [Text(f"{times[0]}."), Body()]
        proofs = [value for name, _, value in fields if name == "v1"]
        _one_holds(proofs, lambda proof: signatures.hmac(secret, "text", "sha256", signed, Hex(proof)))
        signatures.fresh(_unix_seconds(times[0]), tolerance)

    @staticmethod
    def shared_key(secret: str, presented: str | bytes) -> None:
        """A key that the shop sends along as it is, in a header, the path or the body."""
        asked(_signatures.shared_key, secret, _bytes(presented))

    @staticmethod
    def hmac(secret: str, form: KeyForm, hash: Hash, signed: Sequence[Part], proof: Proof) -> None:
        """Any other HMAC: the parts are joined without anything between them."""
        key_form, function = _signatures.KeyForm[form.upper()], _signatures.Hash[hash.upper()]
        asked(_signatures.hmac, secret, key_form, function, list(signed), proof)

    @staticmethod
    def ed25519(key_set: str, signed: Sequence[Part], proof: Proof) -> None:
        """An Ed25519 signature by one of the set's keys."""
        asked(_signatures.ed25519, key_set, list(signed), proof)

    @staticmethod
    def detached_jws(key_set: str, algorithms: Sequence[str], jws: str) -> None:
        """A compact JWS with a detached payload over the body as it is."""
        asked(_signatures.detached_jws, key_set, list(algorithms), jws)

    @staticmethod
    def fresh(at: Instant, tolerance_seconds: int) -> None:
        """Lies `at` within the tolerance of the moment of receipt, before or after? Otherwise `too-old`, `too-new`."""
        asked(_signatures.fresh, at, tolerance_seconds)


class Rules(ABC):
    """What an adapter does. Each call runs in an instance of its own: nothing is remembered from one to the next."""

    @abstractmethod
    def describe(self) -> Description:
        """Say what this adapter is. Called once, when the file is loaded."""

    @abstractmethod
    def authenticate(self, request: Request) -> Verdict:
        """Is this request the shop's? Called while the shop waits, so it should do little."""

    @abstractmethod
    def handle(self, delivery: Delivery) -> None:
        """What does it say? Called after the shop got its 200, as often as it takes."""


def export(rules: type[Rules]) -> type[_exports.Adapter]:
    """Makes of an adapter's class what the component exports: bind the result to `Adapter` in the module `app`."""

    class Exported(_exports.Adapter):
        def describe(self) -> _incoming.Description:
            return _reported(lambda: rules().describe().host)

        def authenticate(self, request: _incoming.Request) -> _incoming.Verdict:
            return _reported(lambda: rules().authenticate(Request(request)).host)

        def handle(self, delivery: _incoming.Delivery) -> None:
            _reported(lambda: rules().handle(Delivery(delivery)))

    return Exported


def _reported(run: Callable[[], T]) -> T:
    """Raises problems as the contract's error, and logs anything else before it ends the instance."""
    try:
        return run()
    except Problem as problem:
        remedy = _types.Remedy[problem.remedy.upper()]
        raise Err(_types.Problem(remedy, problem.code, problem.message, problem.retry_after)) from None
    except Exception as error:
        log.error(_told(error))
        raise


def _told(error: Exception) -> str:
    """What went wrong, and where. `traceback` would look for the source, and a component has no files: to look ends it."""
    places, at = [], error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        places.append(f"  {code.co_filename}:{at.tb_lineno} in {code.co_name}")
        at = at.tb_next
    return "\n".join([f"{type(error).__name__}: {error}", *reversed(places)])


def read_json(text: str) -> Any:
    """JSON, with numbers that have a point or an exponent as `Decimal`: money keeps every digit. Raises `ValueError`."""
    return _json.loads(text, parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_MOMENT = _re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", _re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant(text: object) -> Instant | None:
    """A moment as shops write it, `2026-03-02T10:00:41.120Z` or `2026-03-02 10:00:41`; without a zone it is UTC. None for
    what is no moment from 1970 on. What is finer than a millisecond is cut off."""
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    date, time, fraction, zone = match.groups()
    try:
        at = datetime.fromisoformat(f"{date}T{time}+00:00")
    except ValueError:
        return None
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1) + int((fraction or "").ljust(3, "0")[:3]) - _offset(zone or "Z")
    return milliseconds if milliseconds >= 0 else None


def _offset(zone: str) -> int:
    """Milliseconds that a zone is ahead of UTC."""
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return (-minutes if zone.startswith("-") else minutes) * 60_000


_AMOUNT = _re.compile(r"-?\d{1,30}(\.\d{1,30})?", _re.ASCII)


def decimal(value: object) -> str | None:
    """An amount as exact decimal text, from text or from a number of JSON. None for what is no amount; a float is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text if _AMOUNT.fullmatch(text) else None


def from_hundredths(hundredths: object) -> str | None:
    """Whole hundredths (cents) as exact decimal text: 4900 is `49.00`. None for what is no whole number."""
    if isinstance(hundredths, bool) or not isinstance(hundredths, int):
        return None
    digits = str(abs(hundredths)).rjust(3, "0")
    return f"{'-' if hundredths < 0 else ''}{digits[:-2]}.{digits[-2:]}"


def id_text(value: object) -> str | None:
    """An id as text, from text or from a number of JSON. None for what is no id: blank, zero, no whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value > 0 else None
    return value if isinstance(value, str) and value.strip() else None


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _without_prefix(text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise _malformed("the signature does not begin as it must")
    return text[len(prefix) :]


def _unix_seconds(seconds: str) -> Instant:
    """Seconds since 1970, as milliseconds."""
    if not _re.fullmatch(r"\d{1,12}", seconds, _re.ASCII):
        raise _malformed("the signature's time is no number of seconds")
    return int(seconds) * 1000


def _one_holds(proofs: list[str], check: Callable[[str], None]) -> None:
    """Does one of the proofs hold? Otherwise raises what the last one met."""
    met = Problem.rejected("signature-missing", "there is no signature of the expected version")
    for proof in proofs[:MAX_SIGNATURES]:
        try:
            return check(proof)
        except Problem as problem:
            if problem.remedy != "none":
                raise
            met = problem
    raise met


def _malformed(message: str) -> Problem:
    return Problem.rejected("signature-malformed", message)
