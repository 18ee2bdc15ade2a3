//! `costeer tune`, the real binary, on the shipped models.

mod brute_force;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use costeer::local::ModelSource;
use costeer::testkit::{DemoServer, Pacing};
use serde_json::Value;

use crate::support::{Folder, costeer, options, recorder, run, scripted, serve, upstream};

/// The shipped small model on the other side, too, so that what steering should come to is known.
async fn small_upstream(pace: Duration) -> SocketAddr {
    let source = ModelSource::locate("--model", "models/tiny/slm").await.unwrap();
    let pacing = Pacing {
        pace,
        ..Pacing::default()
    };
    let server = DemoServer::load(&source, &options(), 3, "tiny-slm", pacing)
        .await
        .unwrap();
    serve(server.router()).await
}

/// What a run has beside its flags: a folder for its state, and variables.
struct Setting<'a> {
    upstream: SocketAddr,
    folder: &'a Folder,
    variables: Vec<(&'a str, &'a str)>,
}

impl Setting<'_> {
    fn command(&self, flags: &[&str]) -> std::process::Command {
        let url = format!("http://{}/v1", self.upstream);
        let state = self.folder.file("state");
        let mut variables = vec![
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("XDG_STATE_HOME", state.as_str()),
        ];
        variables.extend(&self.variables);
        costeer(&[&["tune"], flags].concat(), &variables)
    }

    async fn tune(&self, flags: &[&str]) -> Output {
        let mut command = self.command(flags);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// What it prints with `--json`.
    async fn report(&self, flags: &[&str]) -> Value {
        let output = self.tune(&[flags, &["--json"]].concat()).await;
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Lines in the files that keep what was measured.
fn kept(folder: &Folder) -> usize {
    let Ok(files) = std::fs::read_dir(Path::new(&folder.file("state")).join("costeer/tune")) else {
        return 0;
    };
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.map(|text| text.matches('\n').count()).sum()
}

#[test]
fn one_model_on_both_sides_needs_strength_one() {
    run(async {
        let folder = Folder::new();
        let setting = Setting {
            upstream: small_upstream(Duration::ZERO).await,
            folder: &folder,
            variables: Vec::new(),
        };
        let shown = setting.report(&["--questions", "3", "--tokens", "24"]).await;
        let report = &shown["report"];
        let strength = report["proposal"]["strength"].as_f64().unwrap();
        assert!((strength - 1.0).abs() <= 0.05, "{report:#}");
        let proposed = report["standings"].as_array().unwrap().last().unwrap();
        assert_eq!(proposed["name"], "proposed");
        assert!(proposed["divergence"]["mean"].as_f64().unwrap() <= 0.02, "{proposed:#}");
        assert!(proposed["way"].as_f64().unwrap() > 0.95, "{proposed:#}");
        assert_eq!(report["questions"], 3);
        // Nothing of it is asked a second time, and people read the same.
        let output = setting.tune(&["--questions", "3", "--tokens", "24"]).await;
        assert!(stderr(&output).contains("0 questions are left"), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("strength = {strength:?}")), "{text}");
        assert!(!text.contains('\u{1b}'), "escape sequences in a pipe: {text}");
    });
}

#[test]
fn it_says_what_it_costs_and_goes_on_where_it_was_killed() {
    run(async {
        let folder = Folder::new();
        let (recorder, recording) = recorder(small_upstream(Duration::from_millis(20)).await).await;
        let setting = Setting {
            upstream: recorder,
            folder: &folder,
            variables: Vec::new(),
        };
        let flags = ["--questions", "6", "--tokens", "12"];
        let estimate = setting.report(&[&flags[..], &["--estimate"]].concat()).await;
        assert_eq!(estimate["estimate"]["questions"], 5, "{estimate:#}");
        assert!(estimate["estimate"]["requests"].as_u64().unwrap() >= 10, "{estimate:#}");
        assert_eq!(kept(&folder), 1);

        let mut child = setting.command(&flags).spawn().unwrap();
        while kept(&folder) < 3 {
            assert!(child.try_wait().unwrap().is_none(), "it has ended by itself");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let kept_before = kept(&folder);
        assert!((3..6).contains(&kept_before), "{kept_before}");

        let output = setting.tune(&[&flags[..], &["--json"]].concat()).await;
        let left = format!("{} questions are left", 6 - kept_before);
        assert!(stderr(&output).contains(&left), "{left}: {}", stderr(&output));
        let resumed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let asked = recording.requests().len();
        let fresh = setting.report(&[&flags[..], &["--fresh"]].concat()).await;
        // It is what one whole run finds, but for the last bit of numbers that were written and read.
        for key in ["questions", "positions", "proposal"] {
            assert_eq!(resumed["report"][key], fresh["report"][key]);
        }
        let strength = |shown: &Value| shown["report"]["curves"][0]["strength"].as_f64().unwrap();
        assert!((strength(&resumed) - strength(&fresh)).abs() < 1e-6);
        assert!(recording.requests().len() > asked);
        // Another pair has results of its own.
        let other = Setting {
            variables: vec![("COSTEER__UPSTREAM__TOP_K", "5")],
            ..setting
        };
        let output = other.tune(&["--questions", "1", "--tokens", "12"]).await;
        assert!(output.status.success() && kept(&folder) > 6, "{}", stderr(&output));
    });
}

#[test]
fn it_writes_into_a_file_and_leaves_the_rest_of_it() {
    run(async {
        let folder = Folder::new();
        let upstream = small_upstream(Duration::ZERO).await;
        let file = folder.file("costeer.toml");
        let text = "# Mine.\n[steering] # how\nstrength = 3 # too much\n\n# Short ones.\nmax_tokens = 99\n";
        std::fs::write(&file, text).unwrap();
        let setting = |variables| Setting {
            upstream,
            folder: &folder,
            variables,
        };
        let flags = ["--questions", "2", "--tokens", "12", "--config", &file, "--write"];
        // A variable would win over the file.
        let refused = setting(vec![("COSTEER__STEERING__DELTA_FLOOR", "0.1")])
            .tune(&flags)
            .await;
        assert!(!refused.status.success() && kept(&folder) == 0);
        assert!(
            stderr(&refused).contains("COSTEER__STEERING__DELTA_FLOOR"),
            "{}",
            stderr(&refused)
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);

        let shown = setting(Vec::new()).report(&flags).await;
        let proposal = &shown["report"]["proposal"];
        assert_eq!(shown["written"], file.as_str());
        let number = |key: &str| format!("{:?}", proposal[key].as_f64().unwrap());
        let expected = format!(
            "# Mine.\n[steering] # how\nplausibility = {}\ndelta_floor = {}\nstrength = {} # too much\n\n# Short ones.\nmax_tokens = 99\n",
            number("plausibility"),
            number("delta_floor"),
            number("strength")
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
        let beside = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(beside, 2, "the file and the state alone");

        // What comes to a strength and a strength exclude each other.
        for (key, value) in [("alpha", "1.5"), ("preset", "\"paper\"")] {
            std::fs::write(&file, format!("[steering]\n{key} = {value}\n")).unwrap();
            let refused = setting(Vec::new()).tune(&flags).await;
            let said = stderr(&refused);
            assert!(
                !refused.status.success() && said.contains(&format!("steering.{key}")),
                "{said}"
            );
        }
        let refused = setting(Vec::new()).tune(&["--write"]).await;
        assert!(stderr(&refused).contains("--config"), "{}", stderr(&refused));
    });
}

#[test]
fn nothing_is_proposed_or_written_where_steering_leads_nowhere() {
    run(async {
        let folder = Folder::new();
        let file = folder.file("costeer.toml");
        std::fs::write(&file, "").unwrap();
        // The shipped big model has never seen a context in its prompt, and does not heed one.
        let llm = format!("{}/models/tiny/llm", env!("CARGO_MANIFEST_DIR"));
        let setting = Setting {
            upstream: upstream().await,
            folder: &folder,
            variables: vec![("COSTEER__UPSTREAM__TOKENIZER", &llm)],
        };
        let output = setting.tune(&["--questions", "3", "--config", &file, "--write"]).await;
        assert!(!output.status.success());
        assert!(stderr(&output).contains("nothing was written"), "{}", stderr(&output));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
        let shown = setting.report(&["--questions", "3"]).await;
        assert!(shown["report"]["proposal"].is_null(), "{shown:#}");
        assert_eq!(shown["report"]["curves"][0]["points"].as_array().unwrap().len(), 41);
    });
}

#[test]
fn bad_answers_of_an_upstream_are_named() {
    run(async {
        for (body, part) in [
            ("data: {\"choices\": []}\n\ndata: [DONE]\n\n", "upstream"),
            ("data: what\n\n", "upstream"),
            (
                "data: {\"choices\": [{\"text\": \"a\", \"token_ids\": [99999], \"logprobs\": {\"tokens\": [\"token_id:99999\"], \
                 \"token_logprobs\": [0.0], \"top_logprobs\": [{\"token_id:99999\": 0.0}]}, \"finish_reason\": \"stop\"}]}\n\n",
                "99999",
            ),
        ] {
            let folder = Folder::new();
            let setting = Setting {
                upstream: scripted(body).await,
                folder: &folder,
                variables: vec![("COSTEER__UPSTREAM__RETRIES", "0")],
            };
            let output = setting.tune(&["--questions", "2"]).await;
            let said = stderr(&output);
            assert!(
                !output.status.success() && said.contains("question 1") && said.contains(part),
                "{body}: {said}"
            );
            assert!(!said.contains("panicked"), "{said}");
            assert_eq!(kept(&folder), 0);
        }
        let folder = Folder::new();
        let set = folder.file("set.jsonl");
        std::fs::write(&set, "{\"question\": \"What?\", \"context\": \"I am Ada.\"}\nno\n").unwrap();
        let setting = Setting {
            upstream: scripted("").await,
            folder: &folder,
            variables: Vec::new(),
        };
        let output = setting.tune(&["--set", &set]).await;
        assert!(stderr(&output).contains("line 2"), "{}", stderr(&output));
    });
}
