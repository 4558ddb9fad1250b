//! Tests the input and output of each command.

use llm_exe_simulator::{Fault, ScriptedResponse, Simulator, Step};
use serde_json::{Value, json};

use crate::harness::{Folder, REPLY, Server, as_pairs, request, signal, simulator_variables};

const EVENT: &str = include_str!("../cases/function-url.json");

#[tokio::test]
async fn request_is_read_from_standard_input() {
    let folder = Folder::new();
    let text = request().to_string();
    for command in ["invoke", "render", "validate"] {
        let arguments: &[&str] =
            if command == "invoke" { &["invoke", "-", "--simulate"] } else { &[command, "-"] };
        let output = folder.run_with_input(&text, arguments).await;
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
        assert!(!output.stdout.is_empty(), "{command}");
    }
    let output = folder.run_with_input("{", &["invoke", "-", "--simulate", "--json"]).await;
    assert_eq!(output.code, Some(2));
    let message = output.error()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("standard input") && message.contains("line 1"), "{message}");
}

/// Runs `llm-exe render` and returns the content of the first message in the rendered request.
async fn render_message(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.run(&[&["render", "--json"], arguments].concat()).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    output.json()["body"]["messages"][0]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn command_line_data_is_merged_into_request() {
    let folder = Folder::new();
    let mut request = request();
    request["message"] = json!("{{a}}|{{b.c}}|{{d}}");
    let bare = folder.file("bare.json", request.to_string());
    request["data"] = json!({ "a": "old", "d": "kept" });
    let file = folder.file("request.json", request.to_string());
    request["data"] = Value::Null;
    let null = folder.file("null.json", request.to_string());
    let data = folder.file("data.json", r#"{ "a": "from the file", "b": { "c": 1 } }"#);
    for (arguments, expected) in [
        (vec![file.as_str()], "old||kept"),
        (vec![&file, "--data", "a=new"], "new||kept"),
        (vec![&file, "--data", "a=x=y"], "x=y||kept"),
        (vec![&file, "--data", "a="], "||kept"),
        (vec![&file, "--data", "a=1", "--data", "a=2"], "2||kept"),
        (vec![&file, "--data", r#"b={"c":true}"#], "old|true|kept"),
        (vec![&file, "--data", r#"a="quoted""#], "quoted||kept"),
        (vec![&file, "--data", "a={not JSON"], "{not JSON||kept"),
        (vec![&file, "--data", "a=12345678901234567890123"], "12345678901234567890123||kept"),
        (vec![&file, "--data-file", &data], "from the file|1|kept"),
        (vec![&file, "--data-file", &data, "--data", "a=line"], "line|1|kept"),
        (vec![&bare, "--data", "a=new"], "new||"),
        (vec![&null, "--data", "a=new"], "new||"),
    ] {
        let text = render_message(&folder, &arguments).await;
        // Templates format large numbers as JavaScript does, so restore the original digits before
        // comparing.
        let text = text.replace("1.2345678901234568e+22", "12345678901234567890123");
        assert_eq!(text, expected, "{arguments:?}");
    }
    let list = folder.file("list.json", "[]");
    let output = folder.run(&["render", &file, "--data-file", &list, "--json"]).await;
    assert_eq!((output.code, &output.error()["type"]), (Some(2), &json!("InvalidRequest")));
    let output = folder.run(&["render", &file, "--data-file", "nowhere.json", "--json"]).await;
    assert_eq!(output.code, Some(2));
    assert!(output.error()["message"].as_str().unwrap().contains("nowhere.json"), "{output:?}");
}

#[tokio::test]
async fn event_returns_raw_response() {
    let folder = Folder::new();
    let direct = folder.file("direct.json", request().to_string());
    let output = folder.run(&["invoke", "--simulate", "--event", &direct, "--json"]).await;
    assert_eq!((output.code, output.json()), (Some(0), json!(REPLY)));

    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    event["body"] = json!(request().to_string());
    let no_auth = [("ENDPOINT_AUTH", "NONE")];
    let http = folder.file("http.json", event.to_string());
    let arguments = ["invoke", "--simulate", "--event", &http, "--json"];
    let output = folder.run_with(&no_auth, &arguments).await;
    let response = output.json();
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!((&response["statusCode"], &response["body"]), (&json!(200), &json!(REPLY)));
    // As in Lambda, the default authentication is `AWS_IAM`, which rejects unsigned requests.
    let output = folder.run(&arguments).await;
    assert_eq!(output.json()["statusCode"], json!(401), "{output:?}");

    let bad = folder.file("bad.json", "{}");
    let output = folder.run(&["invoke", "--simulate", "--event", &bad]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    assert_eq!(output.json()["errorType"], json!("InvalidRequest"));
    assert!(output.json()["errorMessage"].is_string());
}

#[tokio::test]
async fn render_prints_wire_request_without_key() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    for variables in [vec![], vec![("OPENAI_API_KEY", crate::harness::OPENAI_KEY)]] {
        let output = folder.run_with(&variables, &["render", &file]).await;
        let wire = output.json();
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(wire["url"], json!("https://api.openai.com/v1/chat/completions"));
        let message = &wire["body"]["messages"][0];
        assert_eq!(*message, json!({ "role": "user", "content": "Say hello." }));
        let headers = wire["headers"].as_object().unwrap();
        let names: Vec<&String> = headers.keys().collect();
        assert_eq!(names, ["content-type"], "{wire}");
    }
    // The fields `return` and `dryRun` of a request do not change the output of `render`.
    let mut modified = request();
    modified["return"] = json!("full");
    modified["dryRun"] = json!(false);
    let file = folder.file("other.json", modified.to_string());
    assert_eq!(folder.run(&["render", &file]).await.json()["method"], json!("POST"));
}

#[tokio::test]
async fn render_and_validate_ignore_invalid_env_file() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    folder.file(".env", "this line is not an assignment");
    for arguments in [vec!["render", &file], vec!["validate", &file]] {
        let output = folder.run(&arguments).await;
        assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    }
}

#[tokio::test]
async fn validate_reports_every_problem_of_every_file() {
    let folder = Folder::new();
    let good = folder.file("good.json", request().to_string());
    let bad = folder.file("bad.json", r#"{"provider":"x","message":["{{#if}}"],"output":"y"}"#);
    let broken = folder.file("broken.json", "{\n  \"provider\" \"x\"\n}");
    let mut unknown_field = request();
    unknown_field["messages"] = json!([]);
    let unknown_field = folder.file("unknown-field.json", unknown_field.to_string());
    let missing = "missing.json";

    assert_eq!(folder.run(&["validate", &good]).await.stdout, "good.json: ok\n");
    let output = folder.run(&["validate", &unknown_field]).await;
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "unknown-field.json: ok\n"));
    assert!(
        output.stderr.contains("unknown-field.json") && output.stderr.contains("`messages`"),
        "{output:?}"
    );

    let output = folder.run(&["validate", &good, &bad, &broken, missing, &unknown_field]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    for part in [
        "good.json: ok",
        "bad.json: provider: ",
        "bad.json: model: ",
        "bad.json: message[0]: ",
        "bad.json: output: ",
        "broken.json: not valid JSON at line 2",
        "missing.json: can't be read",
        "unknown-field.json: ok",
    ] {
        let count = output.stdout.lines().filter(|line| line.starts_with(part)).count();
        assert_eq!(count, 1, "{part:?} in {output:?}");
    }

    let output =
        folder.run(&["validate", "--json", &good, &bad, &broken, missing, &unknown_field]).await;
    assert_eq!((output.code, output.stderr.as_str()), (Some(2), ""));
    let validations = output.json();
    let status: Vec<(&str, bool)> = validations
        .as_array()
        .unwrap()
        .iter()
        .map(|validation| {
            (validation["file"].as_str().unwrap(), validation["ok"].as_bool().unwrap())
        })
        .collect();
    let expected = [
        (&*good, true),
        (&*bad, false),
        (&*broken, false),
        (missing, false),
        (&*unknown_field, true),
    ];
    assert_eq!(status, expected);
    for validation in validations.as_array().unwrap() {
        let problems = validation["problems"].as_array().unwrap();
        assert_eq!(problems.is_empty(), validation["ok"] == json!(true), "{validation}");
        for problem in problems {
            assert!(problem["type"].is_string() && problem["message"].is_string(), "{problem}");
        }
    }
    assert_eq!(validations[4]["warnings"].as_array().unwrap().len(), 1);
    let types: Vec<&Value> =
        validations[1]["problems"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert!(types.contains(&&json!("PromptInvalid")), "{types:?}");

    // `validate` also accepts standard input or a folder, but it requires an argument.
    let output = folder.run_with_input("[]", &["validate", "-"]).await;
    assert_eq!(output.code, Some(2));
    assert_eq!(folder.run(&["validate", "."]).await.code, Some(2));
    assert_eq!(folder.run(&["validate"]).await.code, Some(2));
}

#[tokio::test]
async fn schema_accepts_the_examples() {
    let folder = Folder::new();
    let output = folder.run(&["schema"]).await;
    assert_eq!(output.code, Some(0));
    let schema = output.json();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&request()));
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples")).unwrap()
    {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "json") {
            let example: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            assert!(validator.is_valid(&example), "{path:?}");
        }
    }
    for (name, example) in crate::simulate::documented_requests() {
        let errors = validator.iter_errors(&example).map(|error| error.to_string());
        assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new(), "{name}");
    }
    for wrong in [
        json!([]),
        json!({}),
        json!({ "provider": 7 }),
        json!({ "provider": "opnai", "model": "m", "message": "hi" }),
        json!({ "provider": "openai", "model": "m", "message": [7] }),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[tokio::test]
async fn schema_of_configs_has_optional_fields_and_registered_providers() {
    let folder = Folder::new();
    let servers = r#"{ "inhouse": { "baseUrl": "https://api.example.com/v1" } }"#;
    let variables = [("OPENAI_COMPATIBLE_PROVIDERS", servers)];
    let output = folder.run_with(&variables, &["schema", "--config"]).await;
    let schema = output.json();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (config, expected) in [
        (json!({ "provider": "inhouse", "overridable": ["data"] }), true),
        (json!({ "provider": "togther" }), false),
        (json!({ "overridable": ["dta"] }), false),
    ] {
        assert_eq!(validator.is_valid(&config), expected, "{config}");
    }
    let output = folder.run_with(&variables, &["schema"]).await;
    assert!(output.stdout.contains("\"inhouse\""), "{output:?}");
}

/// The schemas of the command and of the server accept the providers that `validate` accepts with
/// the same settings.
#[tokio::test]
async fn schema_accepts_the_providers_that_validate_accepts() {
    let folder = Folder::new();
    let servers = r#"{
        "inhouse": { "baseUrl": "https://api.example.com/v1", "keyEnv": "INHOUSE_API_KEY" },
        "my-own_2": { "baseUrl": "http://127.0.0.1:8000/v1" }
    }"#;
    let variables = [("OPENAI_COMPATIBLE_PROVIDERS", servers)];
    let server = Server::start(&folder, &variables, &["--simulate"]).await;
    let printed = folder.run_with(&variables, &["schema"]).await.json();
    let served = server.get("/schema").await.json();
    assert_eq!(printed, served);
    let schema = jsonschema::validator_for(&served).unwrap();
    let with = |name: &str, value: Value| {
        let mut request = request();
        request[name] = value;
        request
    };
    let without_model = json!({ "provider": "inhouse.gpt-oss", "message": "Hi" });
    for (request, expected) in [
        (with("provider", json!("inhouse")), true),
        (with("provider", json!("my-own_2")), true),
        (with("provider", json!("inhouse.chat")), true),
        (with("provider", json!("openai.chat.v1")), true),
        (without_model, true),
        (with("fallbacks", json!([{ "provider": "my-own_2", "model": "m" }])), true),
        (with("provider", json!("inhous")), false),
        (with("provider", json!("inhouse.")), false),
        (with("provider", json!("gemini")), false),
        (with("fallbacks", json!([{ "provider": "inhous", "model": "m" }])), false),
    ] {
        let file = folder.file("request.json", request.to_string());
        let output = folder.run_with(&variables, &["validate", &file]).await;
        assert_eq!(output.code == Some(0), expected, "{output:?}");
        assert_eq!(schema.is_valid(&request), expected, "{request}");
    }
    server.stop().await;
    let built_in = folder.run(&["schema"]).await;
    assert!(!built_in.stdout.contains("inhouse"), "{built_in:?}");
}

#[tokio::test]
async fn schema_field_for_editors_is_accepted() {
    let folder = Folder::new();
    let mut request = request();
    request["$schema"] = json!("./request.schema.json");
    let json_file = folder.file("request.json", request.to_string());
    let yaml = "$schema: ./config.schema.json\nprovider: openai\nmodel: gpt-4o-mini\nmessage: Hi\n";
    let yaml_file = folder.file("request.yaml", yaml);
    let markdown = format!("---\n{}---\nHi", yaml.replace("message: Hi\n", ""));
    let markdown_file = folder.file("request.md", markdown);
    for file in [json_file, yaml_file, markdown_file] {
        let output = folder.run(&["validate", "--strict", &file]).await;
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    }
}

#[tokio::test]
async fn completions_contain_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = folder.run(&["completions", shell]).await;
        assert_eq!(output.code, Some(0), "{output:?}");
        for word in ["invoke", "render", "validate", "serve", "simulate"] {
            assert!(output.stdout.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(folder.run(&["completions", "tcsh"]).await.code, Some(2));
}

#[tokio::test]
async fn help_lists_commands_and_exit_codes() {
    let folder = Folder::new();
    let output = folder.run(&["--help"]).await;
    assert_eq!(output.code, Some(0));
    for part in ["Examples:", "Exit codes:", "invoke", "render", "validate", "serve", "schema"] {
        assert!(output.stdout.contains(part), "{part}");
    }
    for command in ["invoke", "render", "validate", "serve", "schema", "completions"] {
        let output = folder.run(&[command, "--help"]).await;
        assert_eq!(output.code, Some(0), "{command}");
        assert!(
            output.stdout.contains("Usage: llm-exe ") && output.stdout.lines().count() > 4,
            "{command}"
        );
    }
    let output = folder.run(&["--version"]).await;
    assert_eq!(output.stdout, format!("llm-exe {}\n", env!("CARGO_PKG_VERSION")));
    // Without a command, the program prints its help to standard error.
    let output = folder.run(&[]).await;
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("Usage:"), "{output:?}");
}

#[tokio::test]
async fn unreadable_files_are_named() {
    let folder = Folder::new();
    let latin = folder.file("latin.json", b"{\"provider\":\"\xe9\"}");
    for (file, expected) in [
        ("nowhere.json", "nowhere.json"),
        (".", "."),
        (latin.as_str(), "latin.json"),
        ("/dev/null", "/dev/null"),
    ] {
        for command in ["invoke", "render"] {
            let output = folder.run(&[command, "--json", file]).await;
            assert_eq!(output.code, Some(2), "{command} {file}: {output:?}");
            let message = output.error()["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with(expected), "{command} {file}: {message}");
        }
    }
}

#[tokio::test]
async fn warnings_are_not_printed_with_json() {
    let folder = Folder::new();
    let mut request = request();
    request["messages"] = json!([]);
    request["options"] = json!({ "topK": 3 });
    let file = folder.file("request.json", request.to_string());
    let output = folder.run(&["invoke", "--simulate", &file]).await;
    assert_eq!(output.stdout, format!("{REPLY}\n"));
    assert!(output.stderr.contains("warning: unknown field `messages`"), "{output:?}");
    assert!(output.stderr.contains("options.topK"), "{output:?}");
    let output = folder.run(&["invoke", "--simulate", "--json", &file]).await;
    assert_eq!(output.stderr, "");
}

#[tokio::test]
async fn interrupt_ends_invoke() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::fault(Fault::Hang)]);
    let file = folder.file("request.json", request().to_string());
    let variables = simulator_variables(&simulator);
    let mut command = folder.command(&["invoke", &file]);
    let child = command.envs(as_pairs(&variables)).spawn().unwrap();
    while simulator.journal().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // If a shell runs the tests in the background, this process and its children ignore SIGINT, so
    // send SIGTERM instead.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let ignores_interrupts = u64::from_str_radix(ignored.trim(), 16).unwrap() & 0b10 != 0;
    signal(child.id().unwrap(), if ignores_interrupts { "TERM" } else { "INT" });
    let output = child.wait_with_output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(5), output).await;
    let output = output.expect("the program should exit in time").unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[tokio::test]
async fn providers_lists_key_status_without_keys() {
    let folder = Folder::new();
    folder.file(".env", "XAI_API_KEY=secret-of-the-file\n");
    let servers = r#"{"mine": {"baseUrl": "http://127.0.0.1:1/v1", "keyEnv": "MY_KEY"}}"#;
    let variables = [
        ("OPENAI_API_KEY", "secret-of-the-shell"),
        ("ANTHROPIC_API_KEY", "two words"),
        ("OPENAI_COMPATIBLE_PROVIDERS", servers),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
    ];
    let output = folder.run_with(&variables, &["providers"]).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    let line = |name: &str| {
        let line = output.stdout.lines().find(|line| line.split("  ").next() == Some(name));
        line.unwrap_or_else(|| panic!("{name} is not in {}", output.stdout)).to_owned()
    };
    assert!(
        line("openai").contains("OPENAI_API_KEY or OPEN_AI_API_KEY") && has(&line("openai"), "yes")
    );
    assert!(has(&line("xai"), "yes") && has(&line("google"), "no") && has(&line("ollama"), "-"));
    assert!(has(&line("anthropic"), "unusable"));
    let reason = "the key in ANTHROPIC_API_KEY can't be used: the value contains spaces or \
                  characters that are not printable ASCII";
    assert!(output.stdout.contains(&format!("\nanthropic: {reason}\n")), "{output:?}");
    let aws = "no AWS credentials: set AWS_SECRET_ACCESS_KEY";
    let aws_line =
        output.stdout.lines().find(|line| line.starts_with("amazon:anthropic, amazon:meta, "));
    assert!(aws_line.is_some_and(|line| line.contains(aws)), "{output:?}");
    assert!(line("mine").contains("MY_KEY") && line("mine").contains("http://127.0.0.1:1/v1"));
    assert!(line("amazon:nova").contains("https://bedrock-runtime.eu-west-1.amazonaws.com"));
    assert!(!output.stdout.contains("secret-of") && !output.stdout.contains("two words"));

    let output = folder.run_with(&variables, &["providers", "--json"]).await;
    let rows = output.json();
    let row = |name: &str| {
        rows.as_array().unwrap().iter().find(|row| row["provider"] == name).unwrap().clone()
    };
    assert_eq!(row("openai")["keyFound"], true);
    assert_eq!(row("google")["keyFound"], false);
    assert!(row("ollama")["keyFound"].is_null());
    assert_eq!(
        (&row("anthropic")["keyFound"], &row("anthropic")["reason"]),
        (&json!(false), &json!(reason))
    );
    for (name, part) in [("google", "GEMINI_API_KEY"), ("mine", "MY_KEY"), ("amazon:nova", aws)] {
        assert!(row(name)["reason"].as_str().unwrap().contains(part), "{}", row(name));
    }
    assert!(row("openai").get("reason").is_none() && row("ollama").get("reason").is_none());
    assert_eq!(row("amazon")["dialect"], "converse");
    assert_eq!(rows.as_array().unwrap().len(), llm_exe::providers::PROVIDERS.len() + 1);
}

/// Returns whether a line of the table contains a cell with exactly the given text.
fn has(line: &str, text: &str) -> bool {
    line.split("  ").any(|cell| cell.trim() == text)
}

/// A provider or a request could otherwise control the terminal.
#[tokio::test]
async fn control_characters_in_messages_are_escaped() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let message = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}";
    let mut request = request();
    request["\u{1b}[2Jfield"] = json!(1);
    let file = folder.file("request.json", request.to_string());
    for arguments in [&["invoke", &file][..], &["invoke", "--json", &file]] {
        simulator.clear();
        simulator.script(vec![Step::new(ScriptedResponse::Status {
            status: 400,
            headers: Vec::new(),
            body: Some(json!({ "error": { "message": message } })),
        })]);
        let variables = simulator_variables(&simulator);
        let output = folder.run_with(&as_pairs(&variables), arguments).await;
        assert_eq!(output.code, Some(4), "{output:?}");
        let is_printable = |c: char| c == '\n' || (!c.is_control() && c != '\u{202e}');
        assert!(output.stderr.chars().all(is_printable), "{output:?}");
        assert!(output.stderr.contains(r"\u001b[2J"), "{output:?}");
        assert!(output.stderr.contains(r"\u202e"), "{output:?}");
    }
}

