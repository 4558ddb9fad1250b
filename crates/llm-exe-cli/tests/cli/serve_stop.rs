//! How `serve` stops: gracefully when asked once, at once when asked twice.

use std::time::{Duration, Instant};

use llm_exe_simulator::{Fault, Simulator, Step};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{Folder, PATIENCE, REPLY, Server, led_to, pairs, request};

async fn until_asked(simulator: &Simulator) {
    let started = Instant::now();
    while simulator.journal().is_empty() {
        assert!(started.elapsed() < PATIENCE, "the provider is not asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_request_under_way_gets_its_answer() {
    let folder = Folder::new();
    for name in ["TERM", "INT"] {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::fault(Fault::Slow(Duration::from_millis(800)))]);
        let variables = led_to(&simulator);
        let server = Server::start(&folder, &pairs(&variables), &[]).await;
        let port = server.port;
        let stop = async {
            until_asked(&simulator).await;
            server.signal(name);
            // Nobody new is let in.
            let started = Instant::now();
            while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                assert!(started.elapsed() < PATIENCE, "it still listens");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let (reply, ()) = tokio::join!(server.post("/", request().to_string()), stop);
        assert_eq!((reply.status, reply.body.as_str()), (200, REPLY), "{name}");
        assert_eq!(server.ended().await.code, Some(0), "{name}");
    }
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::fault(Fault::Hang)]);
    let variables = led_to(&simulator);
    let server = Server::start(&folder, &pairs(&variables), &[]).await;
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let body = request().to_string();
    let head =
        format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    until_asked(&simulator).await;
    server.signal("TERM");
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", server.port)).await.is_ok() {
        assert!(started.elapsed() < PATIENCE, "it still listens");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.signal("TERM");
    let started = Instant::now();
    server.ended().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// Connections on which nothing is asked, or only half a request, hold nothing up for long.
#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[], &["--simulate"]).await;
    let idle = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let mut kept = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    kept.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut kept, &mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let started = Instant::now();
    assert_eq!(server.stop().await.code, Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop((idle, kept));
}
