//! `shop`, `lms-read` and `lms-write`: linked, so that adapters which import them can be loaded; not served yet.
//!
//! Owns the order of refusals: the phase, the permission, then that it is not available. Calls nothing.

use wasmtime::{Result, component::Resource};

use super::{AnswerMark, CallMark, ChangeMark, refusal};
use crate::{
    contract::bursar::adapter::{
        lms_read, lms_write, shop,
        types::{Problem, Remedy},
    },
    run::state::{Phase, RunState},
    shop::Permission,
};

type Answered<T> = std::result::Result<T, Problem>;

impl RunState {
    /// Counts the call and says why it does not happen.
    fn refuse<T>(&mut self, permission: Permission, texts: &[&str]) -> Result<Answered<T>> {
        self.count_call(texts.iter().map(|text| text.len()).sum())?;
        if self.phase != Phase::Handle {
            return Ok(Err(refusal(
                Remedy::Operator,
                "wrong-phase",
                format!("`{permission}` may be called in `handle` only"),
            )));
        }
        if !self.shop.as_ref().is_some_and(|shop| shop.permissions.contains(&permission)) {
            return Ok(Err(refusal(
                Remedy::Operator,
                "not-granted",
                format!("the shop does not grant the permission `{permission}`"),
            )));
        }
        Ok(Err(refusal(
            Remedy::Operator,
            "not-available",
            format!("this version of the host does not serve `{permission}` yet"),
        )))
    }
}

impl shop::Host for RunState {}

impl shop::HostCall for RunState {
    fn new(&mut self, method: String, path_and_query: String) -> Result<Resource<CallMark>> {
        self.count_call(method.len() + path_and_query.len())?;
        Ok(Resource::new_own(0))
    }

    fn header(&mut self, _: Resource<CallMark>, name: String, value: String) -> Result<()> {
        Ok(self.count_call(name.len() + value.len())?)
    }

    fn body(&mut self, _: Resource<CallMark>, content_type: String, bytes: Vec<u8>) -> Result<()> {
        Ok(self.count_call(content_type.len() + bytes.len())?)
    }

    fn send(&mut self, _: Resource<CallMark>) -> Result<Answered<Resource<AnswerMark>>> {
        self.refuse(Permission::Shop, &[])
    }

    fn drop(&mut self, _: Resource<CallMark>) -> Result<()> {
        Ok(())
    }
}

impl shop::HostAnswer for RunState {
    fn status(&mut self, _: Resource<AnswerMark>) -> Result<u16> {
        Err(crate::run::book::unknown_handle().into())
    }

    fn header(&mut self, _: Resource<AnswerMark>, _: String) -> Result<Option<String>> {
        Err(crate::run::book::unknown_handle().into())
    }

    fn body(&mut self, _: Resource<AnswerMark>) -> Result<Vec<u8>> {
        Err(crate::run::book::unknown_handle().into())
    }

    fn drop(&mut self, _: Resource<AnswerMark>) -> Result<()> {
        Ok(())
    }
}

impl lms_read::Host for RunState {
    fn accounts_by_email(&mut self, emails: Vec<String>) -> Result<Answered<Vec<lms_read::Account>>> {
        let emails: Vec<_> = emails.iter().map(String::as_str).collect();
        self.refuse(Permission::LmsRead, &emails)
    }

    fn account_by_username(&mut self, username: String) -> Result<Answered<Option<lms_read::Account>>> {
        self.refuse(Permission::LmsRead, &[&username])
    }

    fn enrollments_of(&mut self, username: String) -> Result<Answered<Vec<lms_read::Enrollment>>> {
        self.refuse(Permission::LmsRead, &[&username])
    }

    fn enrollment_of(&mut self, username: String, course: String) -> Result<Answered<Option<lms_read::Enrollment>>> {
        self.refuse(Permission::LmsRead, &[&username, &course])
    }

    fn enrollments_allowed(&mut self, email: String) -> Result<Answered<String>> {
        self.refuse(Permission::LmsRead, &[&email])
    }

    fn course_details(&mut self, run: String) -> Result<Answered<Option<String>>> {
        self.refuse(Permission::LmsRead, &[&run])
    }
}

impl lms_write::Host for RunState {
    fn allow_enrollment(&mut self, key: String, email: String, course: String, _: bool) -> Result<Answered<()>> {
        self.refuse(Permission::LmsWrite, &[&key, &email, &course])
    }

    fn disallow_enrollment(&mut self, key: String, email: String, course: String) -> Result<Answered<()>> {
        self.refuse(Permission::LmsWrite, &[&key, &email, &course])
    }

    fn register_account(&mut self, key: String, email: String, username: String, name: String) -> Result<Answered<()>> {
        self.refuse(Permission::LmsWrite, &[&key, &email, &username, &name])
    }
}

impl lms_write::HostEnrollmentChange for RunState {
    fn new(&mut self, username: String, course: String) -> Result<Resource<ChangeMark>> {
        self.count_call(username.len() + course.len())?;
        Ok(Resource::new_own(0))
    }

    fn mode(&mut self, _: Resource<ChangeMark>, mode: String) -> Result<()> {
        Ok(self.count_call(mode.len())?)
    }

    fn active(&mut self, _: Resource<ChangeMark>, _: bool) -> Result<()> {
        Ok(self.count_call(0)?)
    }

    fn force(&mut self, _: Resource<ChangeMark>) -> Result<()> {
        Ok(self.count_call(0)?)
    }

    fn attribute(&mut self, _: Resource<ChangeMark>, namespace: String, name: String, value: String) -> Result<()> {
        Ok(self.count_call(namespace.len() + name.len() + value.len())?)
    }

    fn submit(&mut self, _: Resource<ChangeMark>, key: String) -> Result<Answered<()>> {
        self.refuse(Permission::LmsWrite, &[&key])
    }

    fn drop(&mut self, _: Resource<ChangeMark>) -> Result<()> {
        Ok(())
    }
}
