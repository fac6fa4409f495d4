declare module 'bursar:adapter/types@0.1.0' {
  /**
   * A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored. UTC, always.
   */
  export type Instant = bigint;
  /**
   * Who or what can still turn a problem into a success. These three are all there will ever be.
   * # Variants
   * 
   * ## `"none"`
   * 
   * Nothing can: the answer is definite. `authenticate` ending so refuses the request with 401; `handle` ending so
   * marks the delivery rejected, for a person to see, and never runs it again.
   * ## `"later"`
   * 
   * Time. `authenticate` ending so keeps the request unverified and asks again later; `handle` ending so is run
   * again after a growing pause.
   * ## `"operator"`
   * 
   * A person: a secret, a permission or a setting is missing or wrong. The delivery waits, and waiting uses up
   * none of its attempts.
   */
  export type Remedy = 'none' | 'later' | 'operator';
  /**
   * Why something could not be done.
   */
  export interface Problem {
    remedy: Remedy,
    /**
     * A stable lower-case word for programs. The host itself uses those in the table of this package's README
     * (`signature-mismatch`, `header-missing`, `too-old`, `wrong-phase`, `not-granted`, …); an adapter may add
     * its own.
     */
    code: string,
    /**
     * One sentence for people: lower-case, naming the thing. Must not hold a secret or personal data. Cut after 512
     * bytes.
     */
    message: string,
    /**
     * How long the adapter thinks waiting makes sense, in seconds. A wish: the host keeps it within its own bounds.
     */
    retryAfter?: number,
  }
}
