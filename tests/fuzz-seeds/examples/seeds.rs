//! Writes the seeds of `fuzz/seeds/` anew from what the project has: vectors, fixtures, components. What fuzzing found, files
//! called `found-…`, is left alone.
//!
//! `cargo run --package fuzz-seeds --example seeds`, in the project's folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a tool")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fuzz_seeds::SEPARATOR;
use serde_json::Value;

/// Larger files are left out: a fuzzer gains nothing by them. A component of the whole contract is the largest.
const SEED_MAX: usize = 40 << 10;

/// Cases of each adapter's fixtures that become seeds: what they have in common is what the format is.
const CASES: usize = 1;

/// A small component of the contract with everything in it, as a file of WIT says it.
const WORLDS: [(&str, &str); 4] = [
    ("minimal", "include bursar:adapter/minimal@0.1.0;"),
    ("shop", "include bursar:adapter/minimal@0.1.0; import bursar:adapter/shop@0.1.0;"),
    ("no-adapter", "import bursar:adapter/settings@0.1.0;"),
    ("empty", ""),
];

fn main() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let seeds = Seeds { folder: root.join("fuzz/seeds") };
    seeds.forget();
    components(&root, &seeds);
    configurations(&root, &seeds);
    fixtures(&root, &seeds);
    proofs(&root, &seeds);
    requests(&root, &seeds);
    values(&root, &seeds);
}

struct Seeds {
    folder: PathBuf,
}

impl Seeds {
    /// Takes away those that were made before.
    fn forget(&self) {
        let all = children(&self.folder).into_iter().flat_map(|target| children(&target));
        all.filter(|seed| !named(seed).starts_with("found-")).for_each(|seed| fs::remove_file(seed).unwrap());
    }

    fn write(&self, target: &str, name: &str, bytes: &[u8]) {
        if bytes.len() <= SEED_MAX {
            fs::create_dir_all(self.folder.join(target)).unwrap();
            fs::write(self.folder.join(target).join(name), bytes).unwrap();
        }
    }

    fn parts(&self, target: &str, name: &str, parts: &[&[u8]]) {
        self.write(target, name, &parts.join(&SEPARATOR));
    }
}

fn components(root: &Path, seeds: &Seeds) {
    for (name, world) in WORLDS {
        let component = dummy(root, world);
        seeds.write("component", &format!("{name}.wasm"), &component);
    }
    seeds.write("component", "module.wasm", b"\0asm\x01\0\0\0");
    seeds.write("component", "component.wasm", b"\0asm\x0d\0\x01\0");
    seeds.write("component", "text.wat", b"(component)");
}

