//! Owns what the framework of the LMS does around a view: negotiation, credentials, permission, throttle, method, body;
//! must never know what a view does.

use serde_json::{Value, json};

use super::answer::Answer;
use super::authenticate::{Credentials, authenticate};
use super::request::Request;
use crate::model::enroll::Caller;
use crate::python;
use crate::site::Site;

/// What the framework knows of a view.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// The name the framework gives it.
    pub(crate) name: &'static str,
    /// Its methods, as the `Allow` header lists them.
    pub(crate) allow: &'static str,
    pub(crate) credentials: Credentials,
    pub(crate) permission: Permission,
    pub(crate) throttled: bool,
    pub(crate) errors: Errors,
    pub(crate) parsers: Parsers,
}

/// Who may call a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Anyone,
    Authenticated,
    /// An account or the shared key.
    ApiKeyOrAuthenticated,
    Staff,
    Superuser,
    /// An account; to look somebody up by address or number, a privileged one.
    AccountInfo,
}

/// The key under which the framework's own complaints are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errors {
    Detail,
    DeveloperMessage,
}

/// The bodies a view can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsers {
    JsonAndForms,
    JsonOnly,
    /// Only a JSON merge patch.
    MergePatch,
}

/// A body as a view reads it.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Json(Value),
    Form(Vec<(String, String)>),
}

const JSON_TYPE: &str = "application/json";
const MERGE_PATCH_TYPE: &str = "application/merge-patch+json";
const FORM_TYPE: &str = "application/x-www-form-urlencoded";
const MULTIPART_TYPE: &str = "multipart/form-data";

impl View {
    /// Runs `handle` if everything before it lets the request pass, and dresses its answer.
    pub(crate) fn run(
        &self,
        site: &mut Site,
        request: &Request,
        handle: impl FnOnce(&mut Site, Caller) -> Answer,
    ) -> Answer {
        let answer = match self.admit(site, request) {
            Ok(caller) => self.call(site, request, caller, handle),
            Err(answer) => answer,
        };
        // A page is made outside the framework and knows nothing of its headers.
        if answer.content_type() == Some(super::answer::HTML) { answer } else { answer.with("allow", self.allow) }
    }

    fn call(
        &self,
        site: &mut Site,
        request: &Request,
        caller: Caller,
        handle: impl FnOnce(&mut Site, Caller) -> Answer,
    ) -> Answer {
        if !self.allow.split(", ").any(|method| method == request.method) {
            return self.error(405, format!("Method \"{}\" not allowed.", request.method).into());
        }
        if request.method == "OPTIONS" {
            return self.describe();
        }
        handle(site, caller)
    }

    fn admit(&self, site: &mut Site, request: &Request) -> Result<Caller, Answer> {
        if request.query("format").is_some_and(|format| !format.is_empty() && format != "json") {
            return Err(self.error(404, "Not found.".into()));
        }
        if !request.accepts_json() {
            return Err(self.error(406, "Could not satisfy the request Accept header.".into()));
        }
        let user = authenticate(&site.model, request, self.credentials, site.now)
            .map_err(|complaint| self.unauthorized(complaint))?;
        let caller = Caller { user, api_key: site.has_api_key(request) };
        self.permit(site, request, caller)?;
        if self.throttled {
            site.throttle(caller, request).map_err(|seconds| self.too_many(site, seconds))?;
        }
        Ok(caller)
    }

    fn permit(&self, site: &Site, request: &Request, caller: Caller) -> Result<(), Answer> {
        let account = caller.user.and_then(|id| site.model.user(id));
        let staff = account.is_some_and(|user| user.staff);
        let superuser = account.is_some_and(|user| user.superuser);
        let looks_up = request.query("email").is_some() || request.query("lms_user_id").is_some();
        let permitted = match self.permission {
            Permission::Anyone => true,
            Permission::Authenticated => account.is_some(),
            Permission::ApiKeyOrAuthenticated => caller.api_key || account.is_some(),
            Permission::Staff => staff,
            Permission::Superuser => superuser,
            Permission::AccountInfo => account.is_some() && (!looks_up || staff || superuser),
        };
        match (permitted, account.is_some()) {
            (true, _) => Ok(()),
            (false, true) => Err(self.error(403, "You do not have permission to perform this action.".into())),
            (false, false) => Err(self.unauthorized("Authentication credentials were not provided.".into())),
        }
    }