#[tokio::test]
async fn hidden_characters_in_arguments_are_escaped() {
    let folder = Folder::new();
    for argument in ["--bad\u{1b}[31m", "--bad\u{202e}x", "--timeout=\u{200b}"] {
        let output = folder.run(&["invoke", "request.json", argument]).await;
        assert_eq!(output.code, Some(2), "{argument:?}: {output:?}");
        let is_hidden = |c| matches!(c, '\u{1b}' | '\u{202e}' | '\u{200b}');
        assert!(!output.stderr.contains(is_hidden), "{argument:?}: {output:?}");
        assert!(output.stderr.contains("--"), "{argument:?}: {output:?}");
    }
}

#[tokio::test]
async fn size_of_a_file_that_is_too_large_is_reported() {
    let folder = Folder::new();
    let file = folder.file("large.json", " ".repeat(7 << 20));
    let output = folder.run(&["validate", &file]).await;
    let expected = "is too large: expected at most 6291456 bytes, got 7340032 bytes";
    assert!(output.stdout.contains(expected), "{output:?}");
}

#[tokio::test]
async fn error_states_the_number_of_attempts() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let variables = simulator_variables(&simulator);
    let plain = folder.file("plain.json", request().to_string());
    let mut request = request();
    request["output"] = json!("number");
    request["outputOptions"] = json!({ "repairs": 1 });
    let number = folder.file("number.json", request.to_string());
    let limited = || Step::status(429).times(3);
    let no_number = || Step::text("none").times(2);
    let rejected = || Step::status(400).times(1);
    for (file, step, attempts, has_usage) in [
        (&plain, limited(), 3, false),
        (&number, no_number(), 2, true),
        (&plain, rejected(), 1, false),
    ] {
        simulator.script(vec![step.clone()]);
        let output = folder.run_with(&as_pairs(&variables), &["invoke", "--json", file]).await;
        let error = output.error();
        assert_eq!(error["attempts"], attempts, "{error}");
        assert_eq!(error["provider"], "openai");
        assert!(error["model"].as_str().unwrap().starts_with("gpt-4o-mini"), "{error}");
        assert_eq!(error["usage"]["totalTokens"].as_u64().unwrap() > 0, has_usage, "{error}");
        assert_eq!(error["cost"]["usd"].as_f64().unwrap() > 0.0, has_usage, "{error}");
        simulator.script(vec![step]);
        let output = folder.run_with(&as_pairs(&variables), &["invoke", file]).await;
        let text = format!("; after {attempts} attempts\n");
        assert_eq!(output.stderr.ends_with(&text), attempts > 1, "{output:?}");
    }
    let missing = folder.file("missing.json", r#"{ "provider": "openai", "message": "hi" }"#);
    let output = folder.run(&["invoke", "--json", &missing]).await;
    assert_eq!(output.error().get("attempts"), None, "{output:?}");
}

