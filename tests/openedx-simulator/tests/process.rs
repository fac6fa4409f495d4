//! The binary as a process of its own, steered over its control pages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests fail by panicking, and share a client of which each uses a part"
)]

#[path = "shared/client.rs"]
mod client;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use client::{JSON, Reply, send, token};
use serde_json::{Value, json};

const COURSE: &str = "course-v1:DemoX+CS101+2026";
const STATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lms-transcript.json");

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_openedx-simulator"))
            .args(["--listen", "127.0.0.1:0", "--state", STATE, "--throttle", "off"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once("http://").unwrap().1.parse().unwrap();
        Self { child, address }
    }

    fn control(&self, method: &str, page: &str, body: &Value) -> Reply {
        let body = body.to_string();
        send(self.address, method, &format!("/_simulator/{page}"), &[JSON], Some(body.as_bytes())).unwrap()
    }

    fn get(&self, path: &str) -> Reply {
        let staff = format!("JWT {}", token(self.address, "commerce-key", "commerce-secret", false));
        send(self.address, "GET", path, &[("Authorization", &staff)], None).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_process_tells_its_address_is_steered_by_its_control_pages_and_ends_cleanly_when_asked() {
    let mut process = Process::start();
    let registered = process.control(
        "POST",
        "people/register",
        &json!({"username": "eve", "email": "eve@example.com", "activate": true}),
    );
    assert_eq!((registered.status, registered.json()), (201, json!({"user_id": 309})));
    assert_eq!(process.get("/api/user/v1/accounts?email=eve%40example.com").json()[0]["is_active"], true);

    let fault = json!({"endpoint": "accounts", "fault": "too_many_requests", "retry_after": 3, "times": 1});
    assert_eq!(process.control("POST", "faults", &fault).status, 201);
    assert_eq!(process.get("/api/user/v1/accounts/eve").header("retry-after"), Some("3"));
    assert_eq!(process.get("/api/user/v1/accounts/eve").status, 200);
    assert_eq!(process.control("POST", "faults", &json!({"fault": "nonsense"})).status, 400);

    let log = process.control("GET", "requests?endpoint=accounts", &json!(null)).json();
    let statuses: Vec<u64> = log.as_array().unwrap().iter().map(|line| line["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 429, 200]);

    let staff = token(process.address, "commerce-key", "commerce-secret", false);
    process.control("POST", "clock", &json!({"advance_seconds": 3600}));
    let auth = format!("JWT {staff}");
    let expired = send(process.address, "GET", "/api/user/v1/me", &[("Authorization", &auth)], None).unwrap();
    assert_eq!(expired.status, 401);

    assert_eq!(process.control("POST", "courses/close", &json!({"course": COURSE})).status, 200);
    assert_eq!(process.control("POST", "people/retire", &json!({"username": "load250"})).status, 200);
    let state = process.control("GET", "state", &json!(null)).json();
    assert_eq!(state["users"].as_array().unwrap().iter().filter(|user| user["retiring"] == true).count(), 1);

    let id = process.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(process.child.wait().unwrap().success());
}
