declare module 'bursar:adapter/logging@0.1.0' {
  export function log(level: Level, message: string): void;
  /**
   * # Variants
   * 
   * ## `"debug"`
   * 
   * ## `"info"`
   * 
   * ## `"warning"`
   * 
   * ## `"error"`
   */
  export type Level = 'debug' | 'info' | 'warning' | 'error';
}
