/// <reference path="./bursar-adapter-types.d.ts" />
declare module 'bursar:adapter/orders@0.1.0' {
  /**
   * The lines of an order of this shop; none if it is unknown. Not in `authenticate` or `describe` (`wrong-phase` is
   * logged, and the list is empty).
   */
  export function known(order: string): Array<KnownLine>;
  export type Instant = import('bursar:adapter/types@0.1.0').Instant;
  export type Problem = import('bursar:adapter/types@0.1.0').Problem;
  /**
   * How new a fact is: numbers compared one by one from the left, `[modified-at, refunds]` for example. Of two
   * statements about one line the one with the smaller revision is recorded as stale and changes nothing; of two equal
   * ones the later arrival wins. One to eight numbers; a platform uses the same count always.
   */
  export type Revision = BigUint64Array;
  /**
   * Has the shop got the money?
   * # Variants
   * 
   * ## `"paid"`
   * 
   * Yes, or none is owed.
   * ## `"unpaid"`
   * 
   * No.
   * ## `"undecided"`
   * 
   * It cannot be told from this (on hold, authorised only): what was known before stays.
   */
  export type Payment = 'paid' | 'unpaid' | 'undecided';
  /**
   * Why a paid line gives no access for the time being. Each cause stands by itself, and only its own lifting ends it.
   * # Variants
   * 
   * ## `"refunded"`
   * 
   * All the money for it went back.
   * ## `"cancelled"`
   * 
   * The sale was called off.
   * ## `"deleted"`
   * 
   * Binned or erased in the shop. Housekeeping as a rule, so the operator's `on_delete` decides what it means.
   * ## `"disputed"`
   * 
   * A chargeback or claim is open.
   */
  export type Cause = 'refunded' | 'cancelled' | 'deleted' | 'disputed';
  
  export class KnownLine implements Disposable {
    /**
     * This type does not have a public constructor.
     */
    private constructor();
    id(): string;
    /**
    * Paid, still in the order and free of holds.
    */
    active(): boolean;
    quantity(): number;
    refundedQuantity(): number;
    /**
    * The newest revision stated of it: what a fact that carries no time of its own has to match.
    */
    revision(): Revision;
    /**
    * As given to `line.product`.
    */
    product(): Array<[string, string]>;
    /**
    * The course runs kept for the line, each with its mode.
    */
    courses(): Array<[string, string]>;
    until(): Instant | undefined;
    [Symbol.dispose](): void;
  }
  
  export class Line implements Disposable {
    /**
     * This type does not have a public constructor.
     */
    private constructor();
    /**
    * The product, as the catalog may know it, most exact first: `[("variation","31"),("product","7"),("sku","SAIL")]`.
    * The host finds the course runs once and keeps them for this line; a paid line of an unknown product waits for a
    * person. The title is for people.
    */
    product(ids: Array<[string, string]>, title: string): void;
    /**
    * A course run that the order itself names, for when the catalog does not know the product. Several are fine. Without a
    * mode the shop's default is meant. Problem: `course-malformed`.
    */
    course(run: string, mode: string | undefined): void;
    /**
    * The line that this one came with (the bundle): what holds the parent holds this line.
    */
    parent(id: string): void;
    /**
    * Who learns. As `order.learner-email`: after a malformed address the line waits for a person, it does not fall back
    * to the order's learner.
    */
    learnerEmail(address: string): void;
    /**
    * Problem: `username-malformed`.
    */
    learnerUsername(name: string): void;
    /**
    * Somebody as a login provider of the site knows them. Problem: `identity-malformed`.
    */
    learnerExternal(provider: string, id: string): void;
    /**
    * How many were sold; 1 if not said.
    */
    quantity(count: number): void;
    /**
    * How many of them were refunded; 0 if not said.
    */
    refundedQuantity(count: number): void;
    /**
    * The right ends at that moment unless a later statement extends it. Without it, it does not end.
    */
    until(at: Instant): void;
    /**
    * As `order.hold`, for this line only.
    */
    hold(cause: Cause, evidence: string): void;
    /**
    * As `order.lift`, for this line only.
    */
    lift(cause: Cause, evidence: string): void;
    /**
    * A person should look at this line, and why.
    */
    review(reason: string): void;
    [Symbol.dispose](): void;
  }
  
  export class Order implements Disposable {
    /**
     * This type does not have a public constructor.
     */
    private constructor();
    /**
    * The whole order: a line known from before and not named now is gone. If that would empty an order that had
    * something, and no cause is given, a person is asked instead.
    */
    static snapshot(id: string, revision: Revision): Order;
    /**
    * A part of the order: only what is named is stated. May arrive before anything else about the order.
    */
    static patch(id: string, revision: Revision): Order;
    /**
    * What people call the order, where that is not its id.
    */
    number(text: string): void;
    /**
    * A mark of the order that never changes, such as its key. Another one under a known id asks a person, because
    * then it is likely another order (a shop restored from a backup, a copy of it).
    */
    fingerprint(text: string): void;
    /**
    * Where the order says that it was sold: the address of the shop, `https://shop.example.org`, out of what the
    * platform signs. Another one than the operator expects, or than this order said before, asks a person, because then
    * it comes from a copy of the shop.
    */
    origin(address: string): void;
    placedAt(at: Instant): void;
    /**
    * A test order: it touches a live LMS only where the operator accepts test orders.
    */
    test(): void;
    payment(state: Payment): void;
    /**
    * The cause holds every line, known now or later. The evidence says what shows it (`status=cancelled`).
    */
    hold(cause: Cause, evidence: string): void;
    /**
    * The cause no longer holds, and what shows it.
    */
    lift(cause: Cause, evidence: string): void;
    /**
    * Money went back, and the shop does not say for what. Decimal text, `amount` out of `total`; `currency` as in
    * ISO 4217. When all of it went back every line is refunded; when a part did, a person is told and access stays.
    */
    refundedAmount(amount: string, currency: string, total: string): void;
    /**
    * Who learns, for lines that do not say. Blank counts as not given. Malformed is the problem `email-malformed`:
    * it is never replaced by somebody else's, and never looked up.
    */
    learnerEmail(address: string): void;
    /**
    * One line of the order, by the id that the shop gives it. The same id again continues the same line.
    */
    line(id: string): Line;
    /**
    * A person should look at this order, and why.
    */
    review(reason: string): void;
    [Symbol.dispose](): void;
  }
}
