//! `incoming`: the request, what an adapter decides about it, the delivery, and the adapter's description.
//!
//! Owns the bounds of answers and the lengths of what a verdict holds.

use bytes::Bytes;
use wasmtime::{Result, component::Resource};

use super::{DeliveryMark, DescriptionMark, RequestMark, VerdictMark, refusal};
use crate::{
    contract::bursar::adapter::{
        incoming::{Host, HostDelivery, HostDescription, HostRequest, HostVerdict},
        types::{Problem, Remedy},
    },
    description::Draft,
    error::RunErrorKind,
    limits,
    outcome::{self, Answer},
    run::{
        book,
        state::{self, RunState, VerdictDraft, VerdictKind},
    },
    text,
};

/// What an answer may be.
const ANSWER_TYPES: [&str; 2] = ["text/plain", "application/json"];

impl Host for RunState {}

impl HostRequest for RunState {
    fn method(&mut self, _: Resource<RequestMark>) -> Result<String> {
        let method = self.served()?.method.clone();
        self.count_call(method.len())?;
        Ok(method)
    }

    fn path(&mut self, _: Resource<RequestMark>) -> Result<String> {
        let path = self.served()?.path.clone();
        self.count_call(path.len())?;
        Ok(path)
    }

    fn query(&mut self, _: Resource<RequestMark>) -> Result<String> {
        let query = self.served()?.query.clone();
        self.count_call(query.len())?;
        Ok(query)
    }

    fn header(&mut self, _: Resource<RequestMark>, name: String) -> Result<std::result::Result<String, Problem>> {
        let value = only_header(&self.served()?.headers, &name);
        self.count_call(name.len() + value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }

    fn headers(&mut self, _: Resource<RequestMark>) -> Result<Vec<(String, Vec<u8>)>> {
        let headers: Vec<_> =
            self.served()?.headers.iter().map(|(name, value)| (name.clone(), value.to_vec())).collect();
        self.count_call(headers.iter().map(|(name, value)| name.len() + value.len()).sum())?;
        Ok(headers)
    }

    fn body(&mut self, _: Resource<RequestMark>) -> Result<Vec<u8>> {
        let body = self.served()?.body.clone();
        self.count_call(body.len())?;
        Ok(body.to_vec())
    }

    fn received_at(&mut self, _: Resource<RequestMark>) -> Result<u64> {
        let millis = self.served()?.received_at.as_millis();
        self.count_call(0)?;
        Ok(u64::try_from(millis).unwrap_or(0))
    }

    fn drop(&mut self, _: Resource<RequestMark>) -> Result<()> {
        Ok(())
    }
}

fn only_header(headers: &[(String, Bytes)], name: &str) -> std::result::Result<String, Problem> {
    let shown = text::words(name, limits::CODE);
    let problem = |code: &str, message: String| Err(refusal(Remedy::None, code, message));
    let mut values = headers.iter().filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
    let Some((_, value)) = values.next() else {
        return problem("header-missing", format!("the header {shown} is missing"));
    };
    if values.next().is_some() {
        return problem("header-repeated", format!("the header {shown} is there more than once"));
    }
    match std::str::from_utf8(value) {
        Ok(value) => Ok(value.to_owned()),
        Err(_) => problem("header-not-text", format!("the header {shown} is not text")),
    }
}

impl RunState {
    fn new_verdict(&mut self, kind: VerdictKind, bytes: usize) -> Result<Resource<VerdictMark>> {
        self.count_call(bytes)?;
        book::within(self.verdicts.len(), limits::VERDICTS, "verdicts")?;
        self.verdicts.push(VerdictDraft { kind, subject: None, key: None, occurred_at: None, answer: None });
        Ok(Resource::new_own(book::position(self.verdicts.len() - 1)?))
    }

    fn verdict(&mut self, verdict: &Resource<VerdictMark>) -> std::result::Result<&mut VerdictDraft, RunErrorKind> {
        self.verdicts.get_mut(book::index(verdict.rep())).ok_or_else(book::unknown_handle)
    }
}

impl HostVerdict for RunState {
    fn accept(&mut self, topic: String) -> Result<Resource<VerdictMark>> {
        let bytes = topic.len();
        self.new_verdict(VerdictKind::Accept { topic: text::words(&topic, limits::ID) }, bytes)
    }

