//! What a configuration may say, and what is said of one that may not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests count as code otherwise")]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use bursar_domain::{
    Timestamp,
    policy::{NoAccount, OnDelete, OnRevoke, QUIET_TIME_DEFAULT, ShopMode},
};
use bursar_sandbox::Permission;
use bursar_server::config::{
    CallBudget, Config, DEFAULT_TEXT, Environment, KeySetSource, LogConfig, SecretUse, ShopApiCredentials, StoreConfig,
    lms, server,
};
use bursar_shop_api::Credentials;
use secrecy::ExposeSecret as _;

/// The sample of the design.
const SAMPLE: &str = r#"
[server]
listen = "127.0.0.1:8080"
[admin]
listen = "127.0.0.1:8081"
[store]
url = "sqlite:bursar.db"                   # beside this file; or postgres://…
[adapters]
directory = "adapters"
[[lms]]
name = "main"
url = "https://lms.example.org"
client_id = "bursar"
client_secret = { env = "BURSAR_LMS_SECRET" }
[[shops]]
name = "campus"                             # POST /webhooks/campus; never changes
adapter = "woocommerce"
lms = "main"
mode = "live"
secrets.webhook = [{ env = "WOO_SECRET" }]  # several while rotating
permissions = ["shop"]                      # imports of the adapter that are granted
no_account = "wait"
on_revoke = "restore"
[shops.api]                                 # the shop's own API, for `shop`
url = "https://campus.example.org/wp-json/"
basic = { user = { env = "WOO_KEY" }, password = { env = "WOO_KEY_SECRET" } }
[shops.settings]                            # checked against the adapter's schema
"#;

/// The least that a configuration with a shop must say.
const LEAST: &str = r#"
[[lms]]
name = "main"
url = "https://lms.example.org"
client_id = "bursar"
client_secret = { env = "BURSAR_LMS_SECRET" }

[[shops]]
name = "campus"
adapter = "woocommerce"
lms = "main"
mode = "live"
secrets.webhook = { env = "WOO_SECRET" }
"#;

fn environment() -> Environment {
    let variables = ["BURSAR_LMS_SECRET", "WOO_SECRET", "WOO_KEY", "WOO_KEY_SECRET"];
    let value = |name: &&str| (String::from(*name), format!("value of {name}"));
    Environment::Given(variables.iter().map(value).collect())
}

fn load(text: &str) -> Config {
    Config::parse(Path::new("etc/bursar.toml"), text, &environment(), SecretUse::Read).unwrap()
}

fn refusal(text: &str) -> String {
    Config::parse(Path::new("bursar.toml"), text, &environment(), SecretUse::Read).unwrap_err().to_string()
}

/// The refusal of the least configuration in which one text is replaced by another.
fn refusal_with(from: &str, to: &str) -> String {
    assert!(LEAST.contains(from), "{from}");
    refusal(&LEAST.replacen(from, to, 1))
}

