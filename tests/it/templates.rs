//! Chat templates and tokenizer files as models ship them.

use costeer::vocabulary::{ChatMessage, Role, SystemRole, TemplateOptions, Tokenizer};
use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, Folder, ask, proxy, question, run, tokenizer, upstream};

/// Writes each message as its role and text.
const PLAIN: &str = "{% for message in messages %}{{ message.role + ': ' + message.content + '\\n' }}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";
const NO_SYSTEM: &str =
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}";
const TURNS: &str = "{% for message in messages if message.role != 'system' %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{% endfor %}";

/// The small model's files with this chat template in a file of its own, beside its usual one.
fn with_template(template: &str) -> Folder {
    let folder = Folder::new();
    folder.copy_without_weights("slm");
    std::fs::write(folder.file("chat_template.jinja"), template).unwrap();
    folder
}

fn load(template: &str) -> Result<Tokenizer, String> {
    Tokenizer::load(with_template(template).path()).map_err(|error| error.to_string())
}

fn written(tokenizer: &Tokenizer, chat: &[(Role, &str)], options: Value) -> Result<String, String> {
    let chat: Vec<_> = chat.iter().map(|(role, text)| ChatMessage::new(*role, *text)).collect();
    let options = TemplateOptions(options.as_object().unwrap().clone());
    let ids = tokenizer.chat_prompt_with(&chat, &[], &options);
    ids.map(|ids| tokenizer.bytes().text(&ids))
        .map_err(|error| error.to_string())
}

