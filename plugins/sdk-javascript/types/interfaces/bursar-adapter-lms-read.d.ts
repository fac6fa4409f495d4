/// <reference path="./bursar-adapter-types.d.ts" />
declare module 'bursar:adapter/lms-read@0.1.0' {
  /**
   * The accounts of these addresses, in no particular order; unknown addresses are left out, and so are people who asked
   * the LMS to forget them. At most 100 addresses. Blank and malformed ones are the problem `email-malformed`, and nothing
   * is asked.
   */
  export function accountsByEmail(emails: Array<string>): Array<Account>;
  /**
   * None also for somebody who asked the LMS to forget them. Problem: `username-malformed`.
   */
  export function accountByUsername(username: string): Account | undefined;
  /**
   * Active and inactive ones; an empty list also for a user whom the LMS does not know. Problem: `username-malformed`.
   */
  export function enrollmentsOf(username: string): Array<Enrollment>;
  /**
   * Active or inactive; none also where the LMS does not know the user or the course run. Problems:
   * `username-malformed`, `course-malformed`.
   */
  export function enrollmentOf(username: string, course: string): Enrollment | undefined;
  /**
   * The pre-authorisations of an address, as the LMS's JSON array. Problem: `email-malformed`.
   */
  export function enrollmentsAllowed(email: string): string;
  /**
   * Dates and modes of a course run, expired ones too, as the LMS's JSON object, up to a minute old; none if it does not
   * exist. Problem: `course-malformed`.
   */
  export function courseDetails(run: string): string | undefined;
  export type Problem = import('bursar:adapter/types@0.1.0').Problem;
  export interface Account {
    /**
     * The LMS's user id, which never changes.
     */
    id: bigint,
    username: string,
    email: string,
    /**
     * The address is confirmed.
     */
    active: boolean,
    json: string,
  }
  export interface Enrollment {
    /**
     * The course run's key.
     */
    course: string,
    mode: string,
    active: boolean,
    json: string,
  }
}
