//! What llama.cpp cannot run is named at the start: a file, or a setting. `tests/engine/run.sh` writes the GGUF file.

use std::path::{Path, PathBuf};

use costeer::service::Service;
use costeer::settings::{Variables, load};

use crate::support::run;

/// The GGUF file, where there is one.
fn model() -> Option<PathBuf> {
    let model = std::env::var_os("COSTEER__LOCAL__MODEL").map(PathBuf::from);
    if model.is_none() {
        eprintln!("skipped: tests/engine/run.sh writes the GGUF file and names it");
    }
    model
}

/// What is said instead of starting with these settings.
fn refusal(model: &Path, settings: &[(&'static str, &str)]) -> String {
    let mut overrides = vec![
        ("upstream.url", "http://127.0.0.1:9/v1".to_owned()),
        ("local.model", model.display().to_string()),
        ("local.engine", "llamacpp".to_owned()),
        ("local.threads", "1".to_owned()),
    ];
    overrides.extend(settings.iter().map(|(key, value)| (*key, (*value).to_owned())));
    let settings = load(None, Variables::Ignore, &overrides).unwrap();
    let loaded = run(async move { Service::load(&settings).await });
    loaded.err().expect("it started").to_string()
}

/// A copy of the model's folder whose file is changed.
fn changed(model: &Path, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("costeer-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(model.parent().unwrap()).unwrap().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "json") {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
    let copy = folder.join("changed.gguf");
    std::fs::write(&copy, change(std::fs::read(model).unwrap())).unwrap();
    copy
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let Some(model) = model() else { return };
    let short = changed(&model, |mut bytes| {
        bytes.truncate(bytes.len() / 2);
        bytes
    });
    let unknown = changed(&model, |bytes| {
        let text = b"qwen2";
        let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
        let mut bytes = bytes;
        bytes[at..at + text.len()].copy_from_slice(b"nosuc");
        bytes
    });
    for file in [&short, &unknown] {
        let said = refusal(file, &[]);
        assert!(said.contains("local.model") && said.contains("changed.gguf"), "{said}");
        std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_directory_is_not_for_llama_cpp() {
    if model().is_some() {
        let said = refusal(Path::new("models/tiny/slm"), &[]);
        assert!(said.contains("GGUF files only"), "{said}");
    }
}

#[test]
fn what_asks_for_too_much_is_named() {
    let Some(model) = model() else { return };
    for (setting, value) in [("local.window", "10000000"), ("local.slots", "200")] {
        let said = refusal(&model, &[(setting, value)]);
        assert!(said.contains(setting), "{said}");
    }
}
