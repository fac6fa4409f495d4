//! What the tests share: guests built once, a shop, requests.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use bursar_domain::{
    Request, ShopName, Timestamp,
    ids::DeliveryId,
    statement::{ProductId, Revision},
};
use bursar_sandbox::{
    Adapter, DeliveryInput, FixedKeySets, HostFault, KnownLine, Origin, Permission, Sandbox, SandboxConfig,
    ShopContext, Surroundings,
};
use bytes::Bytes;
use secrecy::SecretString;

/// When every request of the tests arrived.
pub const RECEIVED: i64 = 1_700_000_000_000;

/// The secret of every shop of the tests.
pub const SECRET: &str = "the secret of the form";

/// The component of one of the guests' packages. One build makes all of them.
fn guest(package: &str) -> Vec<u8> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let directory = BUILT.get_or_init(|| {
        // Beside the folder that this very program lies in: `target/debug/sandbox-guests`.
        let target = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("sandbox-guests");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet", "--target", "wasm32-unknown-unknown", "--manifest-path"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guests/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status();
        assert!(status.unwrap().success(), "the test adapters do not build");
        target.join("wasm32-unknown-unknown/release")
    });
    let module = std::fs::read(directory.join(format!("{package}.wasm"))).unwrap();
    wit_component::ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// The component with the minimal interfaces.
pub fn minimal() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| guest("test_adapter"))
}

/// The component with every interface.
pub fn everything() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| guest("test_adapter_everything"))
}

/// The minimal component whose `describe` does `word`, seven bytes long.
pub fn describing(word: &str) -> Vec<u8> {
    patched("describe:normal.", &format!("describe:{word}"))
}

/// The minimal component with each of a text's places reading otherwise.
pub fn patched(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = minimal().to_vec();
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from.as_bytes()) {
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

/// The contract's text, with `from` in one of its files reading `to`.
fn contract_text(file: &str, from: &str, to: &str) -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/0.1.0");
    let mut texts: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let (name, text) =
                (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap());
            if name != file {
                return (name, text);
            }
            assert!(text.contains(from), "{file} does not hold {from:?}");
            (name, text.replace(from, to))
        })
        .collect();
    texts.sort();
    texts
}

/// A component of a world, whose every function traps.
pub fn dummy(packages: &[Vec<(String, String)>], world: &str) -> Vec<u8> {
    dummy_with(packages, world, |_| {})
}

/// The minimal component whose every function traps, and is called so.
pub fn trapping_in(name: &str) -> Vec<u8> {
    use wasm_encoder::{NameMap, NameSection, Section as _};
    dummy_with(&[contract_text("", "", "")], "minimal", |module| {
        let (mut functions, mut names) = (NameMap::new(), NameSection::new());
        for index in 0..FUNCTIONS_NAMED {
            functions.append(index, name);
        }
        names.functions(&functions);
        names.append_to(module);
    })
}

/// More functions than the minimal component has.
const FUNCTIONS_NAMED: u32 = 100;

