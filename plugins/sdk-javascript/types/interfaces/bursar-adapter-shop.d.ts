/// <reference path="./bursar-adapter-types.d.ts" />
declare module 'bursar:adapter/shop@0.1.0' {
  export type Problem = import('bursar:adapter/types@0.1.0').Problem;
  
  export class Answer implements Disposable {
    /**
     * This type does not have a public constructor.
     */
    private constructor();
    status(): number;
    header(name: string): string | undefined;
    body(): Uint8Array;
    [Symbol.dispose](): void;
  }
  
  export class Call implements Disposable {
    /**
    * The path is joined to the configured origin; it cannot leave it.
    */
    constructor(method: string, pathAndQuery: string)
    header(name: string, value: string): void;
    body(contentType: string, bytes: Uint8Array): void;
    /**
    * Send it and wait. An answer of the shop is an answer, whatever its status; 429, 5xx and silence that outlast the
    * host's own patience are problems with remedy `later`.
    */
    send(): Answer;
    [Symbol.dispose](): void;
  }
}