    fn unauthorized(&self, complaint: Value) -> Answer {
        let answer = self.error(401, complaint);
        match self.errors {
            Errors::Detail => answer.with("www-authenticate", "JWT realm=\"api\""),
            Errors::DeveloperMessage => answer,
        }
    }

    fn too_many(&self, site: &Site, seconds: u64) -> Answer {
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let text = format!("Request was throttled. Expected available in {seconds} {unit}.");
        let answer = self.error(429, text.into());
        if self.errors == Errors::Detail || site.settings.retry_after_on_list {
            return answer.with("retry-after", seconds.to_string());
        }
        answer
    }

    /// A complaint of the framework itself.
    pub(crate) fn error(&self, status: u16, complaint: Value) -> Answer {
        let body = match (self.errors, complaint) {
            (Errors::DeveloperMessage, complaint) => json!({"developer_message": complaint}),
            // A complaint that is an object already is sent as it is.
            (Errors::Detail, Value::Object(complaint)) => Value::Object(complaint),
            (Errors::Detail, complaint) => json!({"detail": complaint}),
        };
        Answer::json(status, body)
    }

    fn describe(&self) -> Answer {
        let parses: &[&str] = match self.parsers {
            Parsers::JsonAndForms => &[JSON_TYPE, FORM_TYPE, MULTIPART_TYPE],
            Parsers::JsonOnly => &[JSON_TYPE, MERGE_PATCH_TYPE],
            Parsers::MergePatch => &[MERGE_PATCH_TYPE],
        };
        Answer::json(200, json!({"name": self.name, "description": "", "renders": [JSON_TYPE], "parses": parses}))
    }

    /// Reads the body. A view reads it late, so that everything else about a request is judged first.
    pub(crate) fn data(&self, request: &Request) -> Result<Data, Answer> {
        let media_type = request.media_type();
        if request.body.is_empty() {
            let form = media_type == FORM_TYPE || media_type == MULTIPART_TYPE;
            return Ok(if form { Data::Form(Vec::new()) } else { Data::Json(json!({})) });
        }
        let readable = match media_type.as_str() {
            JSON_TYPE => self.parsers != Parsers::MergePatch,
            MERGE_PATCH_TYPE => self.parsers != Parsers::JsonAndForms,
            FORM_TYPE | MULTIPART_TYPE => self.parsers == Parsers::JsonAndForms,
            _ => false,
        };
        if !readable {
            let sent = request.header("content-type").unwrap_or_default();
            return Err(self.error(415, format!("Unsupported media type \"{sent}\" in request.").into()));
        }
        if media_type == MULTIPART_TYPE && !request.header("content-type").unwrap_or_default().contains("boundary=") {
            let text = "Multipart form parse error - Invalid boundary in multipart: None";
            return Err(self.error(400, text.into()));
        }
        if media_type == FORM_TYPE || media_type == MULTIPART_TYPE {
            return Ok(Data::Form(request.form()));
        }
        python::json::parse(&request.body)
            .map(Data::Json)
            .map_err(|complaint| self.error(400, format!("JSON parse error - {complaint}").into()))
    }
}

impl Data {
    /// A member of the body, as `data.get(name)` finds it. `Err` when the body has no such method.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Value>, NoMapping> {
        match self {
            Self::Json(Value::Object(members)) => Ok(members.get(name).cloned()),
            Self::Json(_) => Err(NoMapping),
            Self::Form(pairs) => {
                let last = pairs.iter().rev().find(|(key, _)| key == name);
                Ok(last.map(|(_, value)| Value::String(value.clone())))
            }
        }
    }
}

/// The body is a list or a bare value where a view takes an object for granted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoMapping;
