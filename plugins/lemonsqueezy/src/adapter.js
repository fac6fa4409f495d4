// @ts-check
/**
 * Bursar's adapter for Lemon Squeezy.
 *
 * It reads what a store signs, decides by the body alone, because the header with the event's name is not signed, and never
 * asks the shop anything: its world is `minimal`. The facts that it rests on are numbered in `docs/shops/lemon-squeezy.md`.
 *
 * # Money and holds
 *
 * | order | payment | holds | lifts |
 * |---|---|---|---|
 * | `paid`, `partial_refund` | paid | | disputed |
 * | `pending`, `failed` | unpaid | | |
 * | `refunded`, or `refunded: true` | undecided | refunded | |
 * | `fraudulent` | undecided | disputed | |
 * | any other | undecided; review if nothing of the order gave access before | | |
 *
 * Part of the money back is stated as an amount, in hundredths as Lemon Squeezy counts.
 *
 * # Subscriptions
 *
 * A subscription names its order and the order's item, so it is stated as a patch of that line: until when it is paid.
 * Payment and learner are the order's to say. A line keeps its end whatever the order says later, because an order never
 * names one.
 *
 * | subscription | the right ends |
 * |---|---|
 * | `on_trial` | `trial_ends_at` |
 * | `active`, `paused` | `renews_at` |
 * | `cancelled`, `expired` | `ends_at` |
 * | `past_due`, `unpaid` | when it was to end before; if nothing is known, when the shop said so |
 *
 * # Revision
 *
 * `[updated_at in milliseconds, final]`: `updated_at` of the signed object has whole seconds, so that of two states of one
 * second the one that ends things (refunded, fraudulent, expired) wins. Events that come shuffled change nothing. An order
 * and its subscription are two objects that state one line: what the older of them alone says is filled in by the ledger.
 */

import { Description, Verdict, defineAdapter, signatures } from "../../sdk-javascript/bursar.js";
import { read } from "./body.js";
import { SCHEMA, read as settings } from "./settings.js";
import { reportInvoice, stateOrder, stateSubscription } from "./statement.js";

/** The name of the shop's one secret. */
const SECRET = "webhook";

/** What objects this adapter reads; of others, license keys say, there is nothing to keep. */
const TYPES = ["orders", "subscriptions", "subscription-invoices"];

/** Parts of a body that no rule here needs, and that say much about a person or open a page of theirs. */
const PERSONAL = ["user_name", "user_name_formatted", "card_brand", "card_last_four", "urls", "tax_name", "tax_rate"];

const TOPICS = [
  ["order_created", "an order was placed"],
  ["order_refunded", "money of an order went back, all of it or a part"],
  ["subscription_created", "a subscription began"],
  ["subscription_updated", "a subscription changed, was renewed above all"],
  ["subscription_cancelled", "a subscription will not be renewed; it is valid until it ends"],
  ["subscription_resumed", "a cancelled subscription goes on"],
  ["subscription_expired", "a subscription ended"],
  ["subscription_paused", "payments of a subscription pause"],
  ["subscription_unpaused", "payments of a subscription go on"],
  ["subscription_payment_refunded", "money of one payment of a subscription went back"],
];

export const adapter = defineAdapter({
  describe() {
    const description = new Description("lemonsqueezy", "0.1.0")
      .secret(SECRET, "the signing secret of the store's webhook")
      .settings(SCHEMA);
    for (const [name, meaning] of TOPICS) description.topic(name, meaning);
    for (const name of PERSONAL) description.redactBody(`/data/attributes/${name}`);
    return description;
  },

  authenticate(request) {
    signatures.hmacHex(request, "x-signature", SECRET);
    const body = read(request);
    if (!TYPES.includes(body.type)) return Verdict.ignore("neither an order nor a subscription");
    const verdict = Verdict.accept(body.event);
    verdict.about(body.order ?? `${body.type} ${body.id}`);
    if (body.modified !== null) {
      // There is no id of the event. These are all signed; whatever else differs makes it another body, which is kept.
      verdict.key(`${body.event} ${body.type} ${body.id} ${body.modified}`).occurredAt(body.modified);
    }
    return verdict;
  },

  handle(delivery) {
    const body = read(delivery.request());
    if (body.type === "orders") stateOrder(body, settings());
    else if (body.type === "subscriptions") stateSubscription(body, delivery, settings());
    else reportInvoice(body, delivery);
  },
});