#[tokio::test]
async fn time_limit_of_the_command_is_named() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::fault(Fault::Hang)]);
    let variables = simulator_variables(&simulator);
    let file = folder.file("request.json", request().to_string());
    let arguments = ["invoke", "--timeout", "1", &file];
    let output = folder.run_with(&as_pairs(&variables), &arguments).await;
    assert_eq!(output.code, Some(5), "{output:?}");
    assert!(output.stderr.contains("the time limit is 1 s (--timeout)"), "{output:?}");
    let mut own = request();
    own["options"] = json!({ "timeout": 100, "numOfAttempts": 1 });
    let file = folder.file("request.json", own.to_string());
    simulator.script(vec![Step::fault(Fault::Hang)]);
    let output = folder.run_with(&as_pairs(&variables), &["invoke", &file]).await;
    assert!(!output.stderr.contains("--timeout"), "{output:?}");
}

#[tokio::test]
async fn simulate_is_suggested_only_where_it_exists() {
    let folder = Folder::new();
    let mut request = request();
    request["provider"] = json!("amazon");
    request["model"] = json!("amazon.nova-lite-v1:0");
    let file = folder.file("request.json", request.to_string());
    let output = folder.run(&["invoke", &file]).await;
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains("--simulate"), "{output:?}");
    for command in ["render", "validate"] {
        let output = folder.run(&[command, &file]).await;
        assert!(!output.stderr.contains("--simulate"), "{command}: {output:?}");
    }
}

