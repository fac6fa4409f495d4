/// <reference path="./bursar-adapter-incoming.d.ts" />
/// <reference path="./bursar-adapter-types.d.ts" />
declare module 'bursar:adapter/adapter@0.1.0' {
  /**
   * Say what this adapter is. Called once, when the file is loaded.
   */
  export function describe(): Description;
  /**
   * Is this request the shop's? Called while the shop waits, so it should do little: find the proof, have it checked,
   * name the topic and the subject.
   */
  export function authenticate(request: Request): Verdict;
  /**
   * What does it say? Called after the shop got its 200, as often as it takes.
   */
  export function handle(delivery: Delivery): void;
  export type Problem = import('bursar:adapter/types@0.1.0').Problem;
  export type Request = import('bursar:adapter/incoming@0.1.0').Request;
  export type Verdict = import('bursar:adapter/incoming@0.1.0').Verdict;
  export type Delivery = import('bursar:adapter/incoming@0.1.0').Delivery;
  export type Description = import('bursar:adapter/incoming@0.1.0').Description;
}
