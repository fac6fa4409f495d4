//! The client of shops' own APIs.
//!
//! Owns the calls that adapters ask for: where they go (the operator's configuration), as whom (credentials that no adapter
//! sees), what may be reached (public addresses, unless the operator says otherwise), and what they may cost. It knows nothing of
//! sandboxes or orders, and must never follow a redirect or send credentials anywhere but to the configured origin.

mod address;
mod client;
mod document;
mod error;
mod resolve;
mod token;

pub use client::{ANSWER_MAX, Answer, Call, PATIENCE, ShopApi};
pub use document::{DOCUMENT_MAX, Document};
pub use error::{Class, ShopApiError};

use secrecy::SecretString;

/// Where a shop's API is, and how Bursar proves itself to it.
#[derive(Debug, Clone)]
pub struct ShopApiConfig {
    /// `https://shop.example.org`, or with a path that every call's path is joined to.
    pub url: reqwest::Url,
    /// How Bursar proves itself.
    pub credentials: Credentials,
    /// Headers that every call carries beside them: the name of a database, say. Not secret.
    pub headers: Vec<(String, String)>,
    /// May it be reached at private addresses: in the same network, or on the same machine? Otherwise whoever controls the
    /// name's DNS could have Bursar call into its own network.
    pub private_addresses: bool,
}

/// How Bursar proves itself to a shop.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// HTTP Basic (RFC 7617).
    Basic {
        /// User name, or the platform's key.
        user: SecretString,
        /// Password, or the platform's secret.
        password: SecretString,
    },
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(SecretString),
    /// A header of the platform's own.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: SecretString,
    },
    /// OAuth 2.0 client credentials (RFC 6749, section 4.4): a token is fetched, kept while it lives, and fetched again.
    OAuth {
        /// Where tokens are given out.
        token_url: reqwest::Url,
        /// As registered with the shop.
        client_id: SecretString,
        /// As registered with the shop.
        client_secret: SecretString,
        /// What is asked for, if the shop wants to be told.
        scope: Option<String>,
    },
}
