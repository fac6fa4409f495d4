//! Embeds what a new adapter's folder is made of: the templates, the kits and the contract's text.
//!
//! The folders themselves are the list, so that no file can be forgotten.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where each part lies from the project's root, and its name in the code.
const PARTS: [(&str, &str); 8] = [
    ("CONTRACT", "wit/0.1.0"),
    ("KIT_RUST", "plugins/sdk"),
    ("KIT_JAVASCRIPT", "plugins/sdk-javascript"),
    ("KIT_PYTHON", "plugins/sdk-python"),
    ("TEMPLATE_SHARED", "templates/shared"),
    ("TEMPLATE_RUST", "templates/rust"),
    ("TEMPLATE_JAVASCRIPT", "templates/javascript"),
    ("TEMPLATE_PYTHON", "templates/python"),
];

/// What tools leave behind in such folders, and what of a kit is for those who work on the kit.
const LEFT_OUT: [&str; 9] =
    ["target", "node_modules", ".venv", "__pycache__", "dist", "test", "test_kit.py", "generate.js", "tsconfig.json"];

fn main() -> io::Result<()> {
    // Asked for when it runs: clones that share a target directory share what was compiled, too.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| io::Error::other("cargo did not say where the package is"))?;
    let root = Path::new(&manifest).join("../..").canonicalize()?;
    let mut code = String::new();
    for (name, folder) in PARTS {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        collect(&folder, &mut files)?;
        files.sort();
        writeln!(code, "pub(crate) static {name}: &[File] = &[").map_err(io::Error::other)?;
        for file in files {
            let inside = file.strip_prefix(&folder).map_err(io::Error::other)?.display().to_string();
            writeln!(code, "    ({inside:?}, include_bytes!({:?})),", file.display().to_string())
                .map_err(io::Error::other)?;
        }
        code.push_str("];\n");
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| io::Error::other("cargo did not say OUT_DIR"))?;
    fs::write(out.join("embedded.rs"), code)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| LEFT_OUT.iter().any(|left| name == *left)) {
            continue;
        }
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
