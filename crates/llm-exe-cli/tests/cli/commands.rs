//! The commands one by one: what they take in, and what they print.

use llm_exe_simulator::{Fault, Simulator, Step};
use serde_json::{Value, json};

use crate::harness::{Folder, REPLY, led_to, pairs, request, signal};

const EVENT: &str = include_str!("../cases/function-url.json");

#[tokio::test]
async fn a_request_comes_from_standard_input() {
    let folder = Folder::new();
    let text = request().to_string();
    for command in ["invoke", "render", "validate"] {
        let arguments: &[&str] =
            if command == "invoke" { &["invoke", "-", "--simulate"] } else { &[command, "-"] };
        let done = folder.run_on(&text, arguments).await;
        assert_eq!(done.code, Some(0), "{command}: {done:?}");
        assert!(!done.stdout.is_empty(), "{command}");
    }
    let done = folder.run_on("{", &["invoke", "-", "--simulate", "--json"]).await;
    assert_eq!(done.code, Some(2));
    let told = done.failure()["message"].as_str().unwrap().to_owned();
    assert!(told.contains("standard input") && told.contains("line 1"), "{told}");
}

/// The text of the first message that would be sent.
async fn rendered(folder: &Folder, arguments: &[&str]) -> String {
    let done = folder.run(&[&["render", "--json"], arguments].concat()).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    done.json()["body"]["messages"][0]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn data_comes_from_the_command_line() {
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
        let text = rendered(&folder, &arguments).await;
        // Where digits go is the prompt's business; here only that they came.
        let text = text.replace("1.2345678901234568e+22", "12345678901234567890123");
        assert_eq!(text, expected, "{arguments:?}");
    }
    let list = folder.file("list.json", "[]");
    let done = folder.run(&["render", &file, "--data-file", &list, "--json"]).await;
    assert_eq!((done.code, &done.failure()["type"]), (Some(2), &json!("InvalidRequest")));
    let done = folder.run(&["render", &file, "--data-file", "nowhere.json", "--json"]).await;
    assert_eq!(done.code, Some(2));
    assert!(done.failure()["message"].as_str().unwrap().contains("nowhere.json"), "{done:?}");
}

#[tokio::test]
async fn a_raw_event_gives_a_raw_response() {
    let folder = Folder::new();
    let direct = folder.file("direct.json", request().to_string());
    let done = folder.run(&["invoke", "--simulate", "--event", &direct, "--json"]).await;
    assert_eq!((done.code, done.json()), (Some(0), json!(REPLY)));

    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    event["body"] = json!(request().to_string());
    let open = [("ENDPOINT_AUTH", "NONE")];
    let http = folder.file("http.json", event.to_string());
    let arguments = ["invoke", "--simulate", "--event", &http, "--json"];
    let done = folder.run_with(&open, &arguments).await;
    let response = done.json();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!((&response["statusCode"], &response["body"]), (&json!(200), &json!(REPLY)));
    // As in Lambda, nobody is let in unproven.
    let done = folder.run(&arguments).await;
    assert_eq!(done.json()["statusCode"], json!(401), "{done:?}");

    let bad = folder.file("bad.json", "{}");
    let done = folder.run(&["invoke", "--simulate", "--event", &bad]).await;
    assert_eq!(done.code, Some(2), "{done:?}");
    assert_eq!(done.json()["errorType"], json!("InvalidRequest"));
    assert!(done.json()["errorMessage"].is_string());
}

#[tokio::test]
async fn render_shows_the_wire_request_without_any_key() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    for variables in [vec![], vec![("OPENAI_API_KEY", crate::harness::OPENAI_KEY)]] {
        let done = folder.run_with(&variables, &["render", &file]).await;
        let wire = done.json();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(wire["url"], json!("https://api.openai.com/v1/chat/completions"));
        let message = &wire["body"]["messages"][0];
        assert_eq!(*message, json!({ "role": "system", "content": "Say hello." }));
        let headers = wire["headers"].as_object().unwrap();
        let names: Vec<&String> = headers.keys().collect();
        assert_eq!(names, ["content-type"], "{wire}");
    }
    // Whatever the request says of `return` and `dryRun`.
    let mut other = request();
    other["return"] = json!("full");
    other["dryRun"] = json!(false);
    let file = folder.file("other.json", other.to_string());
    assert_eq!(folder.run(&["render", &file]).await.json()["method"], json!("POST"));
}

#[tokio::test]
async fn render_needs_no_key_and_so_no_readable_file_of_them() {
    let folder = Folder::new();
    let file = folder.file("request.json", request().to_string());
    folder.file(".env", "this is no line of NAME and value");
    for arguments in [vec!["render", &file], vec!["validate", &file]] {
        let done = folder.run(&arguments).await;
        assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
    }
}