fn warnings(text: &str) -> Vec<String> {
    load(text).warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_sample_of_the_design_loads_as_it_is_written() {
    let config = load(SAMPLE);
    let shop = config.shop("campus").unwrap();
    assert_eq!(config.store, StoreConfig::Sqlite { path: "etc/bursar.db".into() });
    assert_eq!(config.adapters.directory, Path::new("etc/adapters"));
    assert_eq!(
        config.lms("main").unwrap().user.client_secret.get().unwrap().expose_secret(),
        "value of BURSAR_LMS_SECRET"
    );
    assert_eq!(shop.secrets["webhook"][0].get().unwrap().expose_secret(), "value of WOO_SECRET");
    assert_eq!(shop.permissions, [Permission::Shop].into());
    assert!(matches!(&shop.api.as_ref().unwrap().credentials, ShopApiCredentials::Basic { .. }));
    assert_eq!(shop.settings, serde_json::json!({}));
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let config = load(LEAST);
    assert_eq!(config.server.listen, server::DEFAULT_LISTEN);
    assert_eq!(config.server.max_body, 4 << 20);
    assert_eq!(config.server.drain, Duration::from_secs(30));
    assert_eq!(config.admin.listen, server::DEFAULT_ADMIN_LISTEN);
    assert!(config.admin.token.is_none());
    assert_eq!(config.adapters.cache, Path::new("etc/cache"));
    assert_eq!(config.log, LogConfig::default());
    let lms = config.lms("main").unwrap();
    assert_eq!(lms.calls_per_minute, CallBudget::PerMinute(lms::DEFAULT_CALLS_PER_MINUTE));
    assert_eq!(lms.calls_per_minute, CallBudget::PerMinute(90.try_into().unwrap()));
    let ladder: Vec<_> = lms.mode_ladder.iter().map(|mode| mode.as_str()).collect();
    assert_eq!(ladder, lms::DEFAULT_MODE_LADDER);
    assert_eq!(lms.timeout, Duration::from_secs(30));
    assert!(lms.more_users.is_empty() && lms.api_key.is_none());
    assert_eq!((lms.registrations_per_week.get(), lms.registration.len()), (50, 0));
    assert!(lms.notice_token.is_none());
    let shop = config.shop("campus").unwrap();
    assert_eq!(shop.default_mode.as_str(), "verified");
    assert_eq!(
        (shop.no_account, shop.on_revoke, shop.on_delete),
        (NoAccount::Wait, OnRevoke::Restore, OnDelete::Review)
    );
    assert!(!shop.enrollment_allowed);
    assert_eq!(shop.quiet_time, QUIET_TIME_DEFAULT);
    assert_eq!((shop.accept_test, shop.unsigned, shop.sold_before, shop.pin), (false, false, None, None));
    assert!(config.warnings.is_empty());
}

/// Takes the comment sign away from every line of the default text that shows a key.
fn with_defaults_written_out() -> String {
    let is_key = |line: &&str| line.contains(" = ") && line.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    let line = |line: &str| match line.strip_prefix("# ").filter(|rest| is_key(rest) || rest.starts_with('[')) {
        Some(rest) => rest.to_owned(),
        None => line.to_owned(),
    };
    DEFAULT_TEXT.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn the_default_text_loads_and_documents_the_defaults_that_there_are() {
    let file = Path::new("bursar.toml");
    let as_written = Config::parse(file, DEFAULT_TEXT, &environment(), SecretUse::Leave).unwrap();
    // What has no default shows an example in its place.
    let examples = [
        "token",
        "notice_token",
        "registration =",
        "cache",
        "more_users",
        "api_key",
        "pin",
        "key_sets",
        "signed_by",
        "pins",
        "sold_before",
        "origin",
        "[shops.api]",
        "url = \"https://campus",
        "basic",
        "headers",
        "private_addresses",
    ];
    let text = with_defaults_written_out();
    let is_example = |line: &str| examples.iter().any(|example| line.starts_with(example));
    let without_examples: String =
        text.lines().filter(|line| !is_example(line)).map(|line| format!("{line}\n")).collect();
    assert_ne!(without_examples, DEFAULT_TEXT);
    assert!(!without_examples.contains("\n# listen"), "{without_examples}");
    let written_out = Config::parse(file, &without_examples, &environment(), SecretUse::Leave).unwrap();
    assert_eq!(format!("{written_out:#?}"), format!("{as_written:#?}"));
    assert!(as_written.warnings.is_empty());
}

#[test]
fn the_default_text_shows_every_key_there_is() {
    let file = Path::new("bursar.toml");
    // Whoever adds a key learns here that the reference lacks it: the error lists all known keys of a table.
    for (section, anchor) in [
        ("server", "[server]"),
        ("admin", "[admin]"),
        ("store", "[store]"),
        ("adapters", "[adapters]"),
        ("limits", "[limits]"),
        ("log", "[log]"),
        ("lms", "[[lms]]"),
        ("shops", "[[shops]]"),
    ] {
        let text = DEFAULT_TEXT.replacen(anchor, &format!("{anchor}\nzzzzzzzz = 1"), 1);
        let error = Config::parse(file, &text, &environment(), SecretUse::Leave).unwrap_err();
        let hint = error.problems[0].hint.clone().unwrap();
        for key in hint.strip_prefix("known keys here: ").unwrap().split(", ") {
            let shown =
                [format!("\n{key} = "), format!("\n# {key} = "), format!("\n{key}."), format!("[{section}.{key}]")];
            assert!(shown.iter().any(|form| DEFAULT_TEXT.contains(form)), "{section}.{key} is not shown");
        }
    }
}

#[test]
fn the_examples_of_the_default_text_load_too() {
    let text = with_defaults_written_out().replace("pin = \"…\"", &format!("pin = \"{}\"", "0f".repeat(32)));
    let config = Config::parse(Path::new("bursar.toml"), &text, &environment(), SecretUse::Leave).unwrap();
    assert_eq!(config.shops[0].pin, Some([0x0f; 32]));
    assert_eq!(config.shops[0].sold_before, Some(Timestamp::from_millis(1_788_220_800_000)));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    assert_eq!(
        refusal(&format!("[server]\nlissen = \"127.0.0.1:8080\"\n{LEAST}")),
        "bursar.toml:2:1: server.lissen: unknown key\n  hint: did you mean `listen`?"
    );
    assert_eq!(
        refusal(&format!("[server]\ntimeout = \"30s\"\n{LEAST}")),
        "bursar.toml:2:1: server.timeout: unknown key\n  hint: known keys here: listen, max_body, drain"
    );
    assert_eq!(
        refusal(&format!("{LEAST}\non_revok = \"keep\"")),
        "bursar.toml:15:1: shops[campus].on_revok: unknown key\n  hint: did you mean `on_revoke`?"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    assert_eq!(
        refusal_with("client_id = \"bursar\"", "client_id = 7"),
        "bursar.toml:5:13: lms[main].client_id: must be a string, not an integer"
    );
    assert_eq!(
        refusal_with("[[shops]]", "[shops]"),
        "bursar.toml:8:1: shops: must be an array of tables: begin each with `[[shops]]`"
    );
    assert_eq!(
        refusal(&format!("{LEAST}\naccept_test = \"no\"")),
        "bursar.toml:15:15: shops[campus].accept_test: must be true or false, not a string"
    );
}

#[test]
fn a_secret_whose_variable_is_not_set_is_refused() {
    assert_eq!(
        refusal_with("WOO_SECRET", "WOO_SECRT"),
        "bursar.toml:13:27: shops[campus].secrets.webhook.env: environment variable WOO_SECRT is not set\n  \
         hint: set WOO_SECRT where bursar is started, or keep the secret in a file: { file = \"…\" }"
    );
}

#[test]
fn a_secret_in_plain_text_is_refused_and_not_repeated() {
    let told = refusal_with("{ env = \"WOO_SECRET\" }", "\"hunter2\"");
    assert_eq!(
        told,
        "bursar.toml:13:19: shops[campus].secrets.webhook: a secret must not stand in the configuration itself\n  \
         hint: write { env = \"NAME\" } or { file = \"path\" }"
    );
    assert!(!told.contains("hunter2"));
}

#[test]
fn a_secret_needs_exactly_one_origin() {
    assert_eq!(
        refusal_with("{ env = \"WOO_SECRET\" }", "{ env = \"WOO_SECRET\", file = \"x\" }"),
        "bursar.toml:13:19: shops[campus].secrets.webhook: must have exactly one of `env` and `file`\n  \
         hint: write { env = \"NAME\" } or { file = \"path\" }"
    );
    assert_eq!(
        refusal_with("{ env = \"WOO_SECRET\" }", "[]"),
        "bursar.toml:13:19: shops[campus].secrets.webhook: names no secret\n  \
         hint: write { env = \"NAME\" } or { file = \"path\" }"
    );
}

#[test]
fn an_empty_secret_is_refused() {
    let environment = Environment::Given(BTreeMap::from([
        ("BURSAR_LMS_SECRET".to_owned(), "s".to_owned()),
        ("WOO_SECRET".to_owned(), " \n".to_owned()),
    ]));
    let error = Config::parse(Path::new("bursar.toml"), LEAST, &environment, SecretUse::Read).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bursar.toml:13:27: shops[campus].secrets.webhook.env: the secret in environment variable WOO_SECRET is empty"
    );
}

#[test]
fn a_shop_of_an_lms_that_is_not_there_is_refused() {
    assert_eq!(
        refusal_with("lms = \"main\"", "lms = \"mian\""),
        "bursar.toml:11:7: shops[campus].lms: there is no [[lms]] named \"mian\"\n  hint: did you mean \"main\"?"
    );
    assert_eq!(
        refusal_with("lms = \"main\"", "lms = \"berlin\""),
        "bursar.toml:11:7: shops[campus].lms: there is no [[lms]] named \"berlin\"\n  hint: there are: main"
    );
}

#[test]
fn two_shops_of_one_name_are_refused() {
    let (_, shop) = LEAST.split_at(LEAST.find("[[shops]]").unwrap());
    assert_eq!(
        refusal(&format!("{LEAST}{shop}")),
        "bursar.toml:15:8: shops[campus].name: there is another shop of this name above"
    );
}

#[test]
fn a_bad_url_is_refused() {
    assert_eq!(
        refusal_with("https://lms.example.org", "lms.example.org"),
        "bursar.toml:4:7: lms[main].url: \"lms.example.org\" is not a URL\n  hint: write it as \"https://lms.example.org\""
    );
    assert_eq!(
        refusal_with("https://lms.example.org", "ftp://lms.example.org"),
        "bursar.toml:4:7: lms[main].url: \"ftp://lms.example.org\" is not a URL of a web service\n  \
         hint: write it as \"https://lms.example.org\""
    );
    let told = refusal_with("https://lms.example.org", "https://bursar:hunter2@lms.example.org");
    assert!(told.starts_with("bursar.toml:4:7: lms[main].url: holds credentials\n"), "{told}");
    assert!(!told.contains("hunter2"));
}

#[test]
fn a_bad_duration_is_refused() {
    assert_eq!(
        refusal(&format!("{LEAST}\nquiet_time = \"15 minutes\"")),
        "bursar.toml:15:14: shops[campus].quiet_time: \"15 minutes\" is not a duration\n  \
         hint: write a number and a unit: \"30s\", \"15m\", \"1h30m\", \"7d\""
    );
    assert_eq!(
        refusal(&format!("{LEAST}\nquiet_time = \"30d\"")),
        "bursar.toml:15:14: shops[campus].quiet_time: \"30d\" is more than the most, 7d"
    );
}

#[test]
fn a_body_larger_than_the_ceiling_is_refused() {
    assert_eq!(
        refusal(&format!("[server]\nmax_body = \"1 GiB\"\n{LEAST}")),
        "bursar.toml:2:12: server.max_body: \"1 GiB\" is more than the most, 16 MiB"
    );
}

#[test]
fn a_bad_course_mode_is_refused() {
    assert_eq!(
        refusal(&format!("{LEAST}\ndefault_mode = \"veri fied\"")),
        "bursar.toml:15:16: shops[campus].default_mode: \"veri fied\": mode may hold letters, digits and hyphens only"
    );
    assert_eq!(
        refusal(&format!("{LEAST}\ndefault_mode = \"masters\"")),
        "bursar.toml:15:16: shops[campus].default_mode: \"masters\" is not on the mode ladder of [[lms]] \"main\"\n  \
         hint: choose one of audit, honor, verified, no-id-professional, professional, or add it to `mode_ladder`"
    );
}

#[test]
fn a_word_that_is_no_choice_is_refused_with_the_nearest_one() {
    assert_eq!(
        refusal_with("mode = \"live\"", "mode = \"liev\""),
        "bursar.toml:12:8: shops[campus].mode: \"liev\" is not one of \"live\", \"observe\", \"paused\"\n  \
         hint: did you mean \"live\"?"
    );
}

#[test]
fn a_required_key_that_is_missing_is_told_with_an_example() {
    assert_eq!(
        refusal_with("adapter = \"woocommerce\"\n", ""),
        "bursar.toml:8:1: shops[campus].adapter: is missing\n  hint: add `adapter = \"woocommerce\"`"
    );
}

#[test]
fn postgresql_is_refused_for_now_without_repeating_a_password() {
    let told = refusal(&format!("[store]\nurl = \"postgres://bursar:hunter2@db/bursar\"\n{LEAST}"));
    assert_eq!(
        told,
        "bursar.toml:2:7: store.url: PostgreSQL is not supported yet\n  \
         hint: write \"sqlite:bursar.db\"; the store is one file beside this one"
    );
}

#[test]
fn an_admin_listener_open_to_others_needs_a_token() {
    let open = format!("[admin]\nlisten = \"0.0.0.0:8081\"\n{LEAST}");
    assert_eq!(
        refusal(&open),
        "bursar.toml:2:10: admin.listen: listens beyond this machine without a token\n  \
         hint: add `token = { env = \"BURSAR_ADMIN_TOKEN\" }` to [admin]"
    );
    load(&open.replacen("[admin]", "[admin]\ntoken = { env = \"WOO_KEY\" }", 1));
}

#[test]
fn two_listeners_at_one_address_are_refused() {
    assert_eq!(
        refusal(&format!("[admin]\nlisten = \"127.0.0.1:8080\"\n{LEAST}")),
        "bursar.toml:2:10: admin.listen: 127.0.0.1:8080 is where [server] listens already"
    );
}

#[test]
fn a_permission_for_an_api_that_is_not_configured_is_refused() {
    let told = refusal(&format!("{LEAST}\npermissions = [\"shop\"]"));
    assert!(told.starts_with("bursar.toml:8:1: shops[campus]: permits \"shop\", but has no [shops.api]\n"), "{told}");
}

#[test]
fn several_problems_are_told_at_once_in_the_order_of_the_file() {
    let text =
        LEAST.replace("client_id = \"bursar\"\n", "").replace("mode = \"live\"", "mode = \"open\"\nquiet_time = 15");
    assert_eq!(
        refusal(&text),
        "bursar.toml:2:1: lms[main].client_id: is missing\n  hint: add `client_id = \"bursar\"`\n\
         bursar.toml:11:8: shops[campus].mode: \"open\" is not one of \"live\", \"observe\", \"paused\"\n\
         bursar.toml:12:14: shops[campus].quiet_time: must be a string, not an integer"
    );
}

#[test]
fn a_problem_of_an_lms_makes_no_second_one_of_its_shops() {
    assert_eq!(refusal_with("client_id = \"bursar\"\n", "").matches("bursar.toml:").count(), 1);
}

#[test]
fn text_that_is_no_toml_is_refused_at_its_place() {
    let told = refusal("[server]\nlisten = \n");
    assert!(told.starts_with("bursar.toml:2:"), "{told}");
}

#[test]
fn a_configuration_without_an_lms_is_refused() {
    assert_eq!(
        refusal(""),
        "bursar.toml:1:1: there is no LMS\n  hint: add `[[lms]]` with name, url, client_id and client_secret"
    );
}

#[test]
fn a_file_that_is_not_there_is_told_with_what_to_do() {
    let error = Config::load(Path::new("/nowhere/bursar.toml"), &environment(), SecretUse::Read).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nowhere/bursar.toml: does not exist\n  hint: make one with `bursar init`, or name it with --config"
    );
}

/// A shop with this `[shops.api]` beside its address.
fn with_api(lines: &str) -> String {
    format!("{LEAST}\n[shops.api]\nurl = \"https://campus.example.org/\"\n{lines}")
}

#[test]
fn a_shops_api_is_called_with_one_of_four_kinds_of_credentials() {
    let key = "{ env = \"WOO_KEY\" }";
    let credentials = |lines: &str| load(&with_api(lines)).shops[0].api.clone().unwrap().read().unwrap().credentials;
    assert!(matches!(credentials(&format!("bearer = {key}")), Credentials::Bearer(_)));
    assert!(matches!(credentials(&format!("basic = {{ user = {key}, password = {key} }}")), Credentials::Basic { .. }));
    let header = credentials(&format!("header = {{ name = \"X-Api-Key\", value = {key} }}"));
    assert!(matches!(header, Credentials::Header { name, .. } if name == "X-Api-Key"));
    let token_url = "token_url = \"https://campus.example.org/token\"";
    let oauth =
        credentials(&format!("oauth = {{ {token_url}, client_id = {key}, client_secret = {key}, scope = \"read\" }}"));
    assert!(matches!(oauth, Credentials::OAuth { scope: Some(scope), .. } if scope == "read"));
    for none_or_two in [String::new(), format!("bearer = {key}\nheader = {{ name = \"X\", value = {key} }}")] {
        let told = refusal(&with_api(&none_or_two));
        assert!(told.contains("must have exactly one of `basic`, `bearer`, `header` and `oauth`"), "{told}");
    }
}

#[test]
fn a_key_set_comes_from_an_address_or_a_file() {
    let sources = |source: &str| load(&format!("{LEAST}\nkey_sets.keys = {source}")).shops[0].key_sets["keys"].clone();
    let url = "https://campus.example.org/jwks.json";
    let published = |private_addresses| KeySetSource::Url { url: url.parse().unwrap(), private_addresses };
    assert_eq!(sources(&format!("{{ url = \"{url}\" }}")), published(false));
    assert_eq!(sources(&format!("{{ url = \"{url}\", private_addresses = true }}")), published(true));
    let told = refusal(&format!("{LEAST}\nkey_sets.keys = {{ url = \"http://campus.example.org/\" }}"));
    assert!(told.contains("key_sets.keys.url: is not encrypted"), "{told}");
    assert_eq!(sources("{ file = \"jwks.json\" }"), KeySetSource::File("etc/jwks.json".into()));
    let told = refusal(&format!("{LEAST}\nkey_sets.keys = {{}}"));
    assert!(told.contains("shops[campus].key_sets.keys: must have exactly one of `url` and `file`"), "{told}");
}

#[test]
fn a_shops_api_is_public_and_without_more_headers_unless_told_otherwise() {
    let bearer = "bearer = { env = \"WOO_KEY\" }";
    let api = |lines: &str| load(&with_api(&format!("{bearer}\n{lines}"))).shops[0].api.clone().unwrap();
    assert!(!api("").private_addresses && api("").headers.is_empty());
    assert!(api("private_addresses = true").private_addresses);
    assert_eq!(api("headers = { \"X-Database\" = \"prod\" }").headers["X-Database"], "prod");
    let told = refusal(&with_api(&format!("{bearer}\nheaders = {{ \"a b\" = \"c\" }}")));
    assert!(told.contains("shops[campus].api.headers.a b: \"a b\" is not the name of a header"), "{told}");
}

#[test]
fn what_else_the_form_of_registration_asks_for_is_text_and_nothing_that_bursar_fills_in() {
    let with = |line: &str| LEAST.replacen("name = \"main\"", &format!("name = \"main\"\n{line}"), 1);
    let config = load(&with("registration = { country = \"PT\" }\nregistrations_per_week = 20"));
    let lms = config.lms("main").unwrap();
    assert_eq!(lms.registration["country"], "PT");
    assert_eq!(lms.registrations_per_week.get(), 20);
    assert!(refusal(&with("registration = { password = \"x\" }")).contains("is filled in by Bursar"));
    assert!(refusal(&with("registration = { year_of_birth = 1990 }")).contains("must be a string"));
    assert!(refusal(&with("registrations_per_week = 0")).contains("registrations_per_week"));
}

#[test]
fn credentials_over_plain_http_are_warned_of_unless_it_is_this_machine() {
    let told = warnings(&LEAST.replace("https://lms", "http://lms"));
    assert_eq!(told, ["etc/bursar.toml:4:7: lms[main].url: sends credentials without encryption\n  hint: use https"]);
    for local in ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000", "http://local.localhost"] {
        assert!(warnings(&LEAST.replace("https://lms.example.org", local)).is_empty(), "{local}");
    }
}

