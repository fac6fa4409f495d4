//! `lms-write`: changes of the LMS that a run asks for.
//!
//! Owns the checks of what is asked for. Nothing is done here: what is handed in goes into the
//! [`book`](crate::run::book), beside the statements.

use bursar_domain::{
    CourseRun, Email, Mode, Username,
    effect::{AddressChange, Attribute, Change, EnrollmentChange, FullName},
};
use wasmtime::{Result, component::Resource};

use super::{Answered, ChangeMark, course, email, malformed, username};
use crate::{
    contract::bursar::adapter::lms_write as wit,
    error::RunErrorKind,
    limits,
    run::{book, state::RunState},
    shop::Permission,
};

/// A change of an enrollment while the guest puts it together. What it cannot be told of at once, because only
/// `submit` has an answer, is kept until then.
#[derive(Debug)]
pub(crate) struct ChangeDraft {
    change: Answered<EnrollmentChange>,
}

impl ChangeDraft {
    fn new(name: &str, run: &str) -> Self {
        let parse = || {
            Ok(EnrollmentChange {
                username: username(name)?,
                run: course(run)?,
                mode: None,
                active: None,
                force: false,
                attributes: Vec::new(),
            })
        };
        Self { change: parse() }
    }

    /// The first thing that is wrong is the one that is told.
    fn set(&mut self, set: impl FnOnce(&mut EnrollmentChange) -> Answered<()>) {
        if let Ok(change) = &mut self.change
            && let Err(refused) = set(change)
        {
            self.change = Err(refused);
        }
    }
}

impl RunState {
    fn draft_change(
        &mut self,
        change: &Resource<ChangeMark>,
        bytes: usize,
    ) -> std::result::Result<&mut ChangeDraft, RunErrorKind> {
        self.count_call(bytes)?;
        self.changes.get_mut(book::index(change.rep())).ok_or_else(book::unknown_handle)
    }

    fn hand_in(
        &mut self,
        key: String,
        bytes: usize,
        change: impl FnOnce() -> Answered<Change>,
    ) -> Result<Answered<()>> {
        self.count_call(key.len() + bytes)?;
        if let Err(refused) = self.permitted(Permission::LmsWrite) {
            return Ok(Err(refused));
        }
        match change() {
            Ok(change) => {
                self.book.hand_in(key, change)?;
                Ok(Ok(()))
            }
            Err(refused) => Ok(Err(refused)),
        }
    }
}

impl wit::Host for RunState {
    fn allow_enrollment(
        &mut self,
        key: String,
        address: String,
        run: String,
        auto_enroll: bool,
    ) -> Result<Answered<()>> {
        let bytes = address.len() + run.len();
        self.hand_in(key, bytes, || {
            let (email, run): (Email, CourseRun) = (email(&address)?, course(&run)?);
            Ok(Change::Address(AddressChange::Allow { email, run, auto_enroll }))
        })
    }

    fn disallow_enrollment(&mut self, key: String, address: String, run: String) -> Result<Answered<()>> {
        let bytes = address.len() + run.len();
        self.hand_in(key, bytes, || {
            Ok(Change::Address(AddressChange::Disallow { email: email(&address)?, run: course(&run)? }))
        })
    }

    fn register_account(&mut self, key: String, address: String, login: String, name: String) -> Result<Answered<()>> {
        let bytes = address.len() + login.len() + name.len();
        self.hand_in(key, bytes, || {
            let (email, username): (Email, Username) = (email(&address)?, username(&login)?);
            let name = FullName::parse(&name).map_err(|error| malformed("name-malformed", &error))?;
            Ok(Change::Address(AddressChange::Register { email, username, name }))
        })
    }
}

impl wit::HostEnrollmentChange for RunState {
    fn new(&mut self, username: String, course: String) -> Result<Resource<ChangeMark>> {
        self.count_call(username.len() + course.len())?;
        book::within(self.changes.len(), limits::EFFECTS, "changes of enrollments")?;
        self.changes.push(ChangeDraft::new(&username, &course));
        Ok(Resource::new_own(book::position(self.changes.len() - 1)?))
    }

    fn mode(&mut self, change: Resource<ChangeMark>, mode: String) -> Result<()> {
        self.draft_change(&change, mode.len())?.set(|change| {
            change.mode = Some(Mode::parse(&mode).map_err(|error| malformed("course-malformed", &error))?);
            Ok(())
        });
        Ok(())
    }

    fn active(&mut self, change: Resource<ChangeMark>, active: bool) -> Result<()> {
        self.draft_change(&change, 0)?.set(|change| {
            change.active = Some(active);
            Ok(())
        });
        Ok(())
    }

    fn force(&mut self, change: Resource<ChangeMark>) -> Result<()> {
        self.draft_change(&change, 0)?.set(|change| {
            change.force = true;
            Ok(())
        });
        Ok(())
    }

    fn attribute(
        &mut self,
        change: Resource<ChangeMark>,
        namespace: String,
        name: String,
        value: String,
    ) -> Result<()> {
        let draft = self.draft_change(&change, namespace.len() + name.len() + value.len())?;
        if let Ok(change) = &draft.change {
            book::within(change.attributes.len(), limits::ATTRIBUTES, "attributes of an enrollment")?;
        }
        draft.set(|change| {
            let attribute = Attribute::new(&namespace, &name, &value);
            change.attributes.push(attribute.map_err(|error| malformed("attribute-malformed", &error))?);
            Ok(())
        });
        Ok(())
    }

    fn submit(&mut self, change: Resource<ChangeMark>, key: String) -> Result<Answered<()>> {
        let change = self.draft_change(&change, 0)?.change.clone();
        self.hand_in(key, 0, || {
            let mut change = change?;
            if change.mode.is_none() && change.active.is_none() {
                change.active = Some(true);
            }
            Ok(Change::Enrollment(change))
        })
    }

    fn drop(&mut self, _: Resource<ChangeMark>) -> Result<()> {
        Ok(())
    }
}