#[test]
fn what_templates_need_of_python_and_transformers_is_there() {
    for (template, wanted) in [
        ("{% generation %}{{ messages[0].content }}{% endgeneration %}", "Hi"),
        ("{{ messages[0].content }}{{ strftime_now('%Y')|length }}", "Hi4"),
        ("{{ messages[0] | tojson }}", r#"{"role": "user", "content": "Hi"}"#),
        (
            "{{ {'b': 1, 'a': messages[0].content} | tojson(indent=1) }}",
            "{\n \"b\": 1,\n \"a\": \"Hi\"\n}",
        ),
        (
            "{{ [true, none, 1.0, 'x', messages[0].content] }}",
            "[True, None, 1.0, 'x', 'Hi']",
        ),
        (
            "{% for m in [1, 2, 3, 4, 5] %}{% if m == 2 %}{% continue %}{% endif %}{% if m == 4 %}{% break %}{% endif %}{{ m }}{% endfor %}{{ messages[0].content }}",
            "13Hi",
        ),
        (
            "{% for m in [1, 2] %}{% for n in [1, 2, 3] %}{% if n > m %}{% break %}{% else %}{{ n }}{% endif %},{% endfor %};{% endfor %}{{ messages[0].content }}",
            "1,;1,2,;Hi",
        ),
        (
            "{% for m in [1, 2, 3] %}{% with x = m %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endwith %},{% endfor %}{{ messages[0].content }}",
            "1,Hi",
        ),
        (
            "{% for m in [1, 2, 3] %}{% generation %}{% set y %}{% if m == 2 %}{% continue %}{% endif %}{{ m }}{% endset %}{{ y }}{% endgeneration %};{% endfor %}{{ messages[0].content }}",
            "1;3;Hi",
        ),
        (
            "{% for m in ['a', 'b', 'c'] %}{% filter upper %}{{ m }}{% if m == 'b' %}{% break %}{% endif %}{% endfilter %}{% set z = '=' ~ m %}{{ z }}{% endfor %}{{ messages[0].content }}",
            "A=aBHi",
        ),
        (
            "{{ messages[0].content.split('i')[0] + messages[0].content.removeprefix('H') }}{{ messages[0].content }}",
            "HiHi",
        ),
        (
            "{% if tools is none and documents is none and bos_token is not defined %}{{ messages[0].content }}{% endif %}",
            "Hi",
        ),
    ] {
        // What the probes of the start say must be in the prompt, as well.
        let tokenizer = load(template).unwrap();
        assert_eq!(
            written(&tokenizer, &[(Role::User, "Hi")], json!({})).unwrap(),
            wanted,
            "{template}"
        );
    }
}

#[test]
fn roles_that_a_template_refuses_are_not_forced_on_it() {
    use Role::{Assistant, System, User};
    let chat = [(System, "S"), (User, "A"), (User, "B"), (Assistant, "C"), (User, "D")];
    for (head, wanted) in [
        (
            String::new(),
            "system: S\nuser: A\nuser: B\nassistant: C\nuser: D\nassistant:",
        ),
        (
            NO_SYSTEM.to_owned(),
            "user: S\n\nA\n\nB\nassistant: C\nuser: D\nassistant:",
        ),
        (
            TURNS.to_owned(),
            "system: S\nuser: A\n\nB\nassistant: C\nuser: D\nassistant:",
        ),
        (
            [NO_SYSTEM, TURNS].concat(),
            "user: S\n\nA\n\nB\nassistant: C\nuser: D\nassistant:",
        ),
    ] {
        let tokenizer = load(&(head + PLAIN)).unwrap();
        assert_eq!(written(&tokenizer, &chat, json!({})).unwrap(), wanted);
    }
}

#[test]
fn a_template_that_cannot_work_is_an_error_at_the_start() {
    for (template, wanted) in [
        ("{{ nobody_has_this() }}", "nobody_has_this"),
        ("{{ raise_exception('needs tools') }}", "needs tools"),
        ("{% if %}", "does not parse"),
        ("nothing of the chat", "not in the prompt"),
    ] {
        let error = load(template).err().unwrap();
        assert!(
            error.contains(wanted) && error.contains("chat_template.jinja"),
            "{error}"
        );
    }
}

#[test]
fn errors_quote_nothing_of_a_chat() {
    let refusing =
        "{% if 'Wilhelmina' in messages[0].content %}{{ raise_exception('No: ' + messages[0].content) }}{% endif %}";
    let tokenizer = load(&(refusing.to_owned() + PLAIN)).unwrap();
    let error = written(&tokenizer, &[(Role::User, "I am Wilhelmina.")], json!({})).unwrap_err();
    assert!(
        error.contains("chat template") && !error.contains("Wilhelmina"),
        "{error}"
    );
}

#[test]
fn a_template_that_has_or_needs_a_system_message_is_known() {
    let own = "{% if messages[0].role != 'system' %}system: Be kind.\n{% endif %}".to_owned() + PLAIN;
    let own_system = |tokenizer: &Tokenizer| tokenizer.own_system(&TemplateOptions::default());
    let tokenizer = load(&own).unwrap();
    assert_eq!(tokenizer.system_role(), SystemRole::Taken);
    assert_eq!(own_system(&tokenizer).as_deref(), Some("Be kind."));
    assert_eq!(own_system(&load(PLAIN).unwrap()), None);
    let needy = "{% if messages[0].role != 'system' %}{{ raise_exception('no system') }}{% endif %}".to_owned() + PLAIN;
    assert_eq!(load(&needy).unwrap().system_role(), SystemRole::Needed);
    let refusing = load(&(NO_SYSTEM.to_owned() + PLAIN)).unwrap();
    assert_eq!(refusing.system_role(), SystemRole::Refused);
}

#[test]
fn options_of_the_configuration_and_of_a_request_are_written() {
    let folder = with_template(&("{% if enable_thinking is false %}quiet {% endif %}".to_owned() + PLAIN));
    let quiet = TemplateOptions(json!({"enable_thinking": false}).as_object().unwrap().clone());
    let [usual, quiet] =
        [TemplateOptions::default(), quiet].map(|set| Tokenizer::load_with(folder.path(), set).unwrap());
    let says = |tokenizer: &Tokenizer, options: Value| {
        let prompt = written(tokenizer, &[(Role::User, "Hi")], options).unwrap();
        prompt.starts_with("quiet")
    };
    assert!(!says(&usual, json!({})) && says(&quiet, json!({})));
    assert!(says(&usual, json!({"enable_thinking": false})) && !says(&quiet, json!({"enable_thinking": true})));
}

#[test]
fn a_file_with_truncation_and_padding_keeps_prompts_whole() {
    let folder = Folder::new();
    folder.copy_without_weights("slm");
    let path = folder.file("tokenizer.json");
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    file["truncation"] = json!({"direction": "Right", "max_length": 64, "strategy": "LongestFirst", "stride": 0});
    file["padding"] = json!({"strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "!"});
    std::fs::write(&path, file.to_string()).unwrap();
    let (cut, whole) = (Tokenizer::load(folder.path()).unwrap(), tokenizer("slm"));
    for text in ["Hello", &"What is my dog called? ".repeat(200)] {
        assert!(cut.encode(text).unwrap() == whole.encode(text).unwrap());
    }
    assert!(cut.encode(&"What is my dog called? ".repeat(200)).unwrap().len() >= 1000);
}

#[test]
fn a_small_model_without_a_system_role_is_steered() {
    run(async {
        let folder = with_template(&[NO_SYSTEM, PLAIN].concat());
        let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny/slm/model.safetensors");
        std::fs::copy(weights, folder.file("model.safetensors")).unwrap();
        let settings = [
            ("local.model", folder.path().to_str().unwrap()),
            ("upstream.tokenizer", "models/tiny/llm"),
        ];
        let (_proxy, address) = proxy(upstream().await, &settings).await;
        let mut body = question(DINNER);
        body["messages"][0]["name"] = json!("Ada");
        body["chat_template_kwargs"] = json!({"enable_thinking": false});
        let answer = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        body["chat_template_kwargs"] = json!({"messages": []});
        let refused = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(refused.status(), 400);
        assert!(refused.text().await.unwrap().contains("chat_template_kwargs.messages"));
    });
}