    fn ignore(&mut self, reason: String) -> Result<Resource<VerdictMark>> {
        let bytes = reason.len();
        self.new_verdict(VerdictKind::Ignore { reason: text::words(&reason, limits::WORDS) }, bytes)
    }

    fn respond(&mut self, status: u16, content_type: String, body: Vec<u8>) -> Result<Resource<VerdictMark>> {
        let bytes = content_type.len() + body.len();
        let verdict = self.new_verdict(VerdictKind::Respond, bytes)?;
        self.verdict(&verdict)?.answer = Some(bounded(status, content_type, body));
        Ok(verdict)
    }

    fn about(&mut self, verdict: Resource<VerdictMark>, subject: String) -> Result<()> {
        self.count_call(subject.len())?;
        self.verdict(&verdict)?.subject = Some(book::id("subject", subject)?).filter(|subject| !subject.is_empty());
        Ok(())
    }

    fn key(&mut self, verdict: Resource<VerdictMark>, id: String) -> Result<()> {
        self.count_call(id.len())?;
        self.verdict(&verdict)?.key = Some(book::id("key", id)?).filter(|key| !key.is_empty());
        Ok(())
    }

    fn occurred_at(&mut self, verdict: Resource<VerdictMark>, at: u64) -> Result<()> {
        self.count_call(0)?;
        self.verdict(&verdict)?.occurred_at = Some(at);
        Ok(())
    }

    fn answer(
        &mut self,
        verdict: Resource<VerdictMark>,
        status: u16,
        content_type: String,
        body: Vec<u8>,
    ) -> Result<()> {
        self.count_call(content_type.len() + body.len())?;
        self.verdict(&verdict)?.answer = Some(bounded(status, content_type, body));
        Ok(())
    }

    fn drop(&mut self, _: Resource<VerdictMark>) -> Result<()> {
        Ok(())
    }
}

/// The answer within the contract's bounds. The adapter is at fault otherwise, and the request may be genuine: so a
/// person is asked and nothing is lost.
fn bounded(status: u16, content_type: String, body: Vec<u8>) -> std::result::Result<Answer, outcome::Problem> {
    let refused = |message: &str| Err(state::problem(outcome::Remedy::Operator, "answer-refused", message));
    if !(200..=299).contains(&status) {
        return refused("the adapter's answer has a status outside 200 to 299");
    }
    if !ANSWER_TYPES.contains(&content_type.as_str()) {
        return refused("the adapter's answer is neither text/plain nor application/json");
    }
    if body.len() > limits::ANSWER {
        return refused("the adapter's answer has more than 4096 bytes");
    }
    Ok(Answer { status, content_type, body })
}

impl RunState {
    fn facts(&self) -> std::result::Result<&state::DeliveryFacts, RunErrorKind> {
        self.delivery.as_ref().ok_or_else(book::unknown_handle)
    }
}

impl HostDelivery for RunState {
    fn request(&mut self, _: Resource<DeliveryMark>) -> Result<Resource<RequestMark>> {
        self.count_call(0)?;
        Ok(Resource::new_own(0))
    }

    fn id(&mut self, _: Resource<DeliveryMark>) -> Result<String> {
        self.count_call(0)?;
        Ok(self.facts()?.id.clone())
    }

    fn topic(&mut self, _: Resource<DeliveryMark>) -> Result<String> {
        self.count_call(0)?;
        Ok(self.facts()?.topic.clone())
    }

    fn origin(&mut self, _: Resource<DeliveryMark>) -> Result<String> {
        self.count_call(0)?;
        Ok(self.facts()?.origin.as_str().to_owned())
    }

    fn attempt(&mut self, _: Resource<DeliveryMark>) -> Result<u32> {
        self.count_call(0)?;
        Ok(self.facts()?.attempt)
    }

    fn ignored(&mut self, _: Resource<DeliveryMark>, reason: String) -> Result<()> {
        self.count_call(reason.len())?;
        Ok(self.book.ignored(&reason)?)
    }

    fn review(&mut self, _: Resource<DeliveryMark>, reason: String) -> Result<()> {
        self.count_call(reason.len())?;
        Ok(self.book.review(&reason)?)
    }