/// A component of a world, whose every function traps.
fn dummy(root: &Path, world: &str) -> Vec<u8> {
    use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
    use wit_parser::{ManglingAndAbi, Resolve, SourceMap};
    let mut resolve = Resolve::default();
    let mut contract = SourceMap::new();
    for file in children(&root.join("wit/0.1.0")) {
        let text = fs::read_to_string(&file).unwrap();
        // A component keeps the comments of its contract, which are most of its bytes.
        let bare: String =
            text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
        contract.push_str(&named(&file), bare);
    }
    resolve.push_group(contract.parse().map_err(|(_, error)| error.to_string()).unwrap()).unwrap();
    let text = format!("package test:adapter; world mine {{ {world} }}");
    let package = resolve.push_str("world.wit", &text).unwrap();
    let world = resolve.select_world(&[package], Some("mine")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

fn configurations(root: &Path, seeds: &Seeds) {
    let default = fs::read_to_string(root.join("host/server/src/config/default.toml")).unwrap();
    seeds.write("config", "default", default.as_bytes());
    // Every key that the default only mentions, with its example.
    let said: Vec<_> = default.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    let keys =
        |line: &&&str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    seeds.write("config", "every-key", said.iter().filter(keys).copied().collect::<Vec<_>>().join("\n").as_bytes());
    for (name, text) in [
        ("duration", "1h30m"),
        ("size", "4 MiB"),
        ("empty", ""),
        ("two-lines", "[[lms]]\nname = \"main\"\nurl = \"http://lms\"\n[[shops]]\nname = 'a'\n\"odd key\" = 1"),
    ] {
        seeds.write("config", name, text.as_bytes());
    }
}

fn fixtures(root: &Path, seeds: &Seeds) {
    let mut adapters = children(&root.join("plugins"));
    adapters.push(root.join("tests/components/0.1.0"));
    for adapter in adapters {
        let fixtures = adapter.join("fixtures");
        let cases = children(&fixtures).into_iter().filter(|case| case.is_dir());
        for case in cases.skip(1).take(CASES) {
            let read = |path: PathBuf| fs::read(path).unwrap_or_default();
            let names = ["request.json", "expected.json", "ledger.json", "shop-api.json", "shop.json"];
            let mut parts: Vec<Vec<u8>> = names.map(|name| read(case.join(name))).into();
            parts.push(read(fixtures.join("shop.json")));
            parts.push(body(&case));
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let name = format!("{}-{}", named(&adapter), named(&case));
            seeds.parts("fixtures", &name, &parts);
            // What the LMS and the order say, as what is blanked and what single values are read from.
            seeds.parts(
                "redact",
                &name,
                &[b"/order/id\n/data\n/lines/0", b"authorization", b"\"a\":1,", b",\"b\":[]", parts[6]],
            );
        }
    }
    for (name, before, behind) in [
        ("plain", r#""a":{"b":[1,"\u00e9"]},"#, r#","c":null"#),
        ("alone", "", ""),
        ("same-name", r#""key":1,"#, r#","k\u0065y":2"#),
    ] {
        seeds.parts(
            "redact",
            name,
            &[b"/a/b\n/a~1b\n/0\n/", b"x", before.as_bytes(), behind.as_bytes(), b"{\"a/b\":[1,{\"\":2}]}"],
        );
    }
}

fn proofs(root: &Path, seeds: &Seeds) {
    for (choices, secret) in
        [("000", "secret"), ("011", "secret"), ("101", "whsec_c2VjcmV0"), ("122", "c2VjcmV0"), ("210", "736563726574")]
    {
        let parts = [choices, secret, "", "1700000000.", "", "{\"a\":1}"].map(str::as_bytes);
        seeds.parts("hmac", &format!("genuine-{choices}"), &parts);
    }
    let fox = b"The quick brown fox jumps over the lazy dog".as_slice();
    let proof = b"f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8".as_slice();
    for (name, secret, proof) in [
        ("known", "key", proof.to_vec()),
        ("capitals", "key", proof.to_ascii_uppercase()),
        ("escaped", "a & b <c>", proof.to_vec()),
        ("in-base64", "key", STANDARD.encode(hex::decode(proof).unwrap()).into_bytes()),
    ] {
        seeds.parts("hmac", name, &[b"000", secret.as_bytes(), b"{old}", b"", &proof, fox]);
    }

    let header = br#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#.as_slice();
    let known: Value =
        serde_json::from_slice(&fs::read(root.join("host/sandbox/tests/data/jws.algorithms.json")).unwrap()).unwrap();
    for signed in known["sound"].as_array().unwrap().iter().chain([&known["weak"]]) {
        let set = serde_json::json!({"keys": [signed["jwk"]]}).to_string();
        let (algorithm, jws) = (signed["alg"].as_str().unwrap(), signed["jws"].as_str().unwrap());
        let (header, signature) = jws.split_once("..").unwrap();
        let parts = [set.as_str(), algorithm, header, signature, known["body"].as_str().unwrap()].map(str::as_bytes);
        seeds.parts("keys", &format!("{algorithm}-{}", signature.len()), &parts);
    }
    let our_own = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"}]}"#;
    seeds.parts("keys", "our-own", &[our_own.as_bytes(), b"EdDSA,RS256", header, b"signed", b"{}"]);
    let unknown = br#"{"alg":"HS256","kid":"a","b64":true}"#;
    seeds.parts("keys", "another-algorithm", &[b"{\"keys\":[]}", b"EdDSA", unknown, b"signed", b"{}"]);

    let secret = b"[a] secret".as_slice();
    let standard = b"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".as_slice();
    for (name, secret, path, headers) in [
        ("woocommerce", secret, "/woocommerce", "x-wc-webhook-signature: {base64}"),
        ("lemonsqueezy", secret, "/lemonsqueezy", "X-Signature: {hex}"),
        ("joanie", secret, "/joanie", "authorization: SIG-HMAC-SHA256 {hex}"),
        ("stripe", secret, "/stripe", "stripe-signature: t=1700000000,v1=00,v1={hex:1700000000.}"),
        ("paddle", secret, "/paddle", "paddle-signature: ts=1700000100;h1={hex:1700000100:}"),
        (
            "standard",
            standard,
            "/standard",
            "webhook-id: m\nwebhook-timestamp: 1700000000\nwebhook-signature: v1,{standard:m.1700000000.} v1a,x",
        ),
        (
            "svix",
            standard,
            "/standard",
            "svix-id: m\nsvix-timestamp: 1700000000\nsvix-signature: v1,{standard:m.1700000000.}",
        ),
        (
            "standard-keys",
            b"",
            "/standard-keys",
            "webhook-id: m\nwebhook-timestamp: 1700000000\nwebhook-signature: v1,x v1a,c2lnbmVk",
        ),
        ("jws", b"", "/jws", "x-signature: c2lnbmVk"),
        ("header", secret, "/header", "authorization: [a] secret"),
        ("path", secret, "/hooks/[a] secret", ""),
    ] {
        seeds.parts("schemes", name, &[secret, path.as_bytes(), headers.as_bytes(), b"{\"id\":1}"]);
    }
}

fn requests(root: &Path, seeds: &Seeds) {
    let paid = fs::read_to_string(root.join("tests/components/0.1.0/fixtures/paid-order/body.json")).unwrap();
    let paid: Value = serde_json::from_str(&paid).unwrap();
    let paid = paid.to_string();
    let post = |address: &str, headers: &str, body: &str| {
        format!("POST {address} HTTP/1.1\r\nhost: shop\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
    };
    let signed = "content-type: application/json\r\nx-shop-signature: {proof}\r\n";
    for (name, text) in [
        ("paid", post("/webhooks/campus", signed, &paid)),
        ("paid-below", post("/webhooks/campus/a%2Fb/c?q=1&r", signed, &paid)),
        ("gives-the-secret-away", post("/webhooks/campus?{secret}", signed, &paid)),
        ("proved-and-gives-the-secret-away", post("/webhooks/campus", &format!("x-key: {{secret}}\r\n{signed}"), "{}")),
        ("forged", post("/webhooks/campus", "x-shop-signature: 00\r\n", &paid)),
        ("closed", post("/webhooks/closed/x", "x-key: 1\r\n", "{}")),
        ("closed-secret", post("/webhooks/closed", "x-key: {secret}\r\n", "{}")),
        ("closed-escaped", post("/webhooks/closed", "", "{\"key\":\"{escaped}\"}")),
        ("no-shop", post("/webhooks/other", "", "")),
        ("too-large", "POST /webhooks/campus HTTP/1.1\r\nhost: shop\r\ncontent-length: 99999\r\n\r\n".to_owned()),
        ("healthy", "GET /healthz HTTP/1.1\r\nhost: shop\r\n\r\n".to_owned()),
        ("another-method", "DELETE /webhooks/campus HTTP/1.0\r\n\r\n".to_owned()),
        (
            "chunked",
            "POST /webhooks/closed HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                .to_owned(),
        ),
        (
            "expects",
            "POST /webhooks/closed HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}"
                .to_owned(),
        ),
        ("two", post("/webhooks/closed", "", "{}").repeat(2)),
    ] {
        seeds.write("request", name, text.as_bytes());
    }
}

fn values(root: &Path, seeds: &Seeds) {
    for (number, (one, other, json)) in [
        ("2026-03-02T10:00:45Z", "2016-12-31 23:59:60.25+05:45", r#""7""#),
        ("49.00", "-0.5", r#"["a",1,1.5,-1,true,null,{},"49.00","EUR"]"#),
        ("999999999999999999999999999999", ".1", "12345678901234567890123"),
        ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", r#""2026-03-02T10:00:41.5Z""#),
        ("a@example.org", "+7", r#"{"a":[1,{"b":null}]}"#),
    ]
    .iter()
    .enumerate()
    {
        seeds.parts("values", &format!("values-{number}"), &[one.as_bytes(), other.as_bytes(), json.as_bytes()]);
    }
    let body = fs::read(root.join("tests/vectors/lemonsqueezy/order_created.body")).unwrap();
    seeds.parts("values", "order", &[b"", b"", &body]);
}

fn body(case: &Path) -> Vec<u8> {
    let files = children(case);
    let body = files.iter().find(|path| named(path).starts_with("body."));
    body.map(|path| fs::read(path).unwrap()).unwrap_or_default()
}

fn named(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What lies in a folder, in the order of the names; nothing where there is none.
fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
