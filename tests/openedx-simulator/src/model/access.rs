//! Owns whether a course is open or full for a learner; must never change anything.

use jiff::Timestamp;

use super::records::{Course, User};
use super::{Model, fold};

impl Model {
    /// Whether `learner` may not enroll now (`docs/lms.md` 4.3). It is the learner who is judged, not the caller.
    pub(crate) fn is_closed(&self, learner: &User, course: &Course, now: Timestamp) -> bool {
        let email = fold(&learner.email);
        let allowed = self.allowed.iter().find(|record| record.course.is(&course.key) && fold(&record.email) == email);
        if let Some(record) = allowed {
            return record.user.is_some_and(|user| user != learner.id);
        }
        if learner.staff || learner.superuser {
            return false;
        }
        if course.invitation_only {
            return true;
        }
        let open = course.enrollment_start.is_none_or(|start| start < now)
            && course.enrollment_end.is_none_or(|end| now < end);
        !open
    }

    /// Whether every seat is taken.
    pub(crate) fn is_full(&self, course: &Course) -> bool {
        course.capacity.is_some_and(|capacity| {
            self.enrollments().iter().filter(|row| row.is_active && row.course.is(&course.key)).count() >= capacity
        })
    }
}
