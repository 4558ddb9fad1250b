//! Tests responses below and above Lambda's size limit of 6 MB.

use llm_exe_simulator::Step;
use serde_json::json;

use crate::harness::{Function, Response, post_event, request};

const LIMIT: usize = 6 * 1024 * 1024;

#[tokio::test]
async fn response_below_the_limit_is_returned() {
    let function = Function::start().await;
    let text = "a".repeat(LIMIT - 1024);
    function.simulator.script(vec![Step::text(text.clone()), Step::text(text.clone())]);
    assert_eq!(function.invoke(&request()).await, Response::Result(json!(text)));
    let (status, _, body) = function.invoke(&post_event(&request())).await.http();
    assert_eq!((status, body.len()), (200, text.len()));
    function.stop().await;
}

/// The invocation fails because `RESULT_PREFIX` is not set, so the result can't be stored in S3.
#[tokio::test]
async fn response_above_the_limit_is_result_too_large() {
    let function = Function::start().await;
    // The second string exceeds the limit only after its quotes are escaped.
    for text in ["a".repeat(LIMIT + 1024), "\"".repeat(LIMIT / 2 + 1024)] {
        function.simulator.clear();
        function.simulator.script(vec![Step::text(text.clone())]);
        let (error_type, message) = function.invoke(&request()).await.failure();
        assert_eq!(error_type, "ResultTooLarge", "{message}");
        function.assert_works("a response above the limit").await;
        function.simulator.script(vec![Step::text(text)]);
        let (status, _, body) = function.invoke(&post_event(&request())).await.http();
        assert_eq!(status, 502, "{body}");
        function.assert_works("a response above the limit, over HTTP").await;
    }
    function.stop().await;
}
