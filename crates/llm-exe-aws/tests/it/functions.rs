//! Tests how the client of Lambda reports the errors of functions, and that it repeats a call only
//! if the function has certainly not run.

use std::time::Duration;

use bytes::Bytes;
use llm_exe::ports::{FunctionCall, FunctionInvoker};
use llm_exe::{Deadline, Error, FunctionName};

use crate::support::proxy::{Action, Proxy};
use crate::support::{OTHER_SECRET, assert_no_secrets, deadline, ports};

async fn invoke(proxy: &Proxy, name: &str, deadline: Deadline) -> Result<Bytes, Error> {
    let functions = ports(&proxy.url(), OTHER_SECRET).functions();
    let function = FunctionName::parse(name).unwrap();
    let call = FunctionCall {
        function: &function,
        event: br#"{"arguments":{}}"#,
        trace_id: Some("Root=1-2-3"),
    };
    functions.invoke(call, deadline).await
}

fn respond(status: u16, headers: &str, body: &str) -> Action {
    Action::Respond(status, headers.to_owned(), body.to_owned())
}

#[tokio::test]
async fn response_of_a_function_is_returned_unchanged() {
    let proxy = Proxy::without_target().await;
    proxy.script(&[respond(200, "", "{\"a\": 1.0,  \"b\":[]}")]);
    let body = invoke(&proxy, "orders:live", deadline()).await.unwrap();
    assert_eq!(body, "{\"a\": 1.0,  \"b\":[]}");
    let head = &proxy.request_heads()[0];
    let path = "post /2015-03-31/functions/orders/invocations?qualifier=live http/1.1";
    assert!(head.starts_with(path), "{head}");
    assert!(head.contains("x-amzn-trace-id: root=1-2-3"), "{head}");
    assert!(head.contains("x-amz-invocation-type: requestresponse"), "{head}");
}

#[tokio::test]
async fn errors_name_the_function_and_what_to_do() {
    let proxy = Proxy::without_target().await;
    let function_error = "x-amz-function-error: Unhandled\r\n";
    for (action, kind, expected) in [
        (
            respond(
                200,
                function_error,
                concat!(
                    r#"{"errorType":"KeyError","errorMessage":"no order 5","#,
                    r#""stackTrace":["secret.py"]}"#
                ),
            ),
            "ToolFailed",
            "the function orders failed: KeyError: no order 5",
        ),
        (respond(200, function_error, "Task timed out"), "ToolFailed", "function orders failed"),
        (
            respond(404, "x-amzn-errortype: ResourceNotFoundException\r\n", "{}"),
            "ToolFailed",
            "can't call the function orders: it does not exist (404 ResourceNotFoundException)",
        ),
        (
            respond(403, "x-amzn-errortype: AccessDeniedException\r\n", "{}"),
            "AccessDenied",
            "AWS denied lambda:InvokeFunction on orders",
        ),
        (respond(500, "x-amzn-errortype: ServiceException\r\n", "{}"), "ToolFailed", "500"),
        (Action::Drop, "ToolFailed", "can't call the function orders"),
    ] {
        proxy.script(std::slice::from_ref(&action));
        let error = invoke(&proxy, "orders", deadline()).await.unwrap_err();
        assert_eq!(error.kind().name(), kind, "{action:?}: {error}");
        assert!(error.message().contains(expected), "{action:?}: {error}");
        assert!(!error.message().contains("secret.py"), "{error}");
        assert!(!error.for_log().contains("no order 5"), "{}", error.for_log());
        assert_no_secrets(&format!("{error:#?}"));
        assert_eq!(proxy.request_count(), 1, "{action:?}: the function may have run");
    }
}

#[tokio::test]
async fn throttled_call_is_repeated() {
    let proxy = Proxy::without_target().await;
    let throttled = respond(429, "x-amzn-errortype: TooManyRequestsException\r\n", "{}");
    proxy.script(&[throttled.clone(), throttled.clone(), respond(200, "", "5")]);
    assert_eq!(invoke(&proxy, "orders", deadline()).await.unwrap(), "5");
    assert_eq!(proxy.request_count(), 3);
    proxy.script(&[throttled.clone(), throttled.clone(), throttled]);
    let error = invoke(&proxy, "orders", deadline()).await.unwrap_err();
    assert!(error.message().contains("429 TooManyRequestsException"), "{error}");
}

#[tokio::test]
async fn time_out_says_that_the_function_may_have_completed() {
    let proxy = Proxy::without_target().await;
    proxy.script(&[Action::Delay(Duration::from_secs(20))]);
    let short = Deadline::after(Duration::from_millis(300));
    let error = invoke(&proxy, "orders", short).await.unwrap_err();
    assert_eq!(error.kind().name(), "Timeout");
    assert!(error.message().contains("it may have completed anyway"), "{error}");
    assert_eq!(proxy.request_count(), 1);
}
