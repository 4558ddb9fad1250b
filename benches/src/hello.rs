//! An empty function that uses only `lambda_runtime` and the same release profile as llm-exe. It
//! shows the minimum cost of a Lambda function in Rust.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Runtime::new(service_fn(hello)).run())
}

async fn hello(_: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(Value::from("hello"))
}
