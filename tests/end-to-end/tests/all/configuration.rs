//! A wrong configuration: exit code 2, file, place, key and hint, and nothing listens.

use std::fs;

use end_to_end::plan::Plan;
use end_to_end::process::command;
use end_to_end::site::{Site, said};

/// What is replaced by what, and what the operator must read.
struct Case {
    from: &'static str,
    to: &'static str,
    says: &'static [&'static str],
}

/// Wrong by themselves: told with line and column.
const WRONG: [Case; 9] = [
    Case { from: "[log]", to: "[log]\nlvel = \"info\"", says: &["log.lvel", "did you mean"] },
    Case { from: "mode = \"live\"", to: "mode = \"lve\"", says: &["shops[campus].mode", "live"] },
    Case { from: "lms = \"main\"", to: "lms = \"mian\"", says: &["shops[campus].lms", "did you mean \"main\"?"] },
    Case { from: "client_id = \"worker-key\"\n", to: "", says: &["lms[main]", "client_id"] },
    Case { from: "format = \"json\"", to: "format = json", says: &["must be quoted"] },
    Case { from: "timeout = \"5s\"", to: "timeout = \"5 parsecs\"", says: &["lms[main].timeout", "hint: "] },
    Case { from: "[adapters]", to: "max_body = \"1 KiB\"\n[adapters]", says: &["server.max_body", "64 KiB"] },
    Case {
        from: "secrets.webhook = [{ env = \"TEST_SECRET_0_0\" }]",
        to: "secrets.webhook = \"in-plain-sight\"",
        says: &["shops[campus].secrets.webhook", "must not stand in the configuration", "hint: "],
    },
    Case {
        from: "env = \"TEST_SECRET_0_0\"",
        to: "env = \"NOT_SET_ANYWHERE\"",
        says: &["shops[campus].secrets.webhook", "NOT_SET_ANYWHERE is not set", "hint: "],
    },
];

/// Wrong only for the adapter: told with the key.
const UNFIT: [Case; 3] = [
    Case { from: "secrets.webhook =", to: "secrets.hook =", says: &["campus.secrets.", "webhook", "hint: "] },
    Case {
        from: "quiet_time = \"0s\"",
        to: "[shops.settings]\npaid_status = [\"completed\"]",
        says: &["campus.settings", "paid_status"],
    },
    Case {
        from: "quiet_time = \"0s\"",
        to: "[shops.settings]\npaid_statuses = \"completed\"",
        says: &["campus.settings.paid_statuses"],
    },
];

fn refused(site: &Site, case: &Case, line_is_told: bool) {
    let (good, _) = Plan::new(&[]).written(&site.lms.url());
    assert_eq!(good.matches(case.from).count(), 1, "{}", case.from);
    fs::write(site.config(), good.replace(case.from, case.to)).unwrap();
    let ended = site.serve_in_vain();
    let said = ended.log.lines().join("\n");
    assert_eq!(ended.status.code(), Some(2), "{}: {said}", case.to);
    let file = site.config().display().to_string();
    let place = if line_is_told { format!("{file}:") } else { file };
    for part in case.says.iter().copied().chain([place.as_str()]) {
        assert!(said.contains(part), "{:?} is not said of {}: {said}", part, case.to);
    }
    if line_is_told {
        let position = said.split_once(&place).unwrap().1.split(": ").next().unwrap();
        let numbers: Vec<u32> = position.split(':').map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers.len(), 2, "line and column: {said}");
    }
    assert!(ended.log.events_of("listening").is_empty());
    assert!(!said.contains("in-plain-sight"), "a secret is not repeated: {said}");
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_file_line_key_and_hint_and_nothing_starts() {
    let site = Site::at_rest(Plan::new(&[]));
    for case in &WRONG {
        refused(&site, case, true);
    }
}

#[test]
fn a_configuration_that_does_not_fit_the_adapter_starts_nothing_either() {
    let site = Site::at_rest(Plan::new(&[]));
    for case in &UNFIT {
        refused(&site, case, false);
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let site = Site::at_rest(Plan::new(&[]));
    let (good, _) = Plan::new(&[]).written(&site.lms.url());
    let wrong = good.replace("mode = \"live\"", "mode = \"lve\"").replace("format = \"json\"", "format = \"xml\"");
    fs::write(site.config(), wrong).unwrap();
    let output = site.run(&["serve"]);
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output);
    assert!(said.contains("log.format") && said.contains("shops[campus].mode"), "{said}");
}

#[test]
fn a_configuration_or_a_ledger_that_is_not_there_is_told_and_none_is_made() {
    let site = Site::at_rest(Plan::new(&[]));
    let elsewhere = site.path("elsewhere.toml");
    let output = command(&elsewhere, site.environment()).arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("elsewhere.toml"));

    fs::rename(site.path("bursar.db"), site.path("moved.db")).unwrap();
    let ended = site.serve_in_vain();
    let told = ended.log.lines().join("\n");
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("bursar.db") && told.contains("hint: "), "{told}");
    assert!(!site.path("bursar.db").exists(), "an empty ledger would look like a shop that never sold anything");
}
