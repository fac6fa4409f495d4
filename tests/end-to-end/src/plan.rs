//! What a site of a test is to be like: its shops, its LMS, its adapters, and how they stand in the configuration.

use std::fmt::Write as _;

use openedx_simulator::State;

use crate::lms;

/// The secret of every shop that does not say otherwise.
pub const SECRET: &str = "a-secret_of-the-shop-0123456789";

/// What the LMS proves itself with, in plans that say `notice_token = { env = "TEST_NOTICE_TOKEN" }`.
pub const NOTICE_TOKEN: &str = "a-token_of-the-lms-0123456789";

/// Who shows this at the admin listener may look, in plans that say `token = { env = "TEST_ADMIN_TOKEN" }`.
pub const ADMIN_TOKEN: &str = "a-token_of-the-operators-0123456789";

/// What a shop's API knows Bursar by, in plans that say `bearer = { env = "TEST_API_KEY" }`.
pub const API_KEY: &str = "an-api-key_of-the-shop-0123456789";

/// The shop of most sites.
pub const CAMPUS: &str = "campus";

/// A connected shop.
#[derive(Debug, Clone)]
pub struct Shop {
    pub name: String,
    pub adapter: String,
    pub secrets: Vec<String>,
    /// What the adapter calls its secret.
    pub secret_name: String,
    pub mode: &'static str,
    /// Its LMS.
    pub lms: &'static str,
    /// More lines of its table.
    pub more: String,
}

impl Shop {
    /// A live WooCommerce shop that takes access away at once.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            adapter: "woocommerce".to_owned(),
            secrets: vec![SECRET.to_owned()],
            secret_name: "webhook".to_owned(),
            mode: "live",
            lms: "main",
            // Tests of taking access away do not wait a quarter of an hour for it.
            more: "quiet_time = \"0s\"\n".to_owned(),
        }
    }

    /// With another secret.
    #[must_use]
    pub fn secret(self, secret: &str) -> Self {
        Self { secrets: vec![secret.to_owned()], ..self }
    }

    /// With another name of its secret.
    #[must_use]
    pub fn secret_named(self, secret_name: &str) -> Self {
        Self { secret_name: secret_name.to_owned(), ..self }
    }

    /// In another mode.
    #[must_use]
    pub fn mode(self, mode: &'static str) -> Self {
        Self { mode, ..self }
    }

    /// Of another LMS, which the plan must name.
    #[must_use]
    pub fn of_lms(self, lms: &'static str) -> Self {
        Self { lms, ..self }
    }

    /// Of another platform.
    #[must_use]
    pub fn adapter(self, adapter: &str) -> Self {
        Self { adapter: adapter.to_owned(), ..self }
    }

    /// With another line of its table.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.more.push_str(line);
        self.more.push('\n');
        self
    }
}

/// What a site is to be like.
#[derive(Debug, Clone)]
pub struct Plan {
    pub shops: Vec<Shop>,
    pub state: State,
    /// A section of its own.
    pub top: String,
    /// Lines of `[server]`.
    pub server: String,
    /// Lines of `[adapters]`.
    pub adapters: String,
    /// More lines of `[[lms]]`.
    pub lms: String,
    /// Does the LMS count calls and registrations?
    pub throttled: bool,
    /// How long one call of the LMS may take.
    pub lms_timeout: &'static str,
}

impl Plan {
    /// One live shop, `campus`, and an LMS with these learners.
    #[must_use]
    pub fn new(learners: &[&str]) -> Self {
        Self {
            shops: vec![Shop::new(CAMPUS)],
            state: lms::state_with(learners),
            top: String::new(),
            server: String::new(),
            adapters: String::new(),
            lms: String::new(),
            throttled: false,
            lms_timeout: "5s",
        }
    }

    /// With these shops instead.
    #[must_use]
    pub fn shops(self, shops: impl IntoIterator<Item = Shop>) -> Self {
        Self { shops: shops.into_iter().collect(), ..self }
    }

    /// With an LMS in this state instead.
    #[must_use]
    pub fn state(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// With a section of its own instead of the one that was given last.
    #[must_use]
    pub fn top(self, section: &str) -> Self {
        Self { top: section.to_owned(), ..self }
    }

    /// With another line of `[server]`.
    #[must_use]
    pub fn server(mut self, line: &str) -> Self {
        self.server.push_str(line);
        self.server.push('\n');
        self
    }

    /// With another line of `[adapters]`.
    #[must_use]
    pub fn adapters(mut self, line: &str) -> Self {
        self.adapters.push_str(line);
        self.adapters.push('\n');
        self
    }

    /// With another line of `[[lms]]`.
    #[must_use]
    pub fn lms(mut self, line: &str) -> Self {
        self.lms.push_str(line);
        self.lms.push('\n');
        self
    }

    /// With an LMS that counts calls and registrations.
    #[must_use]
    pub fn throttled(self) -> Self {
        Self { throttled: true, ..self }
    }

    /// With less or more patience with the LMS.
    #[must_use]
    pub fn lms_timeout(self, lms_timeout: &'static str) -> Self {
        Self { lms_timeout, ..self }
    }

    /// The configuration, and the variables that hold its secrets.
    #[must_use]
    pub fn written(&self, lms_url: &str) -> (String, Vec<(String, String)>) {
        let mut text = format!(
            "{}\n[server]\nlisten = \"127.0.0.1:0\"\n{}\n[adapters]\n{}\n[log]\nformat = \"json\"\n\n[[lms]]\nname = \"main\"\n\
             url = \"{lms_url}\"\nclient_id = \"{}\"\nclient_secret = {{ env = \"TEST_LMS_SECRET\" }}\n\
             calls_per_minute = \"unlimited\"\ntimeout = \"{}\"\n{}",
            self.top,
            self.server,
            self.adapters,
            lms::CLIENT_ID,
            self.lms_timeout,
            self.lms,
        );
        let mut variables = vec![
            ("TEST_LMS_SECRET".to_owned(), lms::CLIENT_SECRET.to_owned()),
            ("TEST_NOTICE_TOKEN".to_owned(), NOTICE_TOKEN.to_owned()),
            ("TEST_ADMIN_TOKEN".to_owned(), ADMIN_TOKEN.to_owned()),
            ("TEST_API_KEY".to_owned(), API_KEY.to_owned()),
        ];
        for (index, shop) in self.shops.iter().enumerate() {
            let mut names = Vec::new();
            for (number, secret) in shop.secrets.iter().enumerate() {
                let name = format!("TEST_SECRET_{index}_{number}");
                names.push(format!("{{ env = \"{name}\" }}"));
                variables.push((name, secret.clone()));
            }
            let Shop { name, adapter, lms, mode, .. } = shop;
            write!(
                text,
                "\n[[shops]]\nname = \"{name}\"\nadapter = \"{adapter}\"\nlms = \"{lms}\"\nmode = \"{mode}\"\n"
            )
            .unwrap();
            if !names.is_empty() {
                writeln!(text, "secrets.{} = [{}]", shop.secret_name, names.join(", ")).unwrap();
            }
            text.push_str(&shop.more);
        }
        (text, variables)
    }
}
