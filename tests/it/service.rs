//! `costeer service`, completions and pages for man: the real binary, and no service manager.

use std::path::Path;

use crate::support::{Folder, costeer};

/// Runs it with `folder` as the person's own, and no other program in reach; gives whether it went well, and all that it said.
fn said(folder: &Folder, arguments: &[&str]) -> (bool, String) {
    let (home, config) = (folder.path().to_string_lossy().into_owned(), folder.file("config"));
    let variables = [
        ("HOME", home.as_str()),
        ("XDG_CONFIG_HOME", &config),
        ("PATH", "/nonexistent"),
    ];
    let output = costeer(arguments, &variables).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_is_written_once_and_removed_again() {
    let folder = Folder::new();
    let unit = folder.file("config/systemd/user/costeer.service");
    let (printed, text) = said(&folder, &["service", "install", "--print"]);
    assert!(printed && !Path::new(&unit).exists());
    // The program names itself without links in its path.
    let program = Path::new(env!("CARGO_BIN_EXE_costeer")).canonicalize().unwrap();
    let starts = format!("ExecStart=\"{}\" \"serve\"\n", program.display());
    assert!(text.contains(&starts), "{text}");

    let install = ["service", "install", "--no-start"];
    assert!(said(&folder, &install).0);
    assert_eq!(std::fs::read_to_string(&unit).unwrap(), text);
    let (again, refusal) = said(&folder, &install);
    assert!(!again && refusal.contains("--force"), "{refusal}");

    std::fs::write(folder.file("own.toml"), "[upstream]\ntop_k = 7").unwrap();
    let own = folder.file("own.toml");
    assert!(said(&folder, &[&install[..], &["--force", "--config", &own]].concat()).0);
    let text = std::fs::read_to_string(&unit).unwrap();
    assert!(text.contains(&format!("\"serve\" \"--config\" \"{own}\"")), "{text}");

    // Where systemctl is not there, the file goes all the same.
    let (removed, text) = said(&folder, &["service", "remove"]);
    assert!(
        removed && text.contains("It may still run") && !Path::new(&unit).exists(),
        "{text}"
    );
    let (removed, text) = said(&folder, &["service", "remove"]);
    assert!(!removed && text.contains("there is no service"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_that_could_not_start_is_not_installed() {
    let folder = Folder::new();
    std::fs::write(folder.file("wrong.toml"), "[upstream]\ntop_j = 7").unwrap();
    let wrong = folder.file("wrong.toml");
    let (installed, text) = said(&folder, &["service", "install", "--no-start", "--config", &wrong]);
    assert!(!installed && text.contains("top_k"), "{text}");
    assert!(!Path::new(&folder.file("config/systemd")).exists());
}

#[test]
fn shells_and_man_know_all_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (printed, text) = said(&folder, &["completions", shell]);
        assert!(printed && text.contains("no-search"), "{shell}");
    }
    let pages = folder.file("man1");
    assert!(said(&folder, &["man", &pages]).0);
    for page in ["costeer.1", "costeer-setup.1", "costeer-profile-import.1"] {
        let text = std::fs::read_to_string(Path::new(&pages).join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}
