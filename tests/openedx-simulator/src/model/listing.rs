//! Owns which enrollments the staff list shows and how its pages follow each other; must never know HTTP.

use jiff::Timestamp;

use super::records::Enrollment;
use super::{Model, fold};

/// What the list is narrowed to. Empty means everything; several narrow further.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) course: Option<String>,
    /// Any part of a course key, in any case.
    pub(crate) course_parts: Vec<String>,
    pub(crate) usernames: Vec<String>,
    pub(crate) emails: Vec<String>,
}

/// Where a page begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) offset: usize,
    pub(crate) reverse: bool,
    pub(crate) position: Option<Timestamp>,
}

/// A page and the cursors of its neighbours.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<Enrollment>,
    pub(crate) next: Option<Cursor>,
    pub(crate) previous: Option<Cursor>,
}

impl Model {
    /// One page, newest first. No two rows were made at the same moment, so a moment is a place in the list.
    pub(crate) fn page(&self, filter: &Filter, cursor: &Cursor, size: usize) -> Page {
        let mut rows: Vec<&Enrollment> = self.enrollments().iter().filter(|row| self.matches(filter, row)).collect();
        rows.sort_by_key(|row| row.created);
        if !cursor.reverse {
            rows.reverse();
        }
        let mut rows: Vec<Enrollment> = rows
            .into_iter()
            .filter(|row| match cursor.position {
                None => true,
                Some(position) if cursor.reverse => row.created > position,
                Some(position) => row.created < position,
            })
            .skip(cursor.offset)
            .take(size.saturating_add(1))
            .cloned()
            .collect();
        let more = rows.len() > size;
        rows.truncate(size);
        let came_from = cursor.position.is_some() || cursor.offset > 0;
        if cursor.reverse {
            rows.reverse();
        }
        let (older, newer) = if cursor.reverse { (came_from, more) } else { (more, came_from) };
        let at = |row: Option<&Enrollment>, reverse| Cursor {
            offset: 0,
            reverse,
            // A page behind the end has no row to point at; the place it was asked for serves instead.
            position: row.map(|row| row.created).or(cursor.position),
        };
        Page { next: older.then(|| at(rows.last(), false)), previous: newer.then(|| at(rows.first(), true)), rows }
    }

    fn matches(&self, filter: &Filter, row: &Enrollment) -> bool {
        let key = row.course.as_str();
        let Some(user) = self.user(row.user) else { return false };
        let any =
            |wanted: &[String], have: &str| wanted.is_empty() || wanted.iter().any(|wanted| fold(wanted) == fold(have));
        filter.course.as_deref().is_none_or(|course| fold(course) == fold(key))
            && (filter.course_parts.is_empty()
                || filter.course_parts.iter().any(|part| fold(key).contains(&fold(part))))
            && any(&filter.usernames, &user.username)
            && any(&filter.emails, &user.email)
    }

    /// The active enrollments of one account, oldest first, without those whose course is gone.
    pub(crate) fn active_enrollments(&self, username: &str) -> Vec<Enrollment> {
        let Some(user) = self.user_by_name(username) else { return Vec::new() };
        let mut rows: Vec<Enrollment> = self
            .enrollments()
            .iter()
            .filter(|row| row.user == user.id && row.is_active && self.course(&row.course).is_some())
            .cloned()
            .collect();
        rows.sort_by_key(|row| row.created);
        rows
    }
}