fn dummy_with(packages: &[Vec<(String, String)>], world: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
    use wit_parser::{ManglingAndAbi, Resolve, UnresolvedPackageGroup};
    let mut resolve = Resolve::default();
    let mut main = None;
    for files in packages {
        // A package has one declaration of its name; the files of a folder share it.
        let mut map = wit_parser::SourceMap::new();
        for (name, text) in files {
            map.push_str(name, text.as_str());
        }
        let group: UnresolvedPackageGroup = map.parse().map_err(|(_, error)| error.to_string()).unwrap();
        main = Some(resolve.push_group(group).unwrap());
    }
    let world = resolve.select_world(&[main.unwrap()], Some(world)).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    change(&mut module);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// A component of the minimal world, as if one file of the contract read otherwise.
pub fn contract_with(file: &str, from: &str, to: &str) -> Vec<u8> {
    dummy(&[contract_text(file, from, to)], "minimal")
}

/// A component of the minimal world of a newer version, as if one file of the contract read otherwise.
pub fn newer_contract_with(version: &str, file: &str, from: &str, to: &str) -> Vec<u8> {
    let mut texts = contract_text(file, from, to);
    for (_, text) in &mut texts {
        *text = text.replace("@0.1.0", &format!("@{version}"));
    }
    dummy(&[texts], "minimal")
}

/// A component of the minimal world that imports an interface of another package too.
pub fn importing(package: &str, interface: &str) -> Vec<u8> {
    let world =
        format!("package test:adapter; world mine {{ include bursar:adapter/minimal@0.1.0; import {interface}; }}");
    dummy(
        &[
            contract_text("", "", ""),
            vec![("other.wit".to_owned(), package.to_owned())],
            vec![("world.wit".to_owned(), world)],
        ],
        "mine",
    )
}

/// The component, and beside its parts a module that binds CPython as a shared library.
pub fn binding_libpython(component: &[u8]) -> Vec<u8> {
    use wasm_encoder::{
        ComponentSectionId, ConstExpr, Encode as _, ExportKind, ExportSection, GlobalSection, GlobalType, Module,
        RawSection, ValType,
    };
    let (mut module, mut globals, mut exports) = (Module::new(), GlobalSection::new(), ExportSection::new());
    globals.global(GlobalType { val_type: ValType::I32, mutable: false, shared: false }, &ConstExpr::i32_const(0));
    exports.export("libpython3.14.so:memory_base", ExportKind::Global, 0);
    module.section(&globals).section(&exports);
    let mut bytes = component.to_vec();
    let section = RawSection { id: ComponentSectionId::CoreModule as u8, data: &module.finish() };
    bytes.push(section.id);
    section.encode(&mut bytes);
    bytes
}

/// The minimal adapter in a sandbox of its own with default limits.
pub async fn adapter() -> Adapter {
    sandbox().load(minimal()).await.unwrap()
}

pub fn sandbox() -> Sandbox {
    Sandbox::new(SandboxConfig::default()).unwrap()
}

/// A shop with secrets that grants nothing.
pub fn shop() -> Arc<ShopContext> {
    shop_with(|_| {})
}

pub fn shop_with(change: impl FnOnce(&mut ShopContext)) -> Arc<ShopContext> {
    let mut shop = ShopContext {
        name: ShopName::parse("campus").unwrap(),
        secrets: BTreeMap::from([
            ("webhook".to_owned(), vec![SecretString::from("an older secret"), SecretString::from(SECRET)]),
            ("shared".to_owned(), vec![SecretString::from("sesame")]),
        ]),
        key_sets: Arc::new(FixedKeySets::default()),
        settings_json: r#"{"greeting":"hello"}"#.to_owned(),
        unsigned: false,
        permissions: BTreeSet::new(),
    };
    change(&mut shop);
    Arc::new(shop)
}

pub fn granting_everything() -> Arc<ShopContext> {
    shop_with(|shop| shop.permissions = Permission::ALL.into_iter().collect())
}

/// A request for `path`, signed with [`SECRET`].
pub fn request(path: &str) -> Arc<Request> {
    request_with(path, br#"{"id":7}"#, |_| {})
}

pub fn request_with(path: &str, body: &[u8], change: impl FnOnce(&mut Request)) -> Arc<Request> {
    let mut request = Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: "a=b".to_owned(),
        headers: vec![
            ("x-topic".to_owned(), Bytes::from_static(b"order.updated")),
            ("x-signature".to_owned(), sign(SECRET, body).into()),
        ],
        body: Bytes::copy_from_slice(body),
        received_at: Timestamp::from_millis(RECEIVED),
    };
    change(&mut request);
    Arc::new(request)
}

/// The base64 of the HMAC-SHA256 of a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    use base64::Engine as _;
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// A delivery whose topic tells the test adapter what to do.
pub fn delivery(topic: &str) -> DeliveryInput {
    DeliveryInput {
        id: DeliveryId::new(Timestamp::from_millis(RECEIVED)),
        topic: topic.to_owned(),
        origin: Origin::Webhook,
        attempt: 1,
        request: request(""),
    }
}

/// Surroundings that know one order and one product.
#[derive(Debug, Default)]
pub struct Known {
    /// How long every look-up takes.
    pub delay: std::time::Duration,
    /// Do look-ups fail?
    pub broken: bool,
}

#[async_trait]
impl Surroundings for Known {
    async fn known(&self, order: &str) -> Result<Vec<KnownLine>, HostFault> {
        tokio::time::sleep(self.delay).await;
        if self.broken {
            return Err(HostFault("the ledger is out of reach".to_owned()));
        }
        if order != "1" {
            return Ok(Vec::new());
        }
        Ok(vec![KnownLine {
            id: "a".to_owned(),
            active: true,
            quantity: 3,
            refunded_quantity: 1,
            products: vec![ProductId { kind: "sku".to_owned(), id: "SAIL".to_owned() }],
            courses: vec![("course-v1:A+B+C".to_owned(), "verified".to_owned())],
            until: Some(Timestamp::from_millis(5)),
            revision: Revision(vec![7, 1]),
        }])
    }

    async fn courses(&self, products: &[ProductId]) -> Result<Vec<(String, String)>, HostFault> {
        Ok(products.iter().map(|product| (format!("run of {}", product.id), "audit".to_owned())).collect())
    }
}

/// Surroundings that know little and answer at once.
pub fn surroundings() -> Arc<dyn Surroundings> {
    Arc::new(Known::default())
}
