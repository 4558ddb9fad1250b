//! Gives a model three tools: a function of the program, an executor, and a tool whose calls a
//! person approves.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llm_exe::{Client, PendingCalls, RequestBuilder, Tool};
use llm_exe_simulator::{Simulator, Step, ToolCall};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
struct OrderId {
    id: String,
}

#[derive(Serialize)]
struct Order {
    item: &'static str,
    cents: u32,
}

/// The input of an executor, whose fields the model fills in.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Complaint {
    text: String,
}

/// A refund, which a person approves.
#[derive(Deserialize, JsonSchema)]
struct Refund {
    order: String,
    /// The amount in cents.
    cents: u32,
}

async fn find_order(order: OrderId) -> Result<Order, String> {
    match &*order.id {
        "1234" => Ok(Order { item: "cup", cents: 540 }),
        other => Err(format!("there is no order {other}")),
    }
}

fn agent(client: &Client) -> Result<RequestBuilder, llm_exe::Error> {
    let prompt = client.request("openai:gpt-4o-mini").user("In one sentence: {{text}}");
    let summarize = client.executor::<Complaint, String>(prompt)?;
    let refund = Tool::with_arguments::<Refund>("refund", "Refunds money. A person approves it.");
    Ok(client
        .request("openai:gpt-4o")
        .system("You handle complaints. Look up the order first.")
        .user("Order 1234 arrived broken, and the box was wet.")
        .tool(Tool::function("find_order", "Returns an order.", find_order))
        .tool(summarize.as_tool("summarize", "Summarizes a complaint in one sentence."))
        .tool(refund)
        .on_turn(|turn| println!("turn {}: {:?}", turn.number, turn.reply.text()))
        .on_tool_run(|run| println!("  {} {}: {:?}", run.name, run.arguments, run.outcome)))
}

fn call(name: &str, arguments: serde_json::Value) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    let text = "Order 1234 arrived broken, and the box was wet.";
    let calls = vec![
        call("find_order", json!({ "id": "1234" })),
        call("summarize", json!({ "text": text })),
    ];
    simulator.script(vec![
        Step::tool_calls("I look up the order.", calls),
        Step::text("The cup of order 1234 broke in a wet box."),
        Step::tool_call("refund", json!({ "order": "1234", "cents": 540 })),
        Step::text("I am sorry. You receive $5.40 for the cup."),
    ]);
    let client = Client::builder()
        .key("openai", "simulated")
        .base_url("openai", simulator.openai_base_url())
        .build()?;

    let response = agent(&client)?.send().await?;
    let pending = response.pending_calls().ok_or("expected a call of refund")?;
    // A program would store this text, and continue when the person has decided.
    let stored = serde_json::to_string(&pending)?;

    let pending: PendingCalls = serde_json::from_str(&stored)?;
    let mut request = agent(&client)?.resume(&pending);
    for call in pending.calls() {
        let refund: Refund = call.arguments()?;
        request = match refund.cents {
            ..1000 => request.tool_result(call.id(), format!("{} is refunded", refund.order)),
            _ => request.tool_error(call.id(), "the manager rejected the refund"),
        };
    }
    let response = request.send().await?;
    println!("{}", response.clone().text()?);
    assert_eq!(response.text()?, "I am sorry. You receive $5.40 for the cup.");
    assert_eq!(simulator.journal().len(), 4);
    Ok(())
}
