//! The same logic without a sandbox: the WooCommerce adapter compiled natively, against the kit's fake host.
//!
//! Owns nothing of the adapter. The fake host checks signatures with the same crates and gathers what is stated.

use std::time::{Duration, Instant};

use bursar_adapter::testing::{Post, Shop};
use bursar_domain::Request;
use bursar_woocommerce::WooCommerce;

use crate::Result;
use crate::servers::KEY;

/// A shop and a request, as the adapter's own tests have them.
pub(crate) struct Native {
    shop: Shop,
    post: Post,
}

impl Native {
    /// The same request as the component gets.
    pub(crate) fn new(request: &Request, settings: &str) -> Self {
        let post = Post::new(request.body.to_vec()).topic("order.updated");
        let post = request.headers.iter().fold(post, |post, (name, value)| post.header(name, value.to_vec()));
        Self { shop: Shop::new().secret("webhook", KEY).settings(settings), post }
    }

    /// How long judging the request takes.
    pub(crate) fn authenticate(&self) -> Result<Duration> {
        let began = Instant::now();
        let judged = self.shop.authenticate::<WooCommerce>(&self.post);
        let took = began.elapsed();
        judged.map_err(|problem| format!("the adapter does not accept the order: {problem}"))?;
        Ok(took)
    }

    /// How long handling it takes.
    pub(crate) fn handle(&self) -> Result<Duration> {
        let began = Instant::now();
        let handled = self.shop.handle::<WooCommerce>(&self.post);
        let took = began.elapsed();
        handled.result.map_err(|problem| format!("the adapter does not handle the order: {problem}"))?;
        Ok(took)
    }
}
