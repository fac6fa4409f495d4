//! What the test configured.

use crate::testing::during;

pub fn shop_name() -> String {
    "test".to_owned()
}

pub fn json() -> String {
    during(|run| run.shop.settings.clone().unwrap_or_else(|| "{}".to_owned()))
}
