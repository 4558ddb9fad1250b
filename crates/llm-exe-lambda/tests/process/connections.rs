//! Tests the reuse of provider connections across invocations. The provider may close a connection
//! while Lambda freezes the function.

use std::time::Duration;

use llm_exe_simulator::{Fault, Step};
use serde_json::{Value, json};

use crate::harness::{Function, merge, request};

fn full() -> Value {
    let mut request = request();
    merge(&mut request, &json!({ "return": "full" }));
    request
}

#[tokio::test]
async fn connection_is_reused() {
    let function = Function::start().await;
    for _ in 0..3 {
        function.invoke(&request()).await.result();
    }
    let connections: Vec<u64> =
        function.simulator.journal().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [1, 1, 1]);
    function.stop().await;
}

/// The function may notice the closed connection before it sends the next request or while it does
/// so.
#[tokio::test]
async fn closed_connection_costs_no_attempt() {
    for (idle, pause) in [(0, 150), (0, 0), (1, 0), (2, 1), (5, 5), (20, 19), (20, 20)] {
        let function = Function::start().await;
        let close = Fault::CloseIdle(Duration::from_millis(idle));
        function.simulator.script(vec![Step::fault(close)]);
        assert_eq!(function.invoke(&full()).await.result()["attempts"], json!(1));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let mut without_retries = full();
        merge(&mut without_retries, &json!({ "options": { "numOfAttempts": 1 } }));
        let response = function.invoke(&without_retries).await.result();
        assert_eq!(
            response["attempts"],
            json!(1),
            "closed after {idle} ms, invoked after {pause} ms"
        );
        function.stop().await;
    }
}

/// If the server closes a reused connection without a response, the request is sent once more.
#[tokio::test]
async fn request_on_a_dropped_reused_connection_is_sent_once_more() {
    let function = Function::start().await;
    function.invoke(&request()).await.result();
    function.simulator.clear();
    function.simulator.script(vec![Step::fault(Fault::Drop)]);
    let response = function.invoke(&full()).await.result();
    assert_eq!(response["attempts"], json!(1));
    assert_eq!(function.simulator.journal().len(), 2);
    function.simulator.clear();
    function.simulator.script(vec![Step::fault(Fault::Drop).times(9)]);
    let (error_type, _) = function.invoke(&request()).await.failure();
    assert_eq!(error_type, "ProviderUnavailable");
    assert_eq!(function.simulator.journal().len(), 2);
    function.stop().await;
}

/// The provider may charge for a request that it received completely, so the request is not
/// repeated.
#[tokio::test]
async fn request_on_a_dropped_new_connection_is_not_sent_again() {
    let function = Function::start().await;
    function.simulator.script(vec![Step::fault(Fault::Drop).times(9)]);
    let (error_type, message) = function.invoke(&request()).await.failure();
    assert_eq!(error_type, "ProviderUnavailable", "{message}");
    assert!(message.contains("billed"), "{message}");
    assert_eq!(function.simulator.journal().len(), 1);
    function.stop().await;
}