#[test]
fn a_time_without_its_offset_is_refused() {
    for text in ["2026-09-01T00:00:00", "\"2026-09-01T00:00:00\"", "\"1 September\"", "2026-09-01 00:00:00"] {
        let told = refusal(&format!("{LEAST}\nsold_before = {text}"));
        assert!(told.contains("is not a date, or a time with its offset"), "{text}: {told}");
    }
    let midnight = load(&format!("{LEAST}\nsold_before = \"2026-09-01T02:00:00+02:00\"")).shops[0].sold_before;
    assert_eq!(midnight, Some(Timestamp::from_millis(1_788_220_800_000)));
}

#[test]
fn settings_are_kept_as_json() {
    let text =
        format!("{LEAST}\n[shops.settings]\nlearner_field = \"learner\"\nretries = 0x10\nnested.list = [1, 2.5, true]");
    let expected =
        serde_json::json!({ "learner_field": "learner", "retries": 16, "nested": { "list": [1, 2.5, true] } });
    assert_eq!(load(&text).shops[0].settings, expected);
    assert!(refusal(&format!("{LEAST}\n[shops.settings]\nx = nan")).contains("is a number that JSON does not have"));
}

#[test]
fn an_lms_may_be_called_without_bound_only_if_it_says_so() {
    let with = |value: &str| LEAST.replace("client_id", &format!("calls_per_minute = {value}\nclient_id"));
    assert_eq!(load(&with("\"unlimited\"")).lms[0].calls_per_minute, CallBudget::Unlimited);
    assert_eq!(load(&with("30")).lms[0].calls_per_minute, CallBudget::PerMinute(30.try_into().unwrap()));
    for value in ["0", "\"many\"", "-1", "99999999999"] {
        assert!(refusal(&with(value)).contains("lms[main].calls_per_minute"), "{value}");
    }
}