#[tokio::test]
async fn validate_names_every_problem_of_every_file() {
    let folder = Folder::new();
    let good = folder.file("good.json", request().to_string());
    let bad = folder.file("bad.json", r#"{"provider":"x","message":["{{#if}}"],"output":"y"}"#);
    let broken = folder.file("broken.json", "{\n  \"provider\" \"x\"\n}");
    let mut odd = request();
    odd["messages"] = json!([]);
    let odd = folder.file("odd.json", odd.to_string());
    let missing = "missing.json";

    assert_eq!(folder.run(&["validate", &good]).await.stdout, "good.json: ok\n");
    let done = folder.run(&["validate", &odd]).await;
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "odd.json: ok\n"));
    assert!(done.stderr.contains("odd.json") && done.stderr.contains("`messages`"), "{done:?}");

    let done = folder.run(&["validate", &good, &bad, &broken, missing, &odd]).await;
    assert_eq!(done.code, Some(2), "{done:?}");
    for part in [
        "good.json: ok",
        "bad.json: provider: ",
        "bad.json: model: ",
        "bad.json: message[0]: ",
        "bad.json: output: ",
        "broken.json: not JSON at line 2",
        "missing.json: can't be read",
        "odd.json: ok",
    ] {
        let count = done.stdout.lines().filter(|line| line.starts_with(part)).count();
        assert_eq!(count, 1, "{part:?} in {done:?}");
    }

    let done = folder.run(&["validate", "--json", &good, &bad, &broken, missing, &odd]).await;
    assert_eq!((done.code, done.stderr.as_str()), (Some(2), ""));
    let all = done.json();
    let told: Vec<(&str, bool)> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["file"].as_str().unwrap(), one["ok"].as_bool().unwrap()))
        .collect();
    let expected =
        [(&*good, true), (&*bad, false), (&*broken, false), (missing, false), (&*odd, true)];
    assert_eq!(told, expected);
    for one in all.as_array().unwrap() {
        let problems = one["problems"].as_array().unwrap();
        assert_eq!(problems.is_empty(), one["ok"] == json!(true), "{one}");
        for problem in problems {
            assert!(problem["type"].is_string() && problem["message"].is_string(), "{problem}");
        }
    }
    assert_eq!(all[4]["warnings"].as_array().unwrap().len(), 1);
    let types: Vec<&Value> =
        all[1]["problems"].as_array().unwrap().iter().map(|problem| &problem["type"]).collect();
    assert!(types.contains(&&json!("PromptInvalid")), "{types:?}");

    // Standard input, and a folder instead of a file.
    let done = folder.run_on("[]", &["validate", "-"]).await;
    assert_eq!(done.code, Some(2));
    assert_eq!(folder.run(&["validate", "."]).await.code, Some(2));
    assert_eq!(folder.run(&["validate"]).await.code, Some(2));
}