    fn forget(&mut self, _: Resource<DeliveryMark>, subject: String) -> Result<()> {
        self.count_call(subject.len())?;
        Ok(self.book.forget(subject)?)
    }

    fn drop(&mut self, _: Resource<DeliveryMark>) -> Result<()> {
        Ok(())
    }
}

impl RunState {
    fn draft(&mut self, description: &Resource<DescriptionMark>) -> std::result::Result<&mut Draft, RunErrorKind> {
        self.descriptions.get_mut(book::index(description.rep())).ok_or_else(book::unknown_handle)
    }

    fn describe_named(
        &mut self,
        description: &Resource<DescriptionMark>,
        list: fn(&mut Draft) -> &mut Vec<(String, String)>,
        name: String,
        purpose: String,
    ) -> Result<()> {
        self.count_call(name.len() + purpose.len())?;
        let list = list(self.draft(description)?);
        // One more than allowed, for the check of the description to see.
        book::within(list.len(), limits::DESCRIBED + 1, "entries of a description")?;
        list.push((name, purpose));
        Ok(())
    }

    fn describe_redacted(
        &mut self,
        description: &Resource<DescriptionMark>,
        list: fn(&mut Draft) -> &mut Vec<String>,
        what: String,
    ) -> Result<()> {
        self.count_call(what.len())?;
        let list = list(self.draft(description)?);
        book::within(list.len(), limits::DESCRIBED + 1, "entries of a description")?;
        list.push(what);
        Ok(())
    }
}

impl HostDescription for RunState {
    fn new(&mut self, platform: String, version: String) -> Result<Resource<DescriptionMark>> {
        self.count_call(platform.len() + version.len())?;
        book::within(self.descriptions.len(), limits::VERDICTS, "descriptions")?;
        self.descriptions.push(Draft { platform, version, ..Draft::default() });
        Ok(Resource::new_own(book::position(self.descriptions.len() - 1)?))
    }

    fn topic(&mut self, description: Resource<DescriptionMark>, name: String, meaning: String) -> Result<()> {
        self.describe_named(&description, |draft| &mut draft.topics, name, meaning)
    }

    fn secret(&mut self, description: Resource<DescriptionMark>, name: String, purpose: String) -> Result<()> {
        self.describe_named(&description, |draft| &mut draft.secrets, name, purpose)
    }

    fn optional_secret(&mut self, description: Resource<DescriptionMark>, name: String, purpose: String) -> Result<()> {
        self.describe_named(&description, |draft| &mut draft.optional_secrets, name, purpose)
    }

    fn optional_permission(
        &mut self,
        description: Resource<DescriptionMark>,
        name: String,
        purpose: String,
    ) -> Result<()> {
        self.describe_named(&description, |draft| &mut draft.optional_permissions, name, purpose)
    }

    fn key_set(&mut self, description: Resource<DescriptionMark>, name: String, purpose: String) -> Result<()> {
        self.describe_named(&description, |draft| &mut draft.key_sets, name, purpose)
    }

    fn settings(&mut self, description: Resource<DescriptionMark>, schema: String) -> Result<()> {
        self.count_call(schema.len())?;
        self.draft(&description)?.settings = Some(schema);
        Ok(())
    }

    fn redact_header(&mut self, description: Resource<DescriptionMark>, name: String) -> Result<()> {
        self.describe_redacted(&description, |draft| &mut draft.redact_headers, name)
    }

    fn redact_body(&mut self, description: Resource<DescriptionMark>, json_pointer: String) -> Result<()> {
        self.describe_redacted(&description, |draft| &mut draft.redact_body, json_pointer)
    }

    fn redact_address(&mut self, description: Resource<DescriptionMark>) -> Result<()> {
        self.count_call(0)?;
        self.draft(&description)?.redact_address = true;
        Ok(())
    }

    fn document(
        &mut self,
        description: Resource<DescriptionMark>,
        name: String,
        purpose: String,
        text: String,
    ) -> Result<()> {
        self.count_call(name.len() + purpose.len() + text.len())?;
        let documents = &mut self.draft(&description)?.documents;
        book::within(documents.len(), limits::DESCRIBED + 1, "entries of a description")?;
        documents.push((name, purpose, text));
        Ok(())
    }

    fn drop(&mut self, _: Resource<DescriptionMark>) -> Result<()> {
        Ok(())
    }
}
