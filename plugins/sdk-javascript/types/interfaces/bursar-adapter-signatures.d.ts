/// <reference path="./bursar-adapter-types.d.ts" />
declare module 'bursar:adapter/signatures@0.1.0' {
  /**
   * An HMAC (RFC 2104) of the parts, joined without anything between them.
   */
  export function hmac(secret: string, form: KeyForm, hash: Hash, signed: Array<Part>, proof: Proof): void;
  /**
   * A key that the shop sends along as it is, in a header, the path or the body.
   */
  export function sharedKey(secret: string, presented: Uint8Array): void;
  /**
   * An Ed25519 signature (RFC 8032) by one of the set's keys.
   */
  export function ed25519(keySet: string, signed: Array<Part>, proof: Proof): void;
  /**
   * A compact JWS with a detached payload, `header..signature`, over the body as it is (RFC 7797, `b64: false`,
   * with or without `crit`). Refused: any other `crit`, a payload of its own, an algorithm not in `algorithms`.
   * When the keys cannot be fetched the problem is `keys-unreachable` with remedy `later`.
   */
  export function detachedJws(keySet: string, algorithms: Array<string>, jws: string): void;
  /**
   * Lies `at` within the tolerance of `received-at`, before or after? Otherwise `too-old` or `too-new`.
   * A tolerance over 86,400 seconds is taken as 86,400.
   */
  export function fresh(at: Instant, toleranceSeconds: number): void;
  export type Instant = import('bursar:adapter/types@0.1.0').Instant;
  export type Problem = import('bursar:adapter/types@0.1.0').Problem;
  /**
   * A piece of the signed text.
   */
  export type Part = PartBody | PartText | PartBytes;
  /**
   * The request's body as it arrived; it is not copied.
   */
  export interface PartBody {
    tag: 'body',
  }
  /**
   * UTF-8.
   */
  export interface PartText {
    tag: 'text',
    val: string,
  }
  export interface PartBytes {
    tag: 'bytes',
    val: Uint8Array,
  }
  /**
   * What the sender presents.
   */
  export type Proof = ProofHex | ProofBase64 | ProofBytes;
  /**
   * Lower-case hexadecimal.
   */
  export interface ProofHex {
    tag: 'hex',
    val: string,
  }
  /**
   * RFC 4648 section 4: standard alphabet, padded.
   */
  export interface ProofBase64 {
    tag: 'base64',
    val: string,
  }
  export interface ProofBytes {
    tag: 'bytes',
    val: Uint8Array,
  }
  /**
   * # Variants
   * 
   * ## `"sha1"`
   * 
   * ## `"sha256"`
   * 
   * ## `"sha512"`
   */
  export type Hash = 'sha1' | 'sha256' | 'sha512';
  /**
   * How the secret's configured text becomes the key's bytes.
   * # Variants
   * 
   * ## `"text"`
   * 
   * The UTF-8 of the text.
   * ## `"base64"`
   * 
   * The text decoded from base64, after a leading `whsec_` if there is one.
   * ## `"hex"`
   * 
   * The text decoded from hexadecimal.
   */
  export type KeyForm = 'text' | 'base64' | 'hex';
}