#[tokio::test]
async fn schema_is_a_schema_that_takes_the_examples() {
    let folder = Folder::new();
    let done = folder.run(&["schema"]).await;
    assert_eq!(done.code, Some(0));
    let schema = done.json();
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
    for wrong in [
        json!([]),
        json!("a"),
        json!({ "provider": 7 }),
        json!({ "message": 7 }),
        json!({ "message": [7] }),
        json!({ "options": { "temperature": "hot" } }),
        json!({ "data": [] }),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[tokio::test]
async fn completions_know_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = folder.run(&["completions", shell]).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        for word in ["invoke", "render", "validate", "serve", "simulate"] {
            assert!(done.stdout.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(folder.run(&["completions", "tcsh"]).await.code, Some(2));
}

#[tokio::test]
async fn help_helps() {
    let folder = Folder::new();
    let done = folder.run(&["--help"]).await;
    assert_eq!(done.code, Some(0));
    for part in ["Examples:", "Exit codes:", "invoke", "render", "validate", "serve", "schema"] {
        assert!(done.stdout.contains(part), "{part}");
    }
    for command in ["invoke", "render", "validate", "serve", "schema", "completions"] {
        let done = folder.run(&[command, "--help"]).await;
        assert_eq!(done.code, Some(0), "{command}");
        assert!(
            done.stdout.contains("Usage: llm-exe ") && done.stdout.lines().count() > 4,
            "{command}"
        );
    }
    let done = folder.run(&["--version"]).await;
    assert_eq!(done.stdout, format!("llm-exe {}\n", env!("CARGO_PKG_VERSION")));
    // Nothing said: the help, and no success.
    let done = folder.run(&[]).await;
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("Usage:"), "{done:?}");
}

#[tokio::test]
async fn files_that_can_not_be_read_are_named() {
    let folder = Folder::new();
    let latin = folder.file("latin.json", b"{\"provider\":\"\xe9\"}");
    for (file, told) in [
        ("nowhere.json", "nowhere.json"),
        (".", "."),
        (latin.as_str(), "latin.json"),
        ("/dev/null", "/dev/null"),
    ] {
        for command in ["invoke", "render"] {
            let done = folder.run(&[command, "--json", file]).await;
            assert_eq!(done.code, Some(2), "{command} {file}: {done:?}");
            let message = done.failure()["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with(told), "{command} {file}: {message}");
        }
    }
}

#[tokio::test]
async fn warnings_go_to_people_only() {
    let folder = Folder::new();
    let mut odd = request();
    odd["messages"] = json!([]);
    odd["options"] = json!({ "topK": 3 });
    let file = folder.file("odd.json", odd.to_string());
    let done = folder.run(&["invoke", "--simulate", &file]).await;
    assert_eq!(done.stdout, format!("{REPLY}\n"));
    assert!(done.stderr.contains("warning: unknown field `messages`"), "{done:?}");
    assert!(done.stderr.contains("options.topK"), "{done:?}");
    let done = folder.run(&["invoke", "--simulate", "--json", &file]).await;
    assert_eq!(done.stderr, "");
}

/// An interrupt ends a call that hangs, and leaves no answer behind.
#[tokio::test]
async fn an_interrupt_ends_invoke() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::fault(Fault::Hang)]);
    let file = folder.file("request.json", request().to_string());
    let variables = led_to(&simulator);
    let mut command = folder.command(&["invoke", &file]);
    let child = command.envs(pairs(&variables)).spawn().unwrap();
    while simulator.journal().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // What is started in the background by a shell is deaf to interrupts, and so are its children.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let deaf = u64::from_str_radix(ignored.trim(), 16).unwrap() & 0b10 != 0;
    signal(child.id().unwrap(), if deaf { "TERM" } else { "INT" });
    let output = child.wait_with_output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(5), output).await;
    let output = output.expect("it ends soon").unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[tokio::test]
async fn providers_are_listed_with_their_keys_never_shown() {
    let folder = Folder::new();
    folder.file(".env", "XAI_API_KEY=secret-of-the-file\n");
    let servers = r#"{"mine": {"baseUrl": "http://127.0.0.1:1/v1", "keyEnv": "MY_KEY"}}"#;
    let variables = [
        ("OPENAI_API_KEY", "secret-of-the-shell"),
        ("ANTHROPIC_API_KEY", "two words"),
        ("OPENAI_COMPATIBLE_PROVIDERS", servers),
        ("AWS_REGION", "eu-west-1"),
    ];
    let done = folder.run_with(&variables, &["providers"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let line = |name: &str| {
        let found = done.stdout.lines().find(|line| line.split("  ").next() == Some(name));
        found.unwrap_or_else(|| panic!("{name} is not in {}", done.stdout)).to_owned()
    };
    assert!(
        line("openai").contains("OPENAI_API_KEY or OPEN_AI_API_KEY") && has(&line("openai"), "yes")
    );
    assert!(has(&line("xai"), "yes") && has(&line("google"), "no") && has(&line("ollama"), "-"));
    assert!(line("anthropic").contains("no: the key in ANTHROPIC_API_KEY can't be used"));
    assert!(line("mine").contains("MY_KEY") && line("mine").contains("http://127.0.0.1:1/v1"));
    assert!(line("amazon:nova").contains("https://bedrock-runtime.eu-west-1.amazonaws.com"));
    assert!(!done.stdout.contains("secret-of") && !done.stdout.contains("two words"));

    let done = folder.run_with(&variables, &["providers", "--json"]).await;
    let all = done.json();
    let of = |name: &str| {
        all.as_array().unwrap().iter().find(|one| one["provider"] == name).unwrap().clone()
    };
    assert_eq!(of("openai")["keyFound"], true);
    assert_eq!(of("google")["keyFound"], false);
    assert!(of("ollama")["keyFound"].is_null());
    assert_eq!(of("amazon")["dialect"], "converse");
    assert_eq!(all.as_array().unwrap().len(), llm_exe::providers::PROVIDERS.len() + 1);
}

/// Whether a cell of a table's line is this.
fn has(line: &str, cell: &str) -> bool {
    line.split("  ").any(|one| one.trim() == cell)
}