#[tokio::test]
async fn unknown_provider_is_named_with_the_nearest() {
    let folder = Folder::new();
    let mut request = request();
    request["provider"] = json!("opnai");
    let file = folder.file("request.json", request.to_string());
    let output = folder.run(&["render", &file]).await;
    let expected = "provider: unknown provider \"opnai\" (did you mean openai?)";
    assert!(output.stderr.contains(expected), "{output:?}");
}

#[tokio::test]
async fn short_key_is_redacted_only_as_a_word() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let mut variables = simulator_variables(&simulator);
    variables.retain(|(name, _)| *name != "OPENAI_API_KEY");
    variables.push(("OPENAI_API_KEY", "any".to_owned()));
    let file = folder.file("request.json", request().to_string());
    let body = json!({ "error": { "message": "too many messages for your company plan any" } });
    let then = json!([{ "then": { "status": 400, "body": body } }]);
    simulator.script_json(then).unwrap();
    let output = folder.run_with(&as_pairs(&variables), &["invoke", &file]).await;
    let expected = "too many messages for your company plan [redacted]";
    assert!(output.stderr.contains(expected), "{output:?}");
}

#[tokio::test]
async fn help_names_settings_and_values() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]).await.stdout;
    for name in ["CONFIG_BUCKETS", "STRICT_VARIABLES", "ALLOWED_MODELS", "docs/lambda.md"] {
        assert!(help.contains(name), "{name}: {help}");
    }
    assert!(help.starts_with("Send a JSON request to an LLM"), "{help}");
    let output = folder.run(&["serve", "--auth", "API_KYE"]).await;
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("AWS_IAM, API_KEY, NONE"), "{output:?}");
}

