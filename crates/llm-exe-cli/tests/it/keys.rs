//! Tests how keys are read from the environment and from `.env`.

use llm_exe_simulator::Simulator;

use crate::harness::{ANTHROPIC_KEY, Folder, OPENAI_KEY, REPLY, request};

/// Runs `llm-exe invoke` without a key in the environment.
async fn invoke(folder: &Folder, simulator: &Simulator) -> crate::harness::Output {
    invoke_with(folder, simulator, &[]).await
}

async fn invoke_with(
    folder: &Folder,
    simulator: &Simulator,
    extra_variables: &[(&str, &str)],
) -> crate::harness::Output {
    simulator.clear();
    let file = folder.file("request.json", request().to_string());
    let url = simulator.openai_base_url();
    let mut variables = vec![("OPENAI_BASE_URL", url.as_str())];
    variables.extend(extra_variables);
    folder.run_with(&variables, &["invoke", &file]).await
}

#[tokio::test]
async fn keys_are_read_from_env_file() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    for text in [
        format!("OPENAI_API_KEY={OPENAI_KEY}"),
        format!("OPEN_AI_API_KEY={OPENAI_KEY}\n"),
        format!("# a comment\n\nOPENAI_API_KEY=\"{OPENAI_KEY}\"\n"),
        format!("export OPENAI_API_KEY='{OPENAI_KEY}'\n"),
        format!("NODE_ENV=dev\r\nOPENAI_API_KEY={OPENAI_KEY}\r\nDEPLOY_ACCOUNT=1\r\n"),
        format!("OPENAI_API_KEY = {OPENAI_KEY} # mine\n"),
        format!("OPENAI_API_KEY=\nOPEN_AI_API_KEY={OPENAI_KEY}\n"),
        format!("\u{feff}OPENAI_API_KEY={OPENAI_KEY}\n"),
    ] {
        folder.file(".env", &text);
        let output = invoke(&folder, &simulator).await;
        assert_eq!(output.stdout, format!("{REPLY}\n"), "{text:?}: {output:?}");
        let call = simulator.journal().pop().unwrap();
        assert_eq!(call.header("authorization"), Some("[present]"));
        let version = env!("CARGO_PKG_VERSION");
        let user_agent = format!("llm-exe-cli/{version} llm-exe/{version}");
        assert_eq!(call.header("user-agent"), Some(user_agent.as_str()));
    }
    folder.file(".env", format!("ANTHROPIC_API_KEY={ANTHROPIC_KEY}"));
    let output = invoke(&folder, &simulator).await;
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains(".env"), "{output:?}");
}

#[tokio::test]
async fn settings_in_env_file_are_ignored() {
    let folder = Folder::new();
    let (simulator, stray) = (Simulator::start().await.unwrap(), Simulator::start().await.unwrap());
    let text = format!(
        "OPENAI_BASE_URL={}\nALLOWED_MODELS=none\nSTRICT_VARIABLES=nonsense\nHTTPS_PROXY={}\n",
        stray.openai_base_url(),
        stray.url(),
    );
    folder.file(".env", text);
    let output = invoke_with(&folder, &simulator, &[("OPENAI_API_KEY", OPENAI_KEY)]).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(stray.journal().is_empty());
    // Settings in the file are also ignored if the environment does not set them.
    let file = folder.file("request.json", request().to_string());
    let output = folder.run(&["render", &file]).await;
    assert!(output.stdout.contains("https://api.openai.com/"), "{output:?}");
}

