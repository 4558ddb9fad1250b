//! `serve` as its clients meet it.

use llm_exe_simulator::{Simulator, Step};
use serde_json::{Value, json};

use crate::harness::{ENDPOINT_KEY, Folder, OPENAI_KEY, REPLY, Server, led_to, pairs, request};

#[tokio::test]
async fn answers_as_a_function_url_does() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let good = request().to_string();
    for path in ["/", "/invoke", "/invoke/", "/a/b/invoke", "/?a=b", "/invoke?a=%20"] {
        let reply = server.post(path, &good).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, REPLY), "{path}");
        assert_eq!(reply.headers["content-type"], "text/plain; charset=utf-8", "{path}");
    }
    for path in ["/", "/health", "/schema"] {
        let reply = server.get(path).await;
        assert_eq!(reply.headers["content-type"], "application/json", "{path}");
        assert!(reply.json().is_object(), "{path}");
        let head = server.send("HEAD", path, &[], b"").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
    }
    let reply = server.send("OPTIONS", "/invoke", &[], b"").await;
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (204, "POST, OPTIONS"));
    for (method, path, status, error) in [
        ("GET", "/nowhere", 404, "NotFound"),
        ("POST", "/v1/chat/completions", 404, "NotFound"),
        ("GET", "/invoke", 405, "MethodNotAllowed"),
        ("DELETE", "/", 405, "MethodNotAllowed"),
        ("BREW", "/invoke", 405, "MethodNotAllowed"),
    ] {
        let reply = server.send(method, path, &[], b"").await;
        assert_eq!((reply.status, reply.error().as_str()), (status, error), "{method} {path}");
    }
    for body in ["", " ", "{", "[]", "7", "null", "\"a\"", "{} {}", "\u{0}"] {
        let reply = server.post("/", body).await;
        assert_eq!((reply.status, reply.error().as_str()), (400, "InvalidRequest"), "{body:?}");
    }
    let reply = server.send("POST", "/", &[("content-type", "text/plain")], b"\xff\xfe").await;
    assert_eq!((reply.status, reply.error().as_str()), (400, "InvalidRequest"));
    // An event is no request: what AWS wraps is not unwrapped here.
    let event = json!({ "version": "2.0", "requestContext": { "http": {} }, "body": good });
    let reply = server.post("/", event.to_string()).await;
    assert_eq!((reply.status, reply.error().as_str()), (400, "InvalidRequest"));
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn a_body_over_six_megabytes_is_too_large() {
    const LIMIT: usize = 6 * 1024 * 1024;
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let mut request = request();
    request["data"] = json!({ "a": "" });
    let rest = request.to_string().len();
    request["data"]["a"] = json!("a".repeat(LIMIT - rest));
    let reply = server.post("/", request.to_string()).await;
    assert_eq!(reply.status, 200, "{reply:.300?}");
    for more in [1, 1_000_000] {
        request["data"]["a"] = json!("a".repeat(LIMIT - rest + more));
        let reply = server.post("/", request.to_string()).await;
        assert_eq!((reply.status, reply.error().as_str()), (413, "RequestTooLarge"));
    }
    assert_eq!(server.post("/", self::request().to_string()).await.status, 200);
    server.stop().await;
}

fn request_text() -> String {
    request().to_string()
}

