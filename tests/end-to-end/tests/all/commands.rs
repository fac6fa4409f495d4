//! The command line beside a server: exit codes, JSON, and words that support staff can read out.

use std::process::Command;

use end_to_end::lms::{CS101, CS102, email};
use end_to_end::places;
use end_to_end::plan::{CAMPUS, Plan};
use end_to_end::process::command;
use end_to_end::site::{SOLD, Site, json_of, said};
use end_to_end::woocommerce::Order;
use openedx_simulator::Endpoint;
use serde_json::Value;

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn init_makes_a_beginning_in_an_empty_directory_and_overwrites_none() {
    let directory = tempfile::TempDir::new().unwrap();
    let init = || {
        let mut init = Command::new(places::binary());
        init.args(["--json", "init", "--directory"]).arg(directory.path()).output().unwrap()
    };
    let first = init();
    assert!(first.status.success(), "{}", said(&first));
    let written = json_of(&first);
    for file in ["config", "secret", "adapters", "store"] {
        assert!(std::path::Path::new(written[file].as_str().unwrap()).exists(), "{written}");
    }
    let secret = std::fs::read(written["secret"].as_str().unwrap()).unwrap();
    let second = init();
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).contains("nothing was written"), "{}", said(&second));
    assert_eq!(std::fs::read(written["secret"].as_str().unwrap()).unwrap(), secret);

    // The beginning can be looked at before anything is filled in, though there is no adapter and no LMS yet.
    let config = directory.path().join("bursar.toml");
    let environment = [("BURSAR_LMS_SECRET".to_owned(), "x".to_owned())];
    let doctor = command(&config, &environment).args(["doctor", "--offline"]).output().unwrap();
    assert_eq!(doctor.status.code(), Some(1), "no adapter is there yet: {}", said(&doctor));
    std::fs::copy(places::woocommerce(), directory.path().join("adapters/woocommerce.wasm")).unwrap();
    let doctor = command(&config, &environment).args(["doctor", "--offline"]).output().unwrap();
    assert_eq!(doctor.status.code(), Some(0), "{}", said(&doctor));
}

#[test]
fn the_doctor_finds_everything_right_or_names_what_needs_mending() {
    let site = Site::start(Plan::new(&[]));
    let checks = site.rows(&["doctor"]);
    assert!(checks.len() > 5 && checks.iter().all(|check| check["sound"] == true), "{checks:?}");
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 0, "it changes nothing");

    site.lms.set_staff("worker", false).unwrap();
    let output = site.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("MEND") && told.contains("staff"), "{told}");
    site.lms.unplug();
    assert_eq!(site.run(&["doctor"]).status.code(), Some(1));
    assert_eq!(site.run(&["doctor", "--offline"]).status.code(), Some(0));
}

#[test]
fn deliveries_are_listed_shown_and_run_again() {
    let site = Site::selling(Plan::new(&["ada"]));
    assert_eq!(site.rows(&["deliveries", "list"]), Vec::<Value>::new());
    assert_eq!(said(&site.run(&["deliveries", "list"])), "no deliveries\n");
    assert_eq!(said(&site.run(&["review", "list"])), "nothing needs a person\n");
    let order = Order::paid(1, &email("ada"), &[11]);
    site.deliver(&order);
    assert_eq!(site.post("order.updated", b"no order").status, 200);
    site.settled_as("ada", CS101, "verified", true);
    site.all_handled();

    let listed = site.rows(&["deliveries", "list"]);
    let states: Vec<&Value> = listed.iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["rejected", "done"], "the newest first");
    assert!(listed[0]["problem_code"].is_string() && listed[1]["problem_code"].is_null());
    let done = site.rows(&["deliveries", "list", "--shop", CAMPUS, "--state", "done", "--subject", "1"]);
    assert_eq!(done, [listed[1].clone()]);
    assert_eq!(site.rows(&["deliveries", "list", "--limit", "1"]), [listed[0].clone()]);
    let before = listed[0]["id"].as_str().unwrap();
    assert_eq!(site.rows(&["deliveries", "list", "--before", before]), [listed[1].clone()]);

    let id = done[0]["id"].as_str().unwrap();
    let shown = site.json(&["deliveries", "show", id]);
    assert_eq!((&shown["delivery"]["state"], &shown["method"]), (&"done".into(), &"POST".into()));
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 1);
    assert!(shown["attempts"][0]["adapter"].as_str().unwrap().starts_with("woocommerce@"), "{shown}");
    let trail: Vec<_> =
        shown["trail"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(trail.first(), Some(&"grant-began"), "{shown}");
    assert_eq!(trail.last(), Some(&"enrolled"), "{shown}");
    let body = site.run(&["deliveries", "show", id, "--body"]);
    let (stored, sent) = (json_of(&body), serde_json::from_slice::<Value>(&order.body()).unwrap());
    assert_eq!((&stored["line_items"], &stored["billing"]["email"]), (&sent["line_items"], &sent["billing"]["email"]));
    for blanked in ["first_name", "last_name", "address_1", "postcode"] {
        assert_ne!(sent["billing"][blanked], "");
        assert_eq!(stored["billing"][blanked], "***", "nobody needs it, so it is not kept");
    }

    assert_eq!(site.json(&["deliveries", "retry", id])["state"], "queued");
    end_to_end::wait::until("it has run again", || {
        site.json(&["deliveries", "show", id])["attempts"].as_array().unwrap().len() == 2
    });
    site.all_handled();
    site.at_peace();
    assert_eq!(site.lms.count(Endpoint::EnrollmentPost), 1, "what was done is not done twice");

    let unknown = "dlv_01998c2f6d3a7b1c8e4f5a6b7c8d9e0f";
    assert_eq!(site.run(&["deliveries", "show", unknown]).status.code(), Some(1));
    assert_eq!(site.run(&["deliveries", "show", "nonsense"]).status.code(), Some(2));
    assert_eq!(site.run(&["deliveries", "list", "--state", "lost"]).status.code(), Some(2));
}

