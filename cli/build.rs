//! Embeds the template and the framework's lock file, and records where this binary was built from.

use std::{
    env,
    error::Error,
    ffi::OsStr,
    fmt::Write as _,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> Result<(), Box<dyn Error>> {
    let package =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?);
    let checkout = package.parent().ok_or("the package has no parent folder")?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);

    embed_template(&checkout.join("template"), &out.join("template.rs"))?;
    embed_lock_file(&checkout.join("Cargo.lock"), &out.join("lock.rs"))?;
    record_origin(checkout);
    Ok(())
}

/// Writes a slice of `EmbeddedFile` expressions: path, executable bit, bytes.
fn embed_template(template: &Path, list: &Path) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    collect(template, &mut files).map_err(|source| {
        format!(
            "cannot read the template at `{}`: {source}",
            template.display()
        )
    })?;
    files.sort();

    let mut code = String::from("&[\n");
    for file in &files {
        let path = file
            .strip_prefix(template)?
            .to_str()
            .ok_or("a template path is not UTF-8")?;
        let source = file
            .to_str()
            .ok_or("the path of the checkout is not UTF-8")?;
        let executable = fs::metadata(file)?.permissions().mode() & 0o111 != 0;
        writeln!(
            code,
            "    EmbeddedFile {{ path: {path:?}, executable: {executable}, bytes: include_bytes!({source:?}) }},"
        )?;
    }
    code.push_str("]\n");
    fs::write(list, code)?;
    Ok(())
}

/// Lists every file below `folder`; every folder is watched, so that a new file is noticed.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            // What a build or a run in the template folder itself leaves behind is no part of it.
            if path.file_name() != Some(OsStr::new("target")) {
                collect(&path, files)?;
            }
        } else {
            println!("cargo:rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}

fn embed_lock_file(lock: &Path, target: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", lock.display());
    let path = lock
        .to_str()
        .ok_or("the path of the checkout is not UTF-8")?;
    fs::write(target, format!("include_str!({path:?})\n"))?;
    Ok(())
}

fn record_origin(checkout: &Path) {
    println!("cargo:rerun-if-env-changed=SMART_COMMIT");
    for name in ["HEAD", "logs/HEAD", "config"] {
        // A path that does not exist would make cargo run this script every time.
        let path =
            git(checkout, &["rev-parse", "--git-path", name]).map(|path| checkout.join(path));
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }

    let full = git(checkout, &["rev-parse", "HEAD"]).unwrap_or_default();
    let shown = match env::var("SMART_COMMIT") {
        Ok(commit) if !commit.is_empty() => commit,
        _ => shown_commit(checkout).unwrap_or_else(|| String::from("unknown commit")),
    };
    let origin = git(checkout, &["config", "--get", "remote.origin.url"]).unwrap_or_default();
    println!("cargo:rustc-env=SMART_SHOWN_COMMIT={shown}");
    println!("cargo:rustc-env=SMART_BUILT_COMMIT={full}");
    println!("cargo:rustc-env=SMART_BUILT_ORIGIN={origin}");
    println!(
        "cargo:rustc-env=SMART_BUILT_CHECKOUT={}",
        checkout.display()
    );
}

fn shown_commit(checkout: &Path) -> Option<String> {
    let short = git(checkout, &["rev-parse", "--short", "HEAD"])?;
    let changes = git(checkout, &["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() {
        short
    } else {
        format!("{short}-dirty")
    })
}

/// The trimmed output of one git command; `None` when it fails, as it does where there is no git.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