#[test]
fn an_lms_may_have_more_service_users_and_an_api_key() {
    let with = |lines: &str| LEAST.replace("client_id", &format!("{lines}\nclient_id"));
    let secret = "client_secret = { env = \"WOO_KEY\" }";
    let lms = load(&with(&format!(
        "api_key = {{ env = \"WOO_SECRET\" }}\nmore_users = [\n  {{ client_id = \"two\", {secret} }},\n  \
         {{ client_id = \"three\", {secret} }},\n]"
    )))
    .lms
    .remove(0);
    let ids: Vec<_> = lms.more_users.iter().map(|user| user.client_id.as_str()).collect();
    assert_eq!(ids, ["two", "three"]);
    assert_eq!(lms.more_users[1].client_secret.get().unwrap().expose_secret(), "value of WOO_KEY");
    assert_eq!(lms.api_key.unwrap().get().unwrap().expose_secret(), "value of WOO_SECRET");

    for id in ["bursar", "two"] {
        let twice = format!("more_users = [{{ client_id = \"two\", {secret} }}, {{ client_id = \"{id}\", {secret} }}]");
        let told = refusal(&with(&twice));
        assert!(told.contains(&format!("lms[main]: names the client \"{id}\" twice")), "{told}");
    }
    let told = refusal(&with("more_users = [{ client_id = \"two\" }]"));
    assert!(told.contains("lms[main].more_users[1].client_secret: is missing"), "{told}");
    let told = refusal(&with(&format!("more_users = [{{ client_id = \"two\", {secret}, secret = 1 }}]")));
    assert!(told.contains("lms[main].more_users[1].secret: unknown key"), "{told}");
    let told = refusal(&with("api_key = \"plain\""));
    assert!(told.contains("lms[main].api_key: a secret must not stand in the configuration itself"), "{told}");
}

