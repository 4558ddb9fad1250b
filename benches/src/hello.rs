//! An empty function: `lambda_runtime` and nothing else, under the same release profile. What a
//! Lambda function in Rust costs before it does anything.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Runtime::new(service_fn(hello)).run())
}

async fn hello(_: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(Value::from("hello"))
}
