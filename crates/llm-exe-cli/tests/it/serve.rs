//! Tests how `llm-exe serve` responds to HTTP requests.

use std::process::Stdio;

use llm_exe_simulator::{Simulator, Step};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::harness::{
    ENDPOINT_KEY, Folder, OPENAI_KEY, REPLY, Server, TIMEOUT, as_pairs, request,
    simulator_variables,
};

#[tokio::test]
async fn responses_are_those_of_a_function_url() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let request = request().to_string();
    for path in ["/", "/invoke", "/invoke/", "/a/b/invoke", "/?a=b", "/invoke?a=%20"] {
        let response = server.post(path, &request).await;
        assert_eq!((response.status, response.body.as_str()), (200, REPLY), "{path}");
        assert_eq!(response.headers["content-type"], "text/plain; charset=utf-8", "{path}");
    }
    for path in ["/", "/health", "/schema"] {
        let response = server.get(path).await;
        assert_eq!(response.headers["content-type"], "application/json", "{path}");
        assert!(response.json().is_object(), "{path}");
        let head = server.send("HEAD", path, &[], b"").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
    }
    let response = server.send("OPTIONS", "/invoke", &[], b"").await;
    assert_eq!((response.status, response.headers["allow"].as_str()), (204, "POST, OPTIONS"));
    for (method, path, status, error) in [
        ("GET", "/nowhere", 404, "NotFound"),
        ("POST", "/v1/chat/completions", 404, "NotFound"),
        ("GET", "/invoke", 405, "MethodNotAllowed"),
        ("DELETE", "/", 405, "MethodNotAllowed"),
        ("BREW", "/invoke", 405, "MethodNotAllowed"),
    ] {
        let response = server.send(method, path, &[], b"").await;
        assert_eq!(
            (response.status, response.error_type().as_str()),
            (status, error),
            "{method} {path}"
        );
    }
    for body in ["", " ", "{", "[]", "7", "null", "\"a\"", "{} {}", "\u{0}"] {
        let response = server.post("/", body).await;
        assert_eq!(
            (response.status, response.error_type().as_str()),
            (400, "InvalidRequest"),
            "{body:?}"
        );
    }
    let response = server.send("POST", "/", &[("content-type", "text/plain")], b"\xff\xfe").await;
    assert_eq!((response.status, response.error_type().as_str()), (400, "InvalidRequest"));
    // A function URL event is not a valid request, even if its body contains one.
    let event = json!({ "version": "2.0", "requestContext": { "http": {} }, "body": request });
    let response = server.post("/", event.to_string()).await;
    assert_eq!((response.status, response.error_type().as_str()), (400, "InvalidRequest"));
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn body_is_limited_to_6_mib() {
    const LIMIT: usize = 6 * 1024 * 1024;
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let mut request = request();
    request["data"] = json!({ "a": "" });
    let size_without_data = request.to_string().len();
    request["data"]["a"] = json!("a".repeat(LIMIT - size_without_data));
    let response = server.post("/", request.to_string()).await;
    assert_eq!(response.status, 200, "{response:.300?}");
    for excess in [1, 1_000_000] {
        request["data"]["a"] = json!("a".repeat(LIMIT - size_without_data + excess));
        let response = server.post("/", request.to_string()).await;
        assert_eq!((response.status, response.error_type().as_str()), (413, "RequestTooLarge"));
    }
    assert_eq!(server.post("/", self::request().to_string()).await.status, 200);
    server.stop().await;
}

fn request_text() -> String {
    request().to_string()
}