#[test]
fn a_shop_is_live_unless_it_says_otherwise() {
    assert_eq!(load(&LEAST.replace("mode = \"live\"\n", "")).shops[0].mode, ShopMode::Live);
}

#[test]
fn without_its_secrets_a_configuration_loads_where_they_are_not() {
    let nothing = Environment::Given(BTreeMap::new());
    let config = Config::parse(Path::new("bursar.toml"), LEAST, &nothing, SecretUse::Leave).unwrap();
    let unread = config.lms[0].user.client_secret.get().unwrap_err();
    assert_eq!(unread.to_string(), "the secret in environment variable BURSAR_LMS_SECRET was not read");
}

#[test]
fn a_configuration_never_shows_a_secret() {
    assert!(!format!("{:?}", load(SAMPLE)).contains("value of"));
}

mod secret_files {
    use super::*;

    fn load_with(directory: &Path, secret: &[u8], mode: u32) -> Result<Config, String> {
        use std::os::unix::fs::PermissionsExt as _;
        let file = directory.join("secret");
        fs::write(&file, secret).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let text = LEAST.replace("{ env = \"WOO_SECRET\" }", "{ file = \"secret\" }");
        Config::parse(&directory.join("bursar.toml"), &text, &environment(), SecretUse::Read)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn one_newline_at_the_end_is_no_part_of_the_secret() {
        let directory = tempfile::tempdir().unwrap();
        for (text, secret) in [("abc\n", "abc"), ("abc\r\n", "abc"), ("abc", "abc"), ("a b \n\n", "a b \n")] {
            let config = load_with(directory.path(), text.as_bytes(), 0o600).unwrap();
            assert_eq!(config.shops[0].secrets["webhook"][0].get().unwrap().expose_secret(), secret);
            assert!(config.warnings.is_empty());
        }
    }

    #[test]
    fn a_file_that_every_user_can_read_is_warned_of() {
        let directory = tempfile::tempdir().unwrap();
        let config = load_with(directory.path(), b"abc", 0o644).unwrap();
        let told = config.warnings[0].to_string();
        assert!(told.contains("can be read by every user\n  hint: chmod 600 "), "{told}");
    }

    #[test]
    fn an_empty_a_binary_and_a_huge_file_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        for (secret, told) in [
            (vec![b'\n'], "is empty"),
            (vec![0xff, 0xfe], "cannot be read"),
            (vec![b'a'; 70_000], "is too long to be a secret (more than 64 KiB)"),
        ] {
            let error = load_with(directory.path(), &secret, 0o600).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_refused() {
        let told = refusal_with("{ env = \"WOO_SECRET\" }", "{ file = \"/nowhere/secret\" }");
        assert_eq!(
            told,
            "bursar.toml:13:28: shops[campus].secrets.webhook.file: secret file /nowhere/secret does not exist"
        );
    }
}
