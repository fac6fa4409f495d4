//! Owns which enrollments the staff list shows and how its pages follow each other; must never know HTTP.

use std::collections::HashSet;

use jiff::Timestamp;

use super::records::{Enrollment, User, UserId};
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
        let chosen = self.chosen(filter);
        let mut rows: Vec<&Enrollment> = self.enrollments().iter().filter(|row| chosen.has(row)).collect();
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

    fn chosen(&self, filter: &Filter) -> Chosen {
        // No two accounts share a name or an address, so that accounts can be compared instead of texts.
        let ids = |wanted: &[String], find: &dyn Fn(&str) -> Option<UserId>| {
            (!wanted.is_empty()).then(|| wanted.iter().filter_map(|wanted| find(wanted)).collect())
        };
        Chosen {
            course: filter.course.as_deref().map(fold),
            course_parts: filter.course_parts.iter().map(|part| fold(part)).collect(),
            names: ids(&filter.usernames, &|name| self.user_by_name(name).map(|user: &User| user.id)),
            emails: ids(&filter.emails, &|email| self.user_by_email(email).map(|user: &User| user.id)),
        }
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

/// A filter, looked up. What it does not name is not narrowed.
struct Chosen {
    course: Option<String>,
    course_parts: Vec<String>,
    names: Option<HashSet<UserId>>,
    emails: Option<HashSet<UserId>>,
}

impl Chosen {
    fn has(&self, row: &Enrollment) -> bool {
        let among = |ids: &Option<HashSet<UserId>>| ids.as_ref().is_none_or(|ids| ids.contains(&row.user));
        if !among(&self.names) || !among(&self.emails) {
            return false;
        }
        if self.course.is_none() && self.course_parts.is_empty() {
            return true;
        }
        let key = fold(row.course.as_str());
        self.course.as_ref().is_none_or(|course| *course == key)
            && (self.course_parts.is_empty() || self.course_parts.iter().any(|part| key.contains(part)))
    }
}
