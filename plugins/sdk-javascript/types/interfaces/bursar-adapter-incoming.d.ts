/// <reference path="./bursar-adapter-types.d.ts" />
declare module 'bursar:adapter/incoming@0.1.0' {
  export type Instant = import('bursar:adapter/types@0.1.0').Instant;
  export type Problem = import('bursar:adapter/types@0.1.0').Problem;
  
  export class Delivery implements Disposable {
    /**
     * This type does not have a public constructor.
     */
    private constructor();
    request(): Request;
    /**
    * `dlv_…`, unique for ever.
    */
    id(): string;
    /**
    * As given to `verdict.accept`.
    */
    topic(): string;
    /**
    * `webhook`: the shop sent it. `backfill`: Bursar asked the shop. `operator`: a person had it run again.
    */
    origin(): string;
    /**
    * Which try this is, from 1.
    */
    attempt(): number;
    /**
    * There is nothing to do, and why. May be called more than once; shown in the delivery's timeline.
    */
    ignored(reason: string): void;
    /**
    * A person should look at this delivery. Facts stated through `orders` hold all the same.
    */
    review(reason: string): void;
    /**
    * The shop asks that somebody be forgotten: of every stored request of this shop about this subject, as it was given to
    * `verdict.about`, path, query, headers and body are blanked. Of finished deliveries when this run is committed, of
    * others once they are finished, and of this one too if it is about the subject. Orders stay, and so does the access
    * that was paid for. At most 1,000 subjects a run.
    */
    forget(subject: string): void;
    [Symbol.dispose](): void;
  }
  
  export class Description implements Disposable {
    /**
    * `platform` names the adapter in the configuration (`adapter = "woocommerce"`): lower-case letters, digits and
    * hyphens, beginning with a letter, at most 64. `version` is the adapter's own, as in Semantic Versioning.
    */
    constructor(platform: string, version: string)
    /**
    * A topic that the adapter understands, and what it means in a few words.
    */
    topic(name: string, meaning: string): void;
    /**
    * A secret without which the shop cannot be served, and what it is for in the operator's words.
    */
    secret(name: string, purpose: string): void;
    /**
    * A secret that some shops have.
    */
    optionalSecret(name: string, purpose: string): void;
    /**
    * A permission (`shop`, `lms-read`, `lms-write`) that the adapter can do without, and what it gains by it, in the operator's
    * words. Where a shop does not grant it the adapter runs all the same, and every call of that interface is the problem
    * `not-granted`. All other permissions that it imports must be granted before it serves a shop.
    */
    optionalPermission(name: string, purpose: string): void;
    /**
    * A set of public keys. Where it is fetched from is the operator's configuration, never the request.
    */
    keySet(name: string, purpose: string): void;
    /**
    * The settings an operator may give, as a JSON Schema of type `object` in the subset that the author guide
    * lists. The host checks them before anything starts and fills in the defaults.
    */
    settings(schema: string): void;
    /**
    * A header to blank before anything is stored or logged. A request whose redacted part is its proof is never
    * kept unverified.
    */
    redactHeader(name: string): void;
    /**
    * A part of a JSON body to blank likewise, as a JSON Pointer (RFC 6901).
    */
    redactBody(jsonPointer: string): void;
    /**
    * Path and query to blank likewise, for platforms that can prove themselves only by the address that they know: what is
    * stored has the path `/***` and no query.
    */
    redactAddress(): void;
    /**
    * A text that the operator pastes into the shop, the query of a subscription say: its name, as a secret's is; what it
    * is for, in the operator's words; and the text, byte for byte. Not empty, at most 64 KiB, line ends (`\n`) and tabs
    * its only control characters; anything else, and the adapter is refused.
    */
    document(name: string, purpose: string, text: string): void;
    [Symbol.dispose](): void;
  }
  
  export class Request implements Disposable {
    /**
     * This type does not have a public constructor.
     */
    private constructor();
    /**
    * Upper-case, `POST` for every request that reaches an adapter today.
    */
    method(): string;
    /**
    * What follows `/webhooks/{shop}`, undecoded: empty, or beginning with `/`.
    */
    path(): string;
    /**
    * What follows `?`, undecoded, without the `?`; empty where there is none.
    */
    query(): string;
    /**
    * The value of the one header of this name; the name in any case. Problems, each with remedy `none`:
    * `header-missing`; `header-repeated` (which of the two did the sender sign?); `header-not-text` (outside UTF-8).
    */
    header(name: string): string;
    /**
    * Every header in the order of arrival, names in lower case, repeated ones repeated.
    */
    headers(): Array<[string, Uint8Array]>;
    /**
    * The body, byte for byte. Signatures are checked over these bytes by `signatures`, without copying them in here.
    */
    body(): Uint8Array;
    /**
    * When the host had read the request, by the host's clock. No other time is fit to judge a signature's age by.
    */
    receivedAt(): Instant;
    [Symbol.dispose](): void;
  }
  
  export class Verdict implements Disposable {
    /**
     * This type does not have a public constructor.
     */
    private constructor();
    /**
    * Genuine, and to be handled: stored, then answered 200. The topic is shown to people and given to `handle`;
    * most platforms do not sign it, so it must decide nothing that the body can decide.
    */
    static accept(topic: string): Verdict;
    /**
    * Genuine, but of no interest: answered 200 and counted under the reason, never stored.
    */
    static ignore(reason: string): Verdict;
    /**
    * A handshake that wants a particular answer; nothing is stored. `status` must be 200 to 299, `content-type`
    * `text/plain` or `application/json`, the body at most 4 KiB; anything else is the problem `answer-refused`.
    */
    static respond(status: number, contentType: string, body: Uint8Array): Verdict;
    /**
    * What the delivery is about, an order id say. Deliveries about one subject of one shop are never handled at
    * the same time. Without it a delivery waits for nothing.
    */
    about(subject: string): void;
    /**
    * An id that is *covered by the signature* and names this event: a second delivery with the same key and the
    * same body is answered 200 and dropped. Leave it out where the platform signs no such id: the ledger takes
    * repetition in its stride.
    */
    key(id: string): void;
    /**
    * When the shop says that it happened. For people.
    */
    occurredAt(at: Instant): void;
    /**
    * What to answer, once the delivery is stored, in place of 200 with an empty body. Same bounds as `respond`,
    * and the same for a repeated delivery.
    */
    answer(status: number, contentType: string, body: Uint8Array): void;
    [Symbol.dispose](): void;
  }
}
