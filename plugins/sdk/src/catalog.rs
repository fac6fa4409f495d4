//! The operator's catalog, for an adapter that must know the courses while it reads an order. Most leave it to
//! [`Line::product`](crate::orders::Line::product).

use crate::host::catalog as host;

/// Course runs and modes of the first id that the catalog knows; none if it knows none of them.
#[must_use]
pub fn courses(product: &[(&str, &str)]) -> Vec<(String, String)> {
    host::courses(product)
}