/// A page that its user visits must not spend the user's keys: by its own origin, or by a name
/// that it points here.
#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let (port, body) = (server.port, request_text());
    let own = format!("127.0.0.1:{port}");
    let fine = [
        vec![("host", own.clone())],
        vec![("host", format!("localhost:{port}"))],
        vec![("host", "localhost".to_owned())],
        vec![("host", format!("[::1]:{port}"))],
        vec![("host", own.clone()), ("origin", format!("http://localhost:{port}"))],
        vec![("host", own.clone()), ("origin", "http://127.0.0.1:5173".to_owned())],
        vec![("host", own.clone()), ("origin", "http://[::1]:3000".to_owned())],
    ];
    for headers in fine {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = server.send("POST", "/", &headers, body.as_bytes()).await;
        assert_eq!(reply.status, 200, "{headers:?}: {reply:?}");
    }
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
        vec![("host", own.clone()), ("origin", "null".to_owned())],
        vec![("host", own.clone()), ("origin", String::new())],
        vec![("host", own.clone()), ("origin", "http://localhost.evil.example".to_owned())],
        vec![("host", own.clone()), ("origin", "http://localhost:80@evil.example".to_owned())],
        vec![("host", own.clone()), ("origin", format!("chrome-extension://localhost:{port}x"))],
    ];
    let mut wrong = Vec::new();
    for headers in foreign {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (method, path) in [("POST", "/"), ("GET", "/schema"), ("OPTIONS", "/invoke")] {
            let reply = server.send(method, path, &headers, body.as_bytes()).await;
            // hyper itself refuses what is no host at all.
            if !matches!(reply.status, 400 | 401) {
                wrong.push(format!("{method} {path} {headers:?}: {}", reply.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let reply = server.send("POST", "/", &[("host", "evil.example")], body.as_bytes()).await;
    assert_eq!((reply.status, reply.error().as_str()), (401, "Unauthorized"));
    // Without any host, as HTTP/1.0 may be.
    let raw = format!("POST / HTTP/1.0\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(server.raw(raw.as_bytes()).await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn a_key_can_be_asked_for() {
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
        let reply = server.send("POST", "/", &headers, body.as_bytes()).await;
        assert_eq!(reply.status, status, "{headers:?}");
    }
    server.stop().await;

    // From a file, and by the setting.
    folder.file(".env", format!("ENDPOINT_API_KEY={ENDPOINT_KEY}\nOPENAI_API_KEY=k\n"));
    let server = Server::start(&folder, &[("ENDPOINT_AUTH", "API_KEY")], &[]).await;
    assert_eq!(server.post("/", &body).await.status, 401);
    let reply = server.send("POST", "/", &[("x-api-key", ENDPOINT_KEY)], b"{}").await;
    assert_eq!(reply.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn other_machines_are_not_let_in_by_default() {
    let folder = Folder::new();
    for host in ["0.0.0.0", "::"] {
        let done = folder.run(&["serve", "--simulate", "--port", "0", "--host", host]).await;
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.stderr.contains("--auth"), "{done:?}");
    }
    let server =
        Server::start(&folder, &[], &["--simulate", "--host", "0.0.0.0", "--auth", "NONE"]).await;
    assert_eq!(server.post("/", request_text()).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn what_can_not_be_served_is_told() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let port = server.port.to_string();
    for (arguments, told) in [
        (vec!["serve", "--simulate", "--port", &port], "can't listen"),
        (vec!["serve", "--simulate", "--port", "0", "--auth", "PASSWORD"], "PASSWORD"),
        (vec!["serve", "--simulate", "--port", "99999"], "--port"),
        (vec!["serve", "--simulate", "--host", "localhost"], "--host"),
    ] {
        let done = folder.run(&arguments).await;
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert!(done.stderr.contains(told), "{arguments:?}: {done:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_request_leaves_a_line() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    server.post("/invoke", request_text()).await;
    server.post("/", "{}").await;
    server.get("/nowhere").await;
    server.send("GET", "/", &[("host", "evil.example")], b"").await;
    let done = server.stop().await;
    let lines: Vec<&str> = done.stderr.lines().filter(|line| line.contains(" /")).collect();
    for (start, part) in [
        ("GET /health 200", "ms"),
        ("POST /invoke 200", "openai gpt-4o-mini"),
        ("POST / 400", "InvalidRequest"),
        ("GET /nowhere 404", "ms"),
        ("GET / 401", "Unauthorized"),
    ] {
        let found = lines.iter().any(|line| line.starts_with(start) && line.contains(part));
        assert!(found, "{start} … {part} in {lines:?}");
    }
    assert_eq!(done.stdout, "");
    assert!(!done.stderr.contains("Say hello") && !done.stderr.contains("Simulated reply"));

    let server = Server::start(&folder, &[], &["--simulate", "--json"]).await;
    server.post("/invoke", request_text()).await;
    server.post("/", "{}").await;
    let done = server.stop().await;
    let lines: Vec<Value> =
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[1]["provider"], json!("openai"));
    assert_eq!(lines[2]["errorType"], json!("InvalidRequest"));
    // Each request has an id of its own, or a line could not be told from another.
    let ids: std::collections::BTreeSet<&str> =
        lines.iter().map(|line| line["requestId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3, "{lines:?}");
}

#[tokio::test]
async fn failures_have_the_contracts_status_and_shape() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let variables = led_to(&simulator);
    let server = Server::start(&folder, &pairs(&variables), &[]).await;
    for (step, status, error, wait) in [
        (Step::status(429).header("retry-after-ms", "1"), 429, "ProviderRateLimited", Some("1")),
        (Step::status(400), 422, "ProviderRejected", None),
        (Step::status(401), 502, "ProviderAuthFailed", None),
        (Step::status(500), 503, "ProviderUnavailable", None),
    ] {
        simulator.clear();
        simulator.script(vec![step.times(9)]);
        let reply = server.post("/", request_text()).await;
        assert_eq!((reply.status, reply.error().as_str()), (status, error));
        assert_eq!(reply.headers.get("retry-after").map(String::as_str), wait);
    }
    server.stop().await;
    let no_key: Vec<_> =
        variables.iter().filter(|(_, value)| value != OPENAI_KEY).cloned().collect();
    let server = Server::start(&folder, &pairs(&no_key), &[]).await;
    let reply = server.post("/", request_text()).await;
    assert_eq!((reply.status, reply.error().as_str()), (500, "SecretNotFound"));
    server.stop().await;
}
