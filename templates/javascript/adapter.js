// @ts-check
/**
 * The adapter for {{platform}}: for now, for a shop that is made up.
 *
 * Its webhooks are JSON, signed by the hex HMAC-SHA256 of the body in the header `X-Shop-Signature`. Each carries the whole
 * order, and the moment at which it last changed.
 */

import { Description, Problem, Verdict, defineAdapter, orders, signatures } from "./vendor/bursar-adapter/bursar.js";

/** As in package.json: `bursar adapter check` compares the two. */
const VERSION = "0.1.0";

/** The operator gives the shop's secret under this name. The adapter never sees the secret itself. */
const SECRET = "webhook";

const PAID = "order.paid";
const REFUNDED = "order.refunded";

/**
 * @param {any} webhook
 * @returns {any}
 */
function orderOf(webhook) {
  if (typeof webhook?.order !== "object" || webhook.order === null || !Array.isArray(webhook.order.lines)) {
    throw Problem.rejected("body-unexpected", "the webhook carries no order");
  }
  return webhook.order;
}

export const adapter = defineAdapter({
  describe: () =>
    new Description("{{platform}}", VERSION)
      .topic(PAID, "an order was paid")
      .topic(REFUNDED, "lines of an order were refunded")
      .secret(SECRET, "the secret of the shop's webhooks"),

  /** Is it the shop's? The proof comes first: what is read before it may be anybody's. */
  authenticate(request) {
    signatures.hmacHex(request, "x-shop-signature", SECRET);
    const webhook = request.json();
    if (webhook?.event !== PAID && webhook?.event !== REFUNDED) {
      return Verdict.ignore(`event ${webhook?.event}`);
    }
    return Verdict.accept(webhook.event).about(orderOf(webhook).id);
  },

  /** What does it say? Facts only: who may have which course follows from them in the host. */
  handle(delivery) {
    const sold = orderOf(delivery.request().json());
    // The moment decides which of two statements is newer, in whatever order they arrive.
    const order = orders.snapshot(sold.id, [sold.changed_at]);
    order.payment("paid").learnerEmail(sold.learner);
    for (const line of sold.lines) {
      order
        .line(line.id)
        .product([["sku", line.sku]], line.title)
        .quantity(line.quantity)
        .refundedQuantity(line.refunded);
    }
  },
});
