//! `bursar adapter test` as an author of an adapter meets it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use end_to_end::places;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder of an adapter, with the shop's secret and one sound case that expects nothing yet.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write("shop.json", &json!({"secrets": {"webhook": "made up"}}).to_string());
        folder.case("paid-order", &order("processing", 1));
        folder
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join("fixtures").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, file: &str) -> Value {
        serde_json::from_slice(&fs::read(self.0.path().join("fixtures").join(file)).unwrap()).unwrap()
    }

    /// A case whose signature is right.
    fn case(&self, name: &str, body: &str) {
        let signature = json!({"hmac": "sha256", "secret": "webhook", "as": "base64"});
        let request = json!({"headers": {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": signature}});
        self.write(&format!("{name}/request.json"), &request.to_string());
        self.write(&format!("{name}/body.json"), body);
    }

    fn test_of(&self, component: &Path, arguments: &[&str]) -> Output {
        command().arg(self.0.path()).arg("--component").arg(component).args(arguments).output().unwrap()
    }

    fn test(&self, arguments: &[&str]) -> Output {
        self.test_of(&places::woocommerce(), arguments)
    }
}

fn command() -> Command {
    let mut command = Command::new(places::binary());
    // One cache for all of these tests, so that the component is compiled once.
    command.args(["adapter", "test"]).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// An order of so many lines.
fn order(status: &str, lines: u32) -> String {
    let line = |id: u32| json!({"id": id, "name": "Sailing", "product_id": 31, "quantity": 1, "meta_data": []});
    let order = json!({
        "id": 55, "status": status, "currency": "EUR", "total": "10.00",
        "date_created_gmt": "2026-03-02T10:00:00", "date_modified_gmt": "2026-03-02T10:00:41",
        "date_paid_gmt": "2026-03-02T10:00:41", "billing": {"email": "ada@example.org"},
        "line_items": (1..=lines).map(line).collect::<Vec<_>>(), "refunds": [],
    });
    order.to_string()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// How the run ended, and its data.
fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stdout))
}

#[test]
fn a_case_is_new_until_what_happens_is_written_down_and_then_passes() {
    let folder = Folder::new();
    let (code, said) = told(&folder.test(&[]));
    assert_eq!(code, Some(1));
    assert!(said.contains("new  paid-order") && said.contains("hint: --update"), "{said}");
    assert!(said.ends_with("\n0 passed, 1 failed\n"), "{said}");

    let (code, said) = told(&folder.test(&["--update"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("written  paid-order"), "{said}");
    assert!(said.contains("  +         \"payment\": \"paid\","), "{said}");
    let line = &folder.read("paid-order/expected.json")["handle"]["orders"][0]["lines"][0];
    assert_eq!(*line, json!({"id": "1", "product": [["product", "31"]], "title": "Sailing", "quantity": 1}));

    let (code, said) = told(&folder.test(&[]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("ok  paid-order\n") && said.ends_with("\n1 passed, 0 failed\n"), "{said}");
}

#[test]
fn what_is_not_as_expected_is_shown_and_not_written() {
    let folder = Folder::new();
    folder.test(&["--update"]);
    folder.write("paid-order/body.json", &order("on-hold", 1));
    let before = folder.read("paid-order/expected.json");

    let (code, said) = told(&folder.test(&[]));
    assert_eq!(code, Some(1));
    assert!(said.contains("differs  paid-order"), "{said}");
    assert!(said.contains("  -         \"payment\": \"paid\",\n"), "{said}");
    assert!(said.contains("  +         \"payment\": \"undecided\",\n"), "{said}");
    assert_eq!(folder.read("paid-order/expected.json"), before);

    let (code, said) = told(&folder.test(&["--update"]));
    assert_eq!(code, Some(0));
    assert!(said.contains("updated  paid-order") && said.contains("\"payment\": \"undecided\""), "{said}");
    assert_eq!(told(&folder.test(&[])).0, Some(0));
}

#[test]
fn one_case_alone_is_run_and_written() {
    let folder = Folder::new();
    folder.case("other", &order("completed", 1));
    let (code, said) = told(&folder.test(&["--case", "other", "--update"]));
    assert_eq!(code, Some(0));
    assert!(!said.contains("paid-order"), "{said}");
    assert!(said.ends_with("\n1 passed, 0 failed\n"), "{said}");

    let unknown = folder.test(&["--case", "payed-order"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).ends_with("hint: there are: other, paid-order\n"), "{unknown:?}");
}

#[test]
fn a_signature_that_is_wrong_is_expected_like_anything_else_and_explained_where_it_is_not() {
    let folder = Folder::new();
    let wrong = json!({"hmac": "sha256", "secret": "webhook", "as": "hex"});
    folder.write("forged/request.json", &json!({"headers": {"X-WC-Webhook-Signature": wrong}}).to_string());
    folder.write("forged/body.json", &order("processing", 1));
    // Without its message, which may be left out of what a person writes.
    let refused = json!({"authenticate": {"problem": {"remedy": "none", "code": "signature-malformed"}}});
    folder.write("forged/expected.json", &refused.to_string());
    assert_eq!(told(&folder.test(&["--case", "forged"])).0, Some(0));

    folder.write("forged/expected.json", &json!({"authenticate": {"verdict": "accept", "topic": "x"}}).to_string());
    let (code, said) = told(&folder.test(&["--case", "forged"]));
    assert_eq!(code, Some(1));
    assert!(said.contains("would match the secret `webhook` if it were read as hexadecimal"), "{said}");
}

#[test]
fn programs_get_one_object_with_differences_by_their_path() {
    let folder = Folder::new();
    folder.test(&["--update"]);
    folder.write("paid-order/body.json", &order("on-hold", 1));
    folder.case("young", &order("processing", 1));
    folder.write("broken/request.json", "{}");

    let (code, said) = told(&folder.test(&["--json"]));
    assert_eq!(code, Some(1));
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&report["passed"], &report["failed"]), (&json!(0), &json!(3)));
    assert_eq!(report["adapter"]["platform"], "woocommerce");
    let cases = report["cases"].as_array().unwrap();
    let statuses: Vec<&str> = cases.iter().map(|case| case["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["broken", "differs", "new"]);
    assert!(cases[0]["problem"]["hint"].as_str().unwrap().contains("body.json"));
    let payment = json!({"path": "handle.orders[0].payment", "before": "paid", "after": "undecided"});
    assert!(cases[1]["differences"].as_array().unwrap().contains(&payment), "{}", cases[1]);
    let budget = &cases[1]["budget"][0];
    assert_eq!(budget["phase"], "authenticate");
    let memory = json!({"resource": "memory-bytes", "limit": 64 << 20, "used": budget["spent"][1]["used"]});
    assert_eq!(budget["spent"][1], memory);
    assert!(memory["used"].as_u64().unwrap() > 0);
    assert!(budget["fuel"].as_u64().unwrap() > 0);
    assert_eq!(cases[2]["happened"]["handle"]["orders"][0]["payment"], "paid");
}

#[test]
fn a_run_near_a_limit_is_said_to_be() {
    let folder = Folder::new();
    folder.case("many-lines", &order("processing", 4_100));
    let (code, said) = told(&folder.test(&["--update"]));
    assert_eq!(code, Some(0));
    assert!(said.contains("NEAR THE LIMIT"), "{said}");
    let row = said.lines().find(|line| line.starts_with("many-lines  ")).unwrap();
    assert!(row.ends_with("lines of handle: 82 %"), "{row}");
    assert!(!told(&folder.test(&["--case", "paid-order"])).1.contains("NEAR"));
}

#[test]
fn a_file_that_is_wrong_is_named_with_its_key_and_what_to_do() {
    for (file, content, expected) in [
        (
            "paid-order/request.json",
            r#"{"headers": {"X-Signature": {"hmac": "md5", "secret": "webhook"}}}"#,
            "request.json: headers.X-Signature.hmac: unknown variant `md5`, expected one of `sha1`, `sha256`, `sha512`\n",
        ),
        (
            "paid-order/request.json",
            r#"{"recieved_at": "2026-03-02T10:00:45Z"}"#,
            "request.json: recieved_at: unknown field `recieved_at`, expected one of `method`, `path`",
        ),
        (
            "paid-order/request.json",
            r#"{"received_at": "yesterday"}"#,
            "request.json: received_at: \"yesterday\" is no moment like 2026-03-02T10:00:45Z\n",
        ),
        (
            "paid-order/request.json",
            "{\n  \"method\": \"POST\",\n}",
            "request.json: line 3, column 1: is not JSON: trailing comma\n",
        ),
        (
            "paid-order/request.json",
            r#"{"headers": {"X-Signature": {"hmac": "sha256", "secret": "webhok"}}}"#,
            "request.json: headers.X-Signature.secret: shop.json has no secret \"webhok\"\n",
        ),
        ("paid-order/body.txt", "", "paid-order: has more than one body: body.json and body.txt\n"),
        ("paid-order/expectd.json", "{}", "expectd.json: is no file of a case\n"),
        (
            "paid-order/expected.json",
            r#"{"authenticate": {}, "handle": {"orders": [{"id": "1", "titel": "x"}]}}"#,
            "expected.json: handle.orders[0].titel: unknown field `titel`",
        ),
        (
            "paid-order/shop.json",
            r#"{"secrets": {}}"#,
            "paid-order/shop.json: secrets.webhook: the adapter needs the secret \"webhook\": the text in the field Secret",
        ),
        (
            "shop.json",
            r#"{"secrets": {"webhook": "x", "other": "y"}}"#,
            "fixtures/shop.json: secrets.other: the adapter knows no secret \"other\"\n",
        ),
        (
            "paid-order/shop.json",
            r#"{"settings": {"paid_statuses": ["processing", 5]}}"#,
            "paid-order/shop.json: settings.paid_statuses[1]: ",
        ),
        (
            "paid-order/shop.json",
            r#"{"permissions": ["shops"]}"#,
            "shop.json: permissions[0]: there is no permission \"shops\"\n",
        ),
        (
            "paid-order/ledger.json",
            r#"{"orders": {"55": [{"active": true}]}}"#,
            "ledger.json: orders.55[0]: missing field `id`\n",
        ),
    ] {
        let folder = Folder::new();
        folder.write(file, content);
        let (code, said) = told(&folder.test(&[]));
        assert_eq!(code, Some(1), "{content}");
        assert!(said.contains("broken  paid-order") && said.contains(expected), "{content}: {said}");
        let hint = said.lines().skip_while(|line| !line.contains(expected.lines().next().unwrap())).nth(1);
        assert!(hint.unwrap().starts_with("  hint: "), "{said}");
    }
}

#[test]
fn what_is_no_component_or_no_fixture_is_refused_with_a_hint() {
    let folder = Folder::new();
    let told = |output: Output| (output.status.code(), text(&output.stderr));
    let none = told(command().arg(folder.0.path()).output().unwrap());
    assert_eq!(none.0, Some(1));
    assert!(none.1.contains("there is no component in") && none.1.contains("hint: build it: bursar adapter build "));

    let file = folder.0.path().join("adapter.wasm");
    fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let module = told(folder.test_of(&file, &[]));
    assert!(module.1.contains("core webassembly module") && module.1.contains("hint: turn it into a component"));

    let dist = folder.0.path().join("dist");
    fs::create_dir(&dist).unwrap();
    fs::copy(places::woocommerce(), dist.join("one.wasm")).unwrap();
    let found = command().arg(folder.0.path()).output().unwrap();
    assert!(text(&found.stdout).contains("new  paid-order"), "{found:?}");
    fs::copy(places::woocommerce(), dist.join("two.wasm")).unwrap();
    let two = told(command().arg(folder.0.path()).output().unwrap());
    assert!(
        two.1.contains("more than one component") && two.1.contains("hint: choose with --component: "),
        "{}",
        two.1
    );

    let empty = TempDir::new().unwrap();
    let no_cases = told(command().arg(empty.path()).output().unwrap());
    assert!(no_cases.1.contains("holds no cases\n  hint: make a folder for each"), "{}", no_cases.1);
}

#[test]
fn the_cache_of_compiled_adapters_is_the_users_and_not_in_the_adapters_folder() {
    let folder = Folder::new();
    let home = TempDir::new().unwrap();
    let mut command = command();
    command.arg(folder.0.path()).arg("--component").arg(places::woocommerce());
    let output = command.env_remove("XDG_CACHE_HOME").env("HOME", home.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(home.path().join(".cache/bursar").is_dir());
    let names: Vec<_> = fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["fixtures"]);
}
