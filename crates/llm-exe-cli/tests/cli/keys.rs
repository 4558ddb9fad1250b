//! Where keys come from, and what a `.env` can't do.

use llm_exe_simulator::Simulator;

use crate::harness::{ANTHROPIC_KEY, Folder, OPENAI_KEY, REPLY, request};

/// `invoke` with the environment's base URLs and no key in the environment.
async fn invoked(folder: &Folder, simulator: &Simulator) -> crate::harness::Done {
    invoked_with(folder, simulator, &[]).await
}

async fn invoked_with(
    folder: &Folder,
    simulator: &Simulator,
    more: &[(&str, &str)],
) -> crate::harness::Done {
    simulator.clear();
    let file = folder.file("request.json", request().to_string());
    let url = simulator.openai_base_url();
    let mut variables = vec![("OPENAI_BASE_URL", url.as_str())];
    variables.extend(more);
    folder.run_with(&variables, &["invoke", &file]).await
}

#[tokio::test]
async fn keys_are_found_in_the_folders_env_file() {
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
        let done = invoked(&folder, &simulator).await;
        assert_eq!(done.stdout, format!("{REPLY}\n"), "{text:?}: {done:?}");
        let call = simulator.journal().pop().unwrap();
        assert_eq!(call.header("authorization"), Some("[present]"));
    }
    folder.file(".env", format!("ANTHROPIC_API_KEY={ANTHROPIC_KEY}"));
    let done = invoked(&folder, &simulator).await;
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.stderr.contains(".env"), "{done:?}");
}

/// A stray file must not send a shell's key elsewhere, nor open the endpoint.
#[tokio::test]
async fn settings_in_an_env_file_are_not_read() {
    let folder = Folder::new();
    let (simulator, stray) = (Simulator::start().await.unwrap(), Simulator::start().await.unwrap());
    let text = format!(
        "OPENAI_BASE_URL={}\nALLOWED_MODELS=none\nSTRICT_VARIABLES=nonsense\nHTTPS_PROXY={}\n",
        stray.openai_base_url(),
        stray.url(),
    );
    folder.file(".env", text);
    let done = invoked_with(&folder, &simulator, &[("OPENAI_API_KEY", OPENAI_KEY)]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(stray.journal().is_empty());
    // Not even where the environment names no other place.
    let file = folder.file("request.json", request().to_string());
    let done = folder.run(&["render", &file]).await;
    assert!(done.stdout.contains("https://api.openai.com/"), "{done:?}");
}

#[tokio::test]
async fn the_environment_wins_over_the_file() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    folder.file(".env", "OPENAI_API_KEY='a key that fits no header'\n");
    let done = invoked_with(&folder, &simulator, &[("OPENAI_API_KEY", OPENAI_KEY)]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    // One that is empty is not set.
    folder.file(".env", format!("OPENAI_API_KEY={OPENAI_KEY}\n"));
    let done = invoked_with(&folder, &simulator, &[("OPENAI_API_KEY", " ")]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[tokio::test]
async fn a_malformed_file_is_told_without_its_line() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    for text in [
        OPENAI_KEY.to_owned(),
        format!("OPENAI_API_KEY {OPENAI_KEY}"),
        format!("OPENAI_API_KEY=\"{OPENAI_KEY}"),
        format!("OPENAI_API_KEY={OPENAI_KEY} and more of it"),
        format!("A=b\n= {OPENAI_KEY}"),
        // The shell's variables are none of the file's business.
        "OPENAI_API_KEY=${XAI_API_KEY}".to_owned(),
        "export OPENAI_API_KEY=\"sk-$b\"".to_owned(),
    ] {
        folder.file(".env", &text);
        let done = invoked(&folder, &simulator).await;
        // The harness sees to it that no key is told.
        assert!(matches!(done.code, Some(2 | 3)), "{text:?}: {done:?}");
        assert!(simulator.journal().is_empty(), "{text:?}");
    }
    folder.file(".env", b"OPENAI_API_KEY=\xff\xfe\n");
    assert_eq!(invoked(&folder, &simulator).await.code, Some(2));
    folder.file(".env", "OPENAI_API_KEY=käse\n");
    assert_eq!(invoked(&folder, &simulator).await.code, Some(3));
}

/// The simulator needs no key, and a file that is broken is no hindrance.
#[tokio::test]
async fn simulate_reads_no_file_of_keys() {
    let folder = Folder::new();
    folder.file(".env", "nonsense");
    let file = folder.file("request.json", request().to_string());
    let elsewhere = [("OPENAI_BASE_URL", "http://127.0.0.1:1/v1"), ("OPENAI_API_KEY", OPENAI_KEY)];
    let done = folder.run_with(&elsewhere, &["invoke", "--simulate", &file]).await;
    assert_eq!((done.code, done.stdout), (Some(0), format!("{REPLY}\n")));
}
