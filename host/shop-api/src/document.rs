//! A public document of a shop: a set of keys, say.
//!
//! Owns fetching it under the same rules as calls: a configured address, no redirect, public addresses only unless allowed. No
//! credentials are sent.

use std::time::Duration;

use reqwest::{Client, Url};

use crate::{
    client::{builder, failure, read},
    error::ShopApiError,
};

/// How long fetching a document may take: a shop waits meanwhile for its 200, and its whole judgement has two seconds. Beyond
/// it [`ShopApiError::Silent`].
pub(crate) const DOCUMENT_PATIENCE: Duration = Duration::from_millis(1_500);

/// Most bytes of a document: sets of keys have some kilobytes. Beyond it [`ShopApiError::TooLarge`].
pub const DOCUMENT_MAX: usize = 64 << 10;

/// Where a public document is.
#[derive(Debug)]
pub struct Document {
    client: Client,
    url: Url,
}

impl Document {
    /// Nothing is fetched yet.
    ///
    /// # Errors
    /// When the address is private without leave, or cannot be used at all.
    pub fn new(url: Url, private_addresses: bool) -> Result<Self, ShopApiError> {
        let client = builder(&[&url], private_addresses)?
            .timeout(DOCUMENT_PATIENCE)
            .build()
            .map_err(|error| ShopApiError::Unusable(error.to_string()))?;
        Ok(Self { client, url })
    }

    /// Fetches it.
    ///
    /// # Errors
    /// When it is not there, or is no text.
    pub async fn fetch(&self) -> Result<String, ShopApiError> {
        let request = self.client.get(self.url.clone()).header("accept", "application/json");
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        match status {
            200 => {}
            429 | 500.. => return Err(ShopApiError::Busy { status, after: None }),
            _ => return Err(ShopApiError::NotThere(status)),
        }
        let body = read(&mut response, DOCUMENT_MAX).await?;
        String::from_utf8(body).map_err(|_| ShopApiError::Call("what is at its address is not text".to_owned()))
    }
}
