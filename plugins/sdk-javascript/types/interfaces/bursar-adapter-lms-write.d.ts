/// <reference path="./bursar-adapter-types.d.ts" />
declare module 'bursar:adapter/lms-write@0.1.0' {
  /**
   * Let the owner of an address enroll, also in a course run that is closed or by invitation only. With `auto-enroll` the
   * LMS enrolls them by itself, in the default mode, when they register and confirm the address. Where there is such a
   * permission already it stays as it is. The LMS does not check that the course run exists. Problems:
   * `email-malformed`, `course-malformed`.
   */
  export function allowEnrollment(key: string, email: string, course: string, autoEnroll: boolean): void;
  /**
   * Take such a permission away, whoever gave it. Whoever has used it stays enrolled. Problems as above.
   */
  export function disallowEnrollment(key: string, email: string, course: string): void;
  /**
   * Register an account, with a password that nobody knows: its owner asks the LMS for a new one. The LMS mails them to
   * confirm the address. Where the address has an account already that is the end of it, whatever its username is; where
   * only the username is taken, it is refused. Problems: `email-malformed`, `username-malformed`, `name-malformed`.
   */
  export function registerAccount(key: string, email: string, username: string, name: string): void;
  export type Problem = import('bursar:adapter/types@0.1.0').Problem;
  
  export class EnrollmentChange implements Disposable {
    constructor(username: string, course: string)
    /**
    * The mode to have. Alone, it leaves the enrollment as active as it is, and makes one that is not there. With
    * `active(false)`: end the enrollment only if it is in this mode; the LMS refuses otherwise.
    */
    mode(mode: string): void;
    /**
    * Give access, or end it. An enrollment that is not there is ended already.
    */
    active(active: boolean): void;
    /**
    * Enroll although the course run is closed or by invitation only, or the mode has expired. The LMS heeds it for new
    * enrollments only, and never where all seats are taken.
    */
    force(): void;
    /**
    * A note on the enrollment, at most 32. The LMS shows it to nobody again, and replaces all notes by new ones.
    */
    attribute(namespace: string, name: string, value: string): void;
    /**
    * Hand it in. Problems, and then nothing was: `username-malformed`, `course-malformed` (also a mode that is none),
    * `attribute-malformed` (a blank part, one of more than 255 characters, or an `order`/`date_placed` that is not like
    * `2026-11-23T09:15:00Z`, with which the LMS could never end the enrollment).
    */
    submit(key: string): void;
    [Symbol.dispose](): void;
  }
}