#[tokio::test]
async fn render_draws_the_plan_of_a_chain() {
    let folder = Folder::new();
    let mut request = request();
    request.as_object_mut().unwrap().shift_remove("message");
    request["steps"] = json!([
        { "name": "outline", "message": "a" },
        { "name": "draft", "each": "steps.outline.sections", "message": "{{item}}" },
        { "name": "end", "when": "{{steps.outline}}", "steps": [
            { "name": "one", "message": "b", "repeat": { "until": "yes", "max": 3 } },
            { "name": "two", "message": "{{previous}}" }
        ] }
    ]);
    let file = folder.file("chain.json", request.to_string());
    let output = folder.run(&["render", "--plan", &file]).await;
    let expected = "\
outline  starts at once
draft    after outline; for each item of steps.outline.sections
end      after outline; if its condition is true
  one  starts at once; at most 3 times
  two  after one
";
    assert_eq!((output.code, &*output.stdout), (Some(0), expected), "{output:?}");
    let output = folder.run(&["render", "--plan=mermaid", &file]).await;
    let expected = "\
flowchart TD
  s0[\"outline\"]
  s1[\"draft<br>for each item of steps.outline.sections\"]
  s0 --> s1
  subgraph s2[\"end<br>if its condition is true\"]
  s2_0[\"one<br>at most 3 times\"]
  s2_1[\"two\"]
  s2_0 --> s2_1
  end
  s0 --> s2
";
    assert_eq!((output.code, &*output.stdout), (Some(0), expected), "{output:?}");
    // The dry run shows the plan as JSON.
    let output = folder.run(&["render", "--json", &file]).await;
    assert_eq!(output.json()["steps"][1], json!({ "name": "draft", "waitsFor": ["outline"] }));
    let output = folder.run(&["render", "--messages", &file]).await;
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("the request is a chain"), "{output:?}");

    request["data"] = json!({ "a \"list\" <x>": [] });
    request["steps"][1]["each"] = json!("a \"list\" <x>");
    request["steps"][0]["colour"] = json!("blue");
    let file = folder.file("escaped.json", request.to_string());
    let output = folder.run(&["render", "--plan=mermaid", &file]).await;
    let expected = "s1[\"draft<br>for each item of a #34;list#34; #60;x#62;\"]";
    assert!(output.stdout.contains(expected), "{output:?}");
    assert!(output.stderr.contains("steps[0]: unknown field `colour`"), "{output:?}");
}
