declare module 'bursar:adapter/settings@0.1.0' {
  /**
   * The shop's name, as in `/webhooks/{shop}`.
   */
  export function shopName(): string;
  /**
   * The shop's settings as a JSON object: checked against the adapter's schema, defaults filled in.
   */
  export function json(): string;
}
