//! Asks for pages of other hosts in all the ways in which a path can be written, and for headers that would lead there.

use hostile_guests::{Delivery, Hostile, Result, shop_api, tried};

/// What the page says that it must not see.
const PRIVATE: &str = "private page";

/// The guest.
#[derive(Debug)]
pub struct LeavesTheShopsAddress;

impl Hostile for LeavesTheShopsAddress {
    fn handle(delivery: &Delivery<'_>) -> Result<()> {
        // The body names the other host, so that it is one that really answers.
        let other = String::from_utf8_lossy(delivery.request().body()).into_owned();
        let paths = [
            format!("http://{other}/"),
            format!("//{other}/"),
            format!("/\\{other}/"),
            format!("@{other}/"),
            format!(":80@{other}/"),
            format!("/../../{other}/"),
            format!("/%2e%2e/%2f%2f{other}/"),
            format!("/;x/..;y/{other}/"),
            format!("/?x= HTTP/1.1\r\nHost: {other}\r\n\r\nGET /"),
            format!("/#@{other}/"),
            format!("\t//{other}/"),
            String::new(),
        ];
        let mut gained = Vec::new();
        for path in &paths {
            let answer = shop_api::get(path).send();
            if answer.is_ok_and(|answer| String::from_utf8_lossy(&answer.body()).contains(PRIVATE)) {
                gained.push(format!("{path:?} led away"));
            }
        }
        for name in ["Host", "Authorization", "X-Forwarded-Host", "Transfer-Encoding", "Connection", "Cookie"] {
            if shop_api::get("/orders").header(name, &other).send().is_ok() {
                gained.push(format!("the header {name} was sent"));
            }
        }
        tried(delivery, &gained)
    }
}

hostile_guests::guest!(LeavesTheShopsAddress);