#[tokio::test]
async fn environment_has_precedence_over_env_file() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    folder.file(".env", "OPENAI_API_KEY='not valid in a header'\n");
    let output = invoke_with(&folder, &simulator, &[("OPENAI_API_KEY", OPENAI_KEY)]).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    // A blank variable counts as not set, so the key comes from the file.
    folder.file(".env", format!("OPENAI_API_KEY={OPENAI_KEY}\n"));
    let output = invoke_with(&folder, &simulator, &[("OPENAI_API_KEY", " ")]).await;
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[tokio::test]
async fn invalid_env_file_is_reported_without_its_content() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    for text in [
        OPENAI_KEY.to_owned(),
        format!("OPENAI_API_KEY {OPENAI_KEY}"),
        format!("OPENAI_API_KEY=\"{OPENAI_KEY}"),
        format!("OPENAI_API_KEY={OPENAI_KEY} and more of it"),
        format!("A=b\n= {OPENAI_KEY}"),
        // A value that refers to another variable is rejected rather than expanded.
        "OPENAI_API_KEY=${XAI_API_KEY}".to_owned(),
        "export OPENAI_API_KEY=\"sk-$b\"".to_owned(),
    ] {
        folder.file(".env", &text);
        let output = invoke(&folder, &simulator).await;
        // The helper `invoke` also checks that the output does not contain the key.
        assert!(matches!(output.code, Some(2 | 3)), "{text:?}: {output:?}");
        assert!(simulator.journal().is_empty(), "{text:?}");
    }
    folder.file(".env", b"OPENAI_API_KEY=\xff\xfe\n");
    assert_eq!(invoke(&folder, &simulator).await.code, Some(2));
    folder.file(".env", b"\xff\xfe\x00");
    let output = invoke(&folder, &simulator).await;
    assert!(output.code == Some(2) && output.stderr.contains("UTF-16"), "{output:?}");
}

#[tokio::test]
async fn unusable_key_in_env_file_is_named_with_its_line() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    for value in ["\"ab cd\"", "käse"] {
        folder.file(".env", format!("GREETING=hello world\nOPENAI_API_KEY={value}\n"));
        let output = invoke(&folder, &simulator).await;
        assert_eq!(output.code, Some(3), "{output:?}");
        let expected = "the key OPENAI_API_KEY in .env, line 2, can't be used: the value contains";
        assert!(output.stderr.contains(expected), "{output:?}");
        // The key is set already, so the message does not suggest to set it.
        assert!(!output.stderr.contains("set it in .env"), "{output:?}");
        assert!(!output.stderr.contains("ab cd") && !output.stderr.contains("käse"), "{output:?}");
    }
}

#[tokio::test]
async fn lines_of_other_programs_in_env_file_are_skipped() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let key = format!("OPENAI_API_KEY={OPENAI_KEY}\n");
    let utf16: Vec<u8> =
        format!("\u{feff}{key}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [
        format!("GREETING=hello world\n{key}").into_bytes(),
        format!("PRIVATE_KEY=\"-----BEGIN KEY-----\nOPENAI_API_KEY=x y\n-----END\"\n{key}")
            .into_bytes(),
        [b"NAME=K\xe4se\n", key.as_bytes()].concat(),
        utf16,
    ] {
        folder.file(".env", &content);
        let output = invoke(&folder, &simulator).await;
        assert_eq!(output.stdout, format!("{REPLY}\n"), "{output:?}");
    }
}

#[tokio::test]
async fn the_simulated_reply_is_quoted_in_full() {
    let folder = Folder::new();
    let mut request = request();
    request["output"] = serde_json::json!("number");
    let file = folder.file("request.json", request.to_string());
    // For an event, the reply is not scripted to fit the output.
    let output = folder.run(&["invoke", "--simulate", "--event", &file]).await;
    assert!(output.stdout.contains("Simulated reply from"), "{output:?}");
    assert!(!output.stdout.contains("[redacted]"), "{output:?}");
}

#[tokio::test]
async fn simulate_ignores_invalid_env_file() {
    let folder = Folder::new();
    folder.file(".env", "nonsense");
    let file = folder.file("request.json", request().to_string());
    let variables = [("OPENAI_BASE_URL", "http://127.0.0.1:1/v1"), ("OPENAI_API_KEY", OPENAI_KEY)];
    let output = folder.run_with(&variables, &["invoke", "--simulate", &file]).await;
    assert_eq!((output.code, output.stdout), (Some(0), format!("{REPLY}\n")));
}