#[test]
fn a_learners_page_says_in_words_why_they_have_or_have_not_got_a_course() {
    let site = Site::selling(Plan::new(&["ada"]));
    let order = Order::paid(1, &email("ada"), &[11, 99]);
    site.deliver(&order);
    // One after the other, because purchases are shown in the order in which they became known.
    site.settled_as("ada", CS101, "verified", true);
    site.deliver(&Order::placed(2, &email("ada"), &[12]));
    site.all_handled();

    let shown = site.json(&["learner", "show", "ADA@example.com"]);
    let words: Vec<&str> =
        shown["purchases"].as_array().unwrap().iter().map(|purchase| purchase["words"].as_str().unwrap()).collect();
    let waits = "the order is paid, and waits: the catalog has no course for product:99";
    assert_eq!(words, ["owed to ada", waits, "the shop says that the order is not paid"]);
    let enrollment = &shown["enrollments"][0];
    assert_eq!(
        (&enrollment["course_run"], &enrollment["words"]),
        (&CS101.into(), &"bought, and not enrolled before".into())
    );
    let by_username = site.json(&["learner", "show", "ada"]);
    for part in ["purchases", "enrollments"] {
        assert_eq!(shown[part], by_username[part]);
    }
    let answers: Vec<&str> =
        by_username["answers"].as_array().unwrap().iter().map(|answer| answer["words"].as_str().unwrap()).collect();
    assert_eq!(answers[0], format!("ada has verified in {CS101} because order campus/1 is paid"));
    assert_eq!(
        answers[2],
        "ada has nothing from “Intro to Testing” of campus/2: the shop says that the order is not paid"
    );

    let told = |parts: &[&str]| {
        let output = site.run(&["learner", "show", "ada"]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        for part in parts {
            assert!(told.contains(part), "{part:?} is not told: {told}");
        }
    };
    told(&["enrolled as verified", "before Bursar: not enrolled"]);
    site.deliver(&order.refunded());
    site.settled_as("ada", CS101, "verified", false);
    told(&["because order campus/1 was refunded", "enrolled once as verified, switched off"]);

    let nobody = site.run(&["learner", "show", "nobody@example.com"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(said(&nobody).contains("no shop ever named"), "{}", said(&nobody));
}

#[test]
fn reviews_are_listed_until_they_are_settled() {
    let site = Site::start(Plan::new(&["ada"]));
    site.deliver(&Order::paid(1, &email("ada"), &[11]));
    site.all_handled();
    let open = site.rows(&["review", "list"]);
    assert_eq!(open.len(), 1);
    assert_eq!(
        (&open[0]["code"], &open[0]["order"], &open[0]["shop"]),
        (&"product-unmapped".into(), &"1".into(), &CAMPUS.into())
    );
    assert!(open[0]["words"].as_str().unwrap().contains("the catalog has no course"));

    site.sell();
    site.settled_as("ada", CS101, "verified", true);
    assert_eq!(site.rows(&["review", "list"]), Vec::<Value>::new());
    let all = site.rows(&["review", "list", "--all"]);
    assert!(all.len() == 1 && all[0]["resolved_at"].is_string(), "{all:?}");
    assert_eq!(site.rows(&["review", "list", "--all", "--shop", "other"]), Vec::<Value>::new());
}

#[test]
fn a_catalog_that_is_exported_can_be_imported_again() {
    let site = Site::start(Plan::new(&[]));
    let rows = format!(
        "product:11,{CS101},verified\nvariation:31,{CS102},\nsku:BOOK-1,,\nname:\"Two, of them\",{CS101},audit\n"
    );
    // A comma in a product's name is quoted as CSV quotes it.
    let rows = rows.replace("name:\"Two, of them\"", "\"name:Two, of them\"");
    assert_eq!(site.import(CAMPUS, &rows)["added"], 4);
    let exported = site.run(&["catalog", "export", CAMPUS]);
    assert!(exported.status.success());
    let file = site.path("exported.csv");
    std::fs::write(&file, &exported.stdout).unwrap();
    let again = site.json(&["catalog", "import", CAMPUS, file.to_str().unwrap(), "--replace"]);
    assert_eq!((&again["added"], &again["ended"], &again["unchanged"]), (&0.into(), &0.into(), &4.into()));
    assert_eq!(site.run(&["catalog", "export", CAMPUS]).stdout, exported.stdout);

    std::fs::write(&file, format!("product,course_run,mode\nproduct:11,{CS101},verified\n")).unwrap();
    let planned = site.json(&["catalog", "import", CAMPUS, file.to_str().unwrap(), "--replace", "--dry-run"]);
    assert_eq!((&planned["ended"], &planned["dry_run"]), (&3.into(), &true.into()));
    assert_eq!(site.run(&["catalog", "export", CAMPUS]).stdout, exported.stdout, "a rehearsal changes nothing");

    std::fs::write(&file, "product,course_run,mode\nproduct:11,nonsense,\n").unwrap();
    let wrong = site.run(&["catalog", "import", CAMPUS, file.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(said(&wrong).contains("exported.csv:2: "), "{}", said(&wrong));
    let nowhere = site.run(&["catalog", "import", "nowhere", file.to_str().unwrap()]);
    assert_eq!(nowhere.status.code(), Some(2));
}

#[test]
fn an_adapter_imports_its_contract_and_nothing_of_the_machine() {
    let site = Site::at_rest(Plan::new(&[]));
    let file = site.path("adapters/woocommerce.wasm");
    let seen = site.json(&["adapter", "inspect", file.to_str().unwrap()]);
    assert_eq!(seen["platform"], "woocommerce");
    let imports = texts(&seen["imports"]);
    assert!(!imports.is_empty() && imports.iter().all(|import| import.starts_with("bursar:adapter/")), "{imports:?}");
    assert_eq!(texts(&seen["permissions"]), ["shop"]);
    assert_eq!(seen["optional_permissions"][0]["name"], "shop", "it needs none");
    let listed = site.rows(&["adapter", "list"]);
    assert_eq!((&listed[0]["sha256"], &listed[0]["shops"]), (&seen["sha256"], &vec![CAMPUS].into()));

    let text = site.path("text.wasm");
    std::fs::write(&text, "text").unwrap();
    assert_eq!(site.run(&["adapter", "inspect", text.to_str().unwrap()]).status.code(), Some(1));
}

#[test]
fn what_bursar_sends_in_a_shops_place_is_taken_and_what_it_forges_is_refused() {
    let mut site = Site::start(Plan::new(&["ada"]));
    site.sell();
    let url = format!("http://{}/webhooks/{CAMPUS}", site.address());
    let (product, _) = SOLD[0];
    let product = format!("product:{product}");
    let order =
        ["webhook", "send", CAMPUS, "--url", &url, "--order", "7", "--product", &product, "--email", "ada@example.com"];
    assert_eq!(site.json(&order)["status"], 200);
    site.settled_as("ada", CS101, "verified", true);
    let forged = [&order[..], &["--forge"]].concat();
    assert_eq!(site.json(&forged)["status"], 401);
    let refunded = [&order[..], &["--event", "refunded"]].concat();
    assert_eq!(site.json(&refunded)["status"], 200);
    site.settled_as("ada", CS101, "verified", false);
    site.stop();
    assert_eq!(site.run(&order).status.code(), Some(1), "nothing listens any more");
}
