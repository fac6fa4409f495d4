//! The shop's own API, as adapters call it.
//!
//! Owns the way from a run to the API of its shop: what the client's failures are to an adapter. Origin and credentials are the
//! client's, and no adapter sees them.

use std::sync::Arc;

use async_trait::async_trait;
use bursar_sandbox::{ShopAnswer, ShopApi, ShopCall, ShopFault};
use bursar_shop_api::{Answer, Call, Class, ShopApiError};

/// The API of one shop.
#[derive(Debug, Clone)]
pub(crate) struct ApiOfShop(Arc<bursar_shop_api::ShopApi>);

impl ApiOfShop {
    /// Calls by this client.
    #[must_use]
    pub(crate) fn new(client: bursar_shop_api::ShopApi) -> Self {
        Self(Arc::new(client))
    }
}

#[async_trait]
impl ShopApi for ApiOfShop {
    async fn send(&self, call: ShopCall) -> Result<ShopAnswer, ShopFault> {
        let mut headers = call.headers;
        let body = call.body.map(|body| {
            headers.push(("content-type".to_owned(), body.content_type));
            body.bytes
        });
        let call = Call {
            method: call.method.as_str().to_owned(),
            path_and_query: call.path_and_query,
            headers,
            body: body.unwrap_or_default(),
        };
        let Answer { status, headers, body } = self.0.send(&call).await.map_err(fault)?;
        Ok(ShopAnswer { status, headers, body })
    }
}

/// What a failure of the client is to an adapter. Its words name neither credentials nor what was asked.
fn fault(error: ShopApiError) -> ShopFault {
    match (error.class(), &error) {
        (_, ShopApiError::TooLarge { .. }) => ShopFault::TooLarge,
        (Class::TryAgain { after }, _) => ShopFault::Unavailable { message: error.to_string(), retry_after: after },
        (Class::Ours | Class::Definite, _) => ShopFault::Misconfigured(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use bursar_sandbox::limits;
    use bursar_shop_api::{ANSWER_MAX, DOCUMENT_MAX, PATIENCE};

    #[test]
    fn the_client_and_the_sandbox_have_the_same_limits() {
        assert_eq!(ANSWER_MAX, limits::SHOP_ANSWER.default);
        assert_eq!(DOCUMENT_MAX, limits::KEY_SET);
        assert!(PATIENCE * 3 <= limits::HANDLE_WALL.default, "a run must be able to say what it makes of no answer");
    }
}