/// A web page that the user visits must not be able to use the user's keys, either by cross-origin
/// requests or by DNS rebinding.
#[tokio::test]
async fn foreign_hosts_and_origins_are_rejected() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let (port, body) = (server.port, request_text());
    let own = format!("127.0.0.1:{port}");
    let allowed = [
        vec![("host", own.clone())],
        vec![("host", format!("localhost:{port}"))],
        vec![("host", "localhost".to_owned())],
        vec![("host", format!("[::1]:{port}"))],
        vec![("host", own.clone()), ("origin", format!("http://localhost:{port}"))],
        vec![("host", own.clone()), ("origin", format!("http://127.0.0.1:{port}"))],
        vec![("host", format!("LOCALHOST:{port}"))],
    ];
    for headers in allowed {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let response = server.send("POST", "/", &headers, body.as_bytes()).await;
        assert_eq!(response.status, 200, "{headers:?}: {response:?}");
    }
    let own_page = format!("http://{own}");
    let foreign = [
        vec![("host", "evil.example".to_owned())],
        vec![("host", format!("evil.example:{port}"))],
        vec![("host", format!("localhost.evil.example:{port}"))],
        vec![("host", format!("127.0.0.1.evil.example:{port}"))],
        vec![("host", "localhost:80@evil.example".to_owned())],
        vec![("host", format!("10.0.0.1:{port}"))],
        vec![("host", "0.0.0.0".to_owned())],
        vec![("host", String::new())],
        vec![("host", own.clone()), ("host", "evil.example".to_owned())],
        vec![("host", own.clone()), ("origin", "https://evil.example".to_owned())],
        vec![("host", own.clone()), ("origin", "http://127.0.0.1:5173".to_owned())],
        vec![("host", own.clone()), ("origin", "http://localhost:3000".to_owned())],
        vec![("host", own.clone()), ("origin", "http://[::1]:3000".to_owned())],
        vec![("host", own.clone()), ("origin", "http://localhost".to_owned())],
        vec![("host", own.clone()), ("origin", format!("https://localhost:{port}"))],
        vec![("host", own.clone()), ("origin", format!("http://[::1]:{port}"))],
        vec![("host", own.clone()), ("origin", own_page.clone()), ("origin", own_page.clone())],
        vec![("host", own.clone()), ("origin", "null".to_owned())],
        vec![("host", own.clone()), ("origin", String::new())],
        vec![("host", own.clone()), ("origin", "http://localhost.evil.example".to_owned())],
        vec![("host", own.clone()), ("origin", "http://localhost:80@evil.example".to_owned())],
        vec![("host", own.clone()), ("origin", format!("chrome-extension://localhost:{port}x"))],
    ];
    let mut accepted = Vec::new();
    for headers in foreign {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (method, path) in [("POST", "/"), ("GET", "/schema"), ("OPTIONS", "/invoke")] {
            let response = server.send(method, path, &headers, body.as_bytes()).await;
            // hyper itself rejects invalid host names with status 400.
            if !matches!(response.status, 400 | 401) {
                accepted.push(format!("{method} {path} {headers:?}: {}", response.status));
            }
        }
    }
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
    let response = server.send("POST", "/", &[("host", "evil.example")], body.as_bytes()).await;
    assert_eq!((response.status, response.error_type().as_str()), (401, "Unauthorized"));
    // HTTP/1.0 allows a request without a `host` header, but the server rejects it.
    let raw = format!("POST / HTTP/1.0\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(server.raw(raw.as_bytes()).await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn api_key_is_required_if_configured() {
    let folder = Folder::new();
    let keys = [("ENDPOINT_API_KEY", ENDPOINT_KEY)];
    let server = Server::start(&folder, &keys, &["--simulate", "--auth", "API_KEY"]).await;
    let body = request_text();
    let bearer = format!("Bearer {ENDPOINT_KEY}");
    for (headers, status) in [
        (vec![], 401),
        (vec![("x-api-key", "wrong")], 401),
        (vec![("x-api-key", ENDPOINT_KEY)], 200),
        (vec![("X-API-KEY", ENDPOINT_KEY)], 200),
        (vec![("authorization", bearer.as_str())], 200),
    ] {
        let response = server.send("POST", "/", &headers, body.as_bytes()).await;
        assert_eq!(response.status, status, "{headers:?}");
    }
    server.stop().await;

    // The endpoint key can be set in .env, and the authentication type in the environment.
    folder.file(".env", format!("ENDPOINT_API_KEY={ENDPOINT_KEY}\nOPENAI_API_KEY=k\n"));
    let server = Server::start(&folder, &[("ENDPOINT_AUTH", "API_KEY")], &[]).await;
    assert_eq!(server.post("/", &body).await.status, 401);
    let response = server.send("POST", "/", &[("x-api-key", ENDPOINT_KEY)], b"{}").await;
    assert_eq!(response.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn endpoint_key_is_read_from_env_file_also_with_the_simulator() {
    let folder = Folder::new();
    folder.file(".env", format!("ENDPOINT_API_KEY={ENDPOINT_KEY}\n"));
    let server = Server::start(&folder, &[], &["--simulate", "--auth", "API_KEY"]).await;
    let body = request_text();
    let response = server.send("POST", "/", &[("x-api-key", "wrong")], body.as_bytes()).await;
    assert_eq!(response.status, 401);
    let response = server.send("POST", "/", &[("x-api-key", ENDPOINT_KEY)], body.as_bytes()).await;
    assert_eq!(response.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn server_does_not_start_without_the_endpoint_key() {
    let folder = Folder::new();
    for arguments in [&["--simulate"][..], &[]] {
        let arguments = [&["serve", "--port", "0", "--auth", "API_KEY"], arguments].concat();
        let output = folder.run(&arguments).await;
        assert_eq!(output.code, Some(3), "{output:?}");
        assert!(output.stderr.contains("ENDPOINT_API_KEY"), "{output:?}");
        assert!(!output.stderr.contains("listening"), "{output:?}");
    }
}

#[tokio::test]
async fn other_addresses_than_loopback_require_auth_option() {
    let folder = Folder::new();
    for host in ["0.0.0.0", "::"] {
        let output = folder.run(&["serve", "--simulate", "--port", "0", "--host", host]).await;
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.stderr.contains("--auth"), "{output:?}");
    }
    let server =
        Server::start(&folder, &[], &["--simulate", "--host", "0.0.0.0", "--auth", "NONE"]).await;
    assert_eq!(server.post("/", request_text()).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn invalid_address_or_option_is_reported() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let port = server.port.to_string();
    for (arguments, expected) in [
        (vec!["serve", "--simulate", "--port", &port], "can't listen"),
        (vec!["serve", "--simulate", "--port", "0", "--auth", "PASSWORD"], "PASSWORD"),
        (vec!["serve", "--simulate", "--port", "99999"], "--port"),
        (vec!["serve", "--simulate", "--host", "localhost"], "--host"),
    ] {
        let output = folder.run(&arguments).await;
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(expected), "{arguments:?}: {output:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_request_is_logged() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    server.post("/invoke", request_text()).await;
    server.post("/", "{}").await;
    server.get("/nowhere").await;
    server.send("GET", "/", &[("host", "evil.example")], b"").await;
    let output = server.stop().await;
    let lines: Vec<&str> = output.stderr.lines().filter(|line| line.contains(" /")).collect();
    for (prefix, part) in [
        ("GET /health 200", "ms"),
        ("POST /invoke 200", "openai gpt-4o-mini"),
        ("POST / 400", "InvalidRequest"),
        ("GET /nowhere 404", "ms"),
        ("GET / 401", "Unauthorized"),
    ] {
        let is_logged = lines.iter().any(|line| line.starts_with(prefix) && line.contains(part));
        assert!(is_logged, "{prefix} … {part} in {lines:?}");
    }
    assert_eq!(output.stdout, "");
    assert!(!output.stderr.contains("Say hello") && !output.stderr.contains("Simulated reply"));

    let server = Server::start(&folder, &[], &["--simulate", "--json"]).await;
    server.post("/invoke", request_text()).await;
    server.post("/", "{}").await;
    let output = server.stop().await;
    let lines: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[1]["provider"], json!("openai"));
    assert_eq!(lines[2]["errorType"], json!("InvalidRequest"));
    // Each request has a different request id.
    let ids: std::collections::BTreeSet<&str> =
        lines.iter().map(|line| line["requestId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3, "{lines:?}");
}

#[tokio::test]
async fn errors_have_documented_status_and_body() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let variables = simulator_variables(&simulator);
    let server = Server::start(&folder, &as_pairs(&variables), &[]).await;
    for (step, status, error, retry_after) in [
        (Step::status(429).header("retry-after-ms", "1"), 429, "ProviderRateLimited", Some("1")),
        (Step::status(400), 422, "ProviderRejected", None),
        (Step::status(401), 502, "ProviderAuthFailed", None),
        (Step::status(500), 503, "ProviderUnavailable", None),
    ] {
        simulator.clear();
        simulator.script(vec![step.times(9)]);
        let response = server.post("/", request_text()).await;
        assert_eq!((response.status, response.error_type().as_str()), (status, error));
        assert_eq!(response.headers.get("retry-after").map(String::as_str), retry_after);
    }
    server.stop().await;
    let no_key: Vec<_> =
        variables.iter().filter(|(_, value)| value != OPENAI_KEY).cloned().collect();
    let server = Server::start(&folder, &as_pairs(&no_key), &[]).await;
    let response = server.post("/", request_text()).await;
    assert_eq!((response.status, response.error_type().as_str()), (500, "SecretNotFound"));
    server.stop().await;
}

/// A request with an unknown field, a misplaced option and a missing variable.
fn request_with_warnings() -> Value {
    let mut request = request();
    request["message"] = json!("Say hello {{nmae}}.");
    request["temperature"] = json!(0);
    request["max_tokens"] = json!(5);
    request
}

#[tokio::test]
async fn number_of_warnings_is_a_header_and_is_printed() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let with_warnings = request_with_warnings();
    let response = server.post("/invoke", with_warnings.to_string()).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.headers["x-llm-exe-warnings"], "3", "{response:?}");
    let mut full = with_warnings.clone();
    full["return"] = json!("full");
    let response = server.post("/invoke", full.to_string()).await;
    assert_eq!(response.json()["warnings"].as_array().unwrap().len(), 3, "{response:?}");
    let mut invalid = with_warnings;
    invalid["model"] = Value::Null;
    let response = server.post("/invoke", invalid.to_string()).await;
    assert_eq!(response.status, 400, "{response:?}");
    assert_eq!(response.headers["x-llm-exe-warnings"], "3", "{response:?}");
    let response = server.post("/invoke", request().to_string()).await;
    assert_eq!(response.headers.get("x-llm-exe-warnings"), None, "{response:?}");
    let output = server.stop().await;
    assert_eq!(output.stderr.matches(" 3 warnings\n").count(), 3, "{output:?}");
    assert_eq!(output.stderr.matches(" InvalidRequest 3 warnings\n").count(), 1, "{output:?}");
    assert_eq!(output.stderr.matches("warning").count(), 3, "{output:?}");
}

#[tokio::test]
async fn texts_of_warnings_are_printed_on_a_terminal() {
    let folder = Folder::new();
    // `script` runs the program on a terminal and copies what it prints.
    let program = format!("{} serve --simulate --port 0", env!("CARGO_BIN_EXE_llm-exe"));
    let mut terminal = tokio::process::Command::new("script")
        .args(["--quiet", "--return", "--command", &program, "/dev/null"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(terminal.stdout.take().unwrap()).lines();
    let body = request_with_warnings().to_string();
    let mut text = String::new();
    let read = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, address)) = line.split_once("listening on http://") {
                let address = address.split_whitespace().next().unwrap().to_owned();
                let mut stream = TcpStream::connect(&address).await.unwrap();
                let length = body.len();
                let head = format!(
                    "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
                );
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                stream.read_u8().await.unwrap();
            }
            text.push_str(&line);
            if text.matches("warning:").count() == 3 {
                return;
            }
        }
    };
    tokio::time::timeout(TIMEOUT, read).await.unwrap_or_else(|_| panic!("no warnings: {text}"));
    for name in ["temperature", "max_tokens", "nmae"] {
        assert!(text.contains(name), "{name}: {text}");
    }
}
