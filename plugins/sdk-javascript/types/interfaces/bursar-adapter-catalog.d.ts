declare module 'bursar:adapter/catalog@0.1.0' {
  /**
   * Course runs and modes of the first id that the catalog knows; none if it knows none of them.
   */
  export function courses(product: Array<[string, string]>): Array<[string, string]>;
}
