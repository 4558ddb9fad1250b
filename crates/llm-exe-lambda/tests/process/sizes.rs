//! Answers near and over Lambda's limit of 6 MB.

use llm_exe_simulator::Step;
use serde_json::json;

use crate::harness::{Answer, Function, posted, request};

const LIMIT: usize = 6 * 1024 * 1024;

#[tokio::test]
async fn an_answer_below_the_limit_is_passed_on() {
    let function = Function::start().await;
    let text = "a".repeat(LIMIT - 1024);
    function.simulator.script(vec![Step::text(text.clone()), Step::text(text.clone())]);
    assert_eq!(function.invoke(&request()).await, Answer::Result(json!(text)));
    let (status, _, body) = function.invoke(&posted(&request())).await.http();
    assert_eq!((status, body.len()), (200, text.len()));
    function.stop().await;
}

/// spec/events.md: without a result prefix, `ResultTooLarge`.
#[tokio::test]
async fn an_answer_over_the_limit_is_result_too_large() {
    let function = Function::start().await;
    // Over it by itself; and over it only once its quotes are escaped.
    for text in ["a".repeat(LIMIT + 1024), "\"".repeat(LIMIT / 2 + 1024)] {
        function.simulator.clear();
        function.simulator.script(vec![Step::text(text.clone())]);
        let (error_type, message) = function.invoke(&request()).await.failure();
        assert_eq!(error_type, "ResultTooLarge", "{message}");
        function.is_well("an answer over the limit").await;
        function.simulator.script(vec![Step::text(text)]);
        let (status, _, body) = function.invoke(&posted(&request())).await.http();
        assert_eq!(status, 502, "{body}");
        function.is_well("an answer over the limit, over HTTP").await;
    }
    function.stop().await;
}
