//! `shop`: linked, so that adapters which import it can be loaded; not served yet.
//!
//! Refuses in the order in which a host that served it would: the phase, the permission, then that it is not available.
//! Calls nothing.

use wasmtime::{Result, component::Resource};

use super::{AnswerMark, Answered, CallMark, refusal};
use crate::{
    contract::bursar::adapter::{shop, types::Remedy},
    run::state::RunState,
    shop::Permission,
};

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
        self.count_call(0)?;
        if let Err(refused) = self.permitted(Permission::Shop) {
            return Ok(Err(refused));
        }
        let words = "this version of the host does not serve `shop` yet";
        Ok(Err(refusal(Remedy::Operator, "not-available", words)))
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
