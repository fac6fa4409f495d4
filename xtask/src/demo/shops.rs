//! The shops of the demo: one for each platform that has an adapter.
//!
//! Owns what each is connected with, and what it sells to whom. All secrets are made up.

use super::site::{MODE, PRODUCT, RUN};

/// A shop.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shop {
    /// Its name.
    pub(super) name: &'static str,
    /// The adapter that understands it.
    pub(super) adapter: &'static str,
    /// What proves its webhooks: as the adapter calls it, and the text.
    pub(super) secret: (&'static str, &'static str),
    /// What it sells, as it is told to `bursar webhook send`; none where a webhook does not say.
    pub(super) product: Option<&'static str>,
    /// The same as the catalog knows it; none where the webhook names the course run itself.
    pub(super) mapped: Option<&'static str>,
    /// Who buys, as the LMS calls them.
    pub(super) learner: &'static str,
    /// Do its webhooks name learners by username? All others name an address.
    pub(super) names_usernames: bool,
    /// The order of the learner, as people call it.
    pub(super) orders: &'static [&'static str],
    /// How its purchase stands when the money went back.
    pub(super) ended: &'static [&'static str],
    /// More lines of its configuration. `{api}` stands for the address of an API.
    pub(super) more: &'static str,
}

/// The number of the order that every shop but the first has, because the API that is played knows this one.
pub(super) const ORDER: &str = "55";

/// The one that most rows are about.
pub(super) const CAMPUS: Shop = Shop {
    name: "campus",
    adapter: "woocommerce",
    secret: ("webhook", "demo-woocommerce-secret"),
    product: Some(PRODUCT),
    mapped: Some(PRODUCT),
    learner: "ben",
    names_usernames: false,
    orders: &[],
    ended: &[],
    more: "",
};

/// What nobody else says otherwise.
const SHOP: Shop = Shop { orders: &[ORDER], ended: &["55: owed no more"], ..CAMPUS };

/// Those of the other platforms.
pub(super) const OTHERS: [Shop; 8] = [
    Shop {
        name: "any-shop",
        adapter: "standard-webhooks",
        secret: ("webhook", "whsec_ZGVtby1zdGFuZGFyZC13ZWJob29rcy1zZWNyZXQ="),
        learner: "hana",
        ..SHOP
    },
    Shop { name: "saleor", adapter: "saleor", secret: ("webhook", "demo-saleor-secret-key"), learner: "ivo", ..SHOP },
    Shop {
        name: "shopify",
        adapter: "shopify",
        secret: ("webhook", "demo-shopify-client-secret"),
        learner: "jun",
        orders: &["#55"],
        ended: &["#55: owed no more"],
        more: "[shops.settings]\nshop_domain = \"demo.myshopify.com\"\n",
        ..SHOP
    },
    Shop {
        name: "stripe",
        adapter: "stripe",
        secret: ("webhook", "whsec_demo-stripe-signing-secret"),
        learner: "kim",
        orders: &["cs_live_55"],
        ended: &["cs_live_55: owed no more"],
        // Stripe itself knows nothing of a checkout that was made up, so asking it what was sold is not granted.
        ..SHOP
    },
    Shop {
        name: "lemonsqueezy",
        adapter: "lemonsqueezy",
        secret: ("webhook", "demo-lemonsqueezy-secret"),
        product: Some("variant:20"),
        mapped: Some("variant:20"),
        learner: "lea",
        ..SHOP
    },
    Shop {
        name: "odoo",
        adapter: "odoo",
        secret: ("token", "demo-token-of-32-letters-or-more"),
        product: None,
        mapped: Some("sku:SAIL"),
        learner: "mia",
        orders: &["S00055"],
        ended: &["S00055: owed no more"],
        // The answers of the API that is played were written for an order of that year.
        more: "permissions = [\"shop\"]\nsold_before = \"2026-01-01\"\n\
               [shops.api]\nurl = \"http://{api}/\"\nprivate_addresses = true\nbearer = { file = \"secrets/api-key\" }\n",
        ..SHOP
    },
    Shop {
        name: "unified-ecommerce",
        adapter: "mit-unified-ecommerce",
        secret: ("system-key", "demo-system-key"),
        learner: "noa",
        ..SHOP
    },
    Shop {
        name: "oscar",
        adapter: "oscar",
        secret: ("api-key", "demo-edx-api-key"),
        product: Some(SEAT),
        mapped: None,
        learner: "ola",
        names_usernames: true,
        ..SHOP
    },
];

/// What Oscar sells is the course run itself.
const SEAT: &str = "run:course-v1:Demo+T101+2026,mode:verified";

impl Shop {
    /// The address of who buys.
    #[must_use]
    pub(super) fn email(&self) -> String {
        format!("{}@example.com", self.learner)
    }

    /// Its part of the configuration. One that is watched takes access away after a while, all others at once.
    #[must_use]
    pub(super) fn configuration(&self, quiet_seconds: u64, api: std::net::SocketAddr) -> String {
        let Self { name, adapter, secret: (secret, _), .. } = self;
        let more = self.more.replace("{api}", &api.to_string());
        format!(
            "\n[[shops]]\nname = \"{name}\"\nadapter = \"{adapter}\"\nlms = \"main\"\nmode = \"live\"\n\
             secrets.{secret} = [{{ file = \"secrets/{name}\" }}]\n\
             quiet_time = \"{quiet_seconds}s\"             # a shop would have the default, 15 minutes\n{more}"
        )
    }

    /// What its catalog holds, if it needs one.
    #[must_use]
    pub(super) fn catalog(&self) -> Option<String> {
        self.mapped.map(|product| format!("product,course_run,mode\n{product},{RUN},{MODE}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oscar_sells_the_seat_that_the_demo_is_about() {
        assert_eq!(SEAT, format!("run:{RUN},mode:{MODE}"));
    }

    #[test]
    fn every_adapter_of_the_project_has_a_shop() {
        let plugins = crate::paths::root().join("plugins");
        let fixtures = |folder: &std::path::PathBuf| folder.join("fixtures").is_dir();
        let folders = std::fs::read_dir(plugins).unwrap().map(|entry| entry.unwrap().path()).filter(fixtures);
        let mut adapters: Vec<_> =
            folders.map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned()).collect();
        adapters.sort();
        let mut shops: Vec<_> = OTHERS.iter().map(|shop| shop.adapter).chain([CAMPUS.adapter]).collect();
        shops.sort_unstable();
        assert_eq!(shops, adapters);
    }
}
