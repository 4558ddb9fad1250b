//! Tests that `serve` stops gracefully on the first signal and immediately on the second.

use std::time::{Duration, Instant};

use llm_exe_simulator::{Fault, Simulator, Step};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{Folder, REPLY, Server, TIMEOUT, as_pairs, request, simulator_variables};

/// Waits until the simulator has received a request.
async fn wait_for_request(simulator: &Simulator) {
    let started = Instant::now();
    while simulator.journal().is_empty() {
        assert!(started.elapsed() < TIMEOUT, "the provider was not called");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn request_in_progress_is_finished() {
    let folder = Folder::new();
    for name in ["TERM", "INT"] {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::fault(Fault::Slow(Duration::from_millis(800)))]);
        let variables = simulator_variables(&simulator);
        let server = Server::start(&folder, &as_pairs(&variables), &[]).await;
        let port = server.port;
        let stop = async {
            wait_for_request(&simulator).await;
            server.signal(name);
            // The server refuses new connections once it has received the signal.
            let started = Instant::now();
            while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                assert!(started.elapsed() < TIMEOUT, "the server is still listening");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let (response, ()) = tokio::join!(server.post("/", request().to_string()), stop);
        assert_eq!((response.status, response.body.as_str()), (200, REPLY), "{name}");
        assert_eq!(server.wait().await.code, Some(0), "{name}");
    }
}

#[tokio::test]
async fn second_signal_stops_immediately() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::fault(Fault::Hang)]);
    let variables = simulator_variables(&simulator);
    let server = Server::start(&folder, &as_pairs(&variables), &[]).await;
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let body = request().to_string();
    let head =
        format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    wait_for_request(&simulator).await;
    server.signal("TERM");
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", server.port)).await.is_ok() {
        assert!(started.elapsed() < TIMEOUT, "the server is still listening");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.signal("TERM");
    let started = Instant::now();
    let output = server.wait().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.ends_with("stopped with 1 request open\n"), "{output:?}");
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_stop() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let idle = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let mut keep_alive = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    keep_alive.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut keep_alive, &mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let started = Instant::now();
    assert_eq!(server.stop().await.code, Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop((idle, keep_alive));
}
