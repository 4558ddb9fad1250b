//! Records the spans of a run: the run and its steps, the calls of providers, and the tools.

use http::Uri;

use super::context::Context;
use super::outcome::Run;
use super::report::{PaidCounts, Report};
use crate::chat::{Chat, Reply, Structure, ToolCall, Usage};
use crate::error::Error;
use crate::plan::Target;
use crate::ports::Secret;
use crate::providers::Cost;
use crate::trace::{self, AttributeValue, OpenSpan};
use crate::wire::WireRequest;

/// Starts the span of a run, in which the further spans of the context are.
pub(super) fn start_run(context: &mut Context) -> Option<Box<OpenSpan>> {
    let span = context.trace.as_ref()?.start(trace::INVOKE_WORKFLOW, None);
    context.trace = Some(span.scope());
    // The secrets are collected, so that they can be removed from contents.
    context.share_state();
    Some(Box::new(span))
}

/// Starts the span of a step of a chain, or of one of its items.
pub(super) fn start_step(
    context: &mut Context,
    name: &str,
    item: Option<usize>,
) -> Option<Box<OpenSpan>> {
    let mut span = context.trace.as_ref()?.start(trace::INVOKE_WORKFLOW, Some(name));
    span.add(trace::AGENT_NAME, name.to_owned());
    span.add_some(trace::ITEM, item.and_then(|item| u64::try_from(item).ok()));
    context.trace = Some(span.scope());
    Some(Box::new(span))
}

/// Ends the span of a run or a step.
pub(super) fn end_run(span: Option<Box<OpenSpan>>, run: &Run) {
    let Some(mut span) = span else { return };
    add_report(&mut span, &run.report);
    match &run.outcome {
        Ok(_) => span.succeed(),
        Err(error) => span.fail(error),
    }
}

fn add_report(span: &mut OpenSpan, report: &Report) {
    if let Some(place) = &report.config_place {
        span.set_target(place);
        span.add(trace::AGENT_NAME, place.clone());
    }
    if let Some(provider) = &report.provider {
        span.add(trace::PROVIDER_NAME, trace::provider_name(provider).to_owned());
    }
    span.add_some(trace::REQUEST_MODEL, report.model.clone());
    span.add_some(trace::PROMPT_HASH, report.prompt_hash.clone());
    for (name, value) in report.tags.iter().flat_map(|tags| tags.iter()) {
        span.add(format!("{}{name}", trace::TAG), value.clone());
    }
    // An earlier run of the same request has recorded what it paid for.
    let PaidCounts { attempts, repairs, usage, cost } = report.paid_counts();
    if attempts > 0 {
        span.add(trace::ATTEMPTS, u64::from(attempts));
        span.add(trace::REPAIRS, u64::from(repairs));
    }
    if usage != Usage::default() {
        span.add_usage(usage);
        add_cost(span, cost.as_ref().and_then(Cost::usd));
    }
}

/// Adds the cost in US dollars, if it is known.
fn add_cost(span: &mut OpenSpan, usd: Option<String>) {
    let usd = usd.and_then(|usd| usd.parse().ok());
    span.add_some(trace::COST, usd.map(AttributeValue::Number));
}

/// The span of a call of a provider, and what the report contained before it.
pub(super) struct ChatSpan {
    span: OpenSpan,
    usage: Usage,
    cost: Option<Cost>,
    attempts: u32,
}

/// Starts the span of a call of a provider.
pub(super) fn start_chat(
    context: &Context,
    target: &Target,
    chat: &Chat,
    request: &WireRequest,
) -> Option<Box<ChatSpan>> {
    let mut span = context.trace.as_ref()?.start(trace::CHAT, Some(&target.model));
    let provider = target.provider.name();
    span.add(trace::PROVIDER_NAME, trace::provider_name(provider).to_owned());
    span.add(trace::REQUEST_MODEL, target.model.clone());
    if let Ok(url) = request.url.parse::<Uri>()
        && let Some(host) = url.host()
    {
        let default = if url.scheme_str() == Some("http") { 80 } else { 443 };
        span.add(trace::SERVER_ADDRESS, host.to_owned());
        span.add(trace::SERVER_PORT, u64::from(url.port_u16().unwrap_or(default)));
    }
    let output = if chat.structure == Structure::Free { "text" } else { "json" };
    span.add(trace::OUTPUT_TYPE, output);
    let sampling = &chat.sampling;
    for (name, value) in [
        (trace::REQUEST_TEMPERATURE, sampling.temperature),
        (trace::REQUEST_TOP_P, sampling.top_p),
        (trace::REQUEST_FREQUENCY_PENALTY, sampling.frequency_penalty),
        (trace::REQUEST_PRESENCE_PENALTY, sampling.presence_penalty),
    ] {
        span.add_some(name, value.map(AttributeValue::Number));
    }
    span.add_some(trace::REQUEST_MAX_TOKENS, sampling.max_tokens);
    span.add_some(trace::REQUEST_TOP_K, sampling.top_k);
    span.add_some(trace::REQUEST_SEED, sampling.seed.map(AttributeValue::Integer));
    if !sampling.stop_sequences.is_empty() {
        let sequences = AttributeValue::Texts(sampling.stop_sequences.clone());
        span.add(trace::REQUEST_STOP_SEQUENCES, sequences);
    }
    if chat.stream {
        span.add(trace::REQUEST_STREAM, AttributeValue::Flag(true));
    }
    let report = &context.report;
    let (usage, cost, attempts) = (report.usage, report.cost().copied(), report.attempts);
    Some(Box::new(ChatSpan { span, usage, cost, attempts }))
}

/// Ends the span of a call of a provider.
pub(super) fn end_chat(
    span: Option<Box<ChatSpan>>,
    context: &Context,
    chat: &Chat,
    outcome: Result<&Reply, &Error>,
) {
    let Some(span) = span else { return };
    let ChatSpan { mut span, usage, cost, attempts } = *span;
    let report = &context.report;
    span.add(trace::ATTEMPTS, u64::from(report.attempts.saturating_sub(attempts)));
    // A call without a reply can be billed, but its tokens and its cost are not known.
    if report.usage != usage {
        span.add_usage(report.usage.since(usage));
        add_cost(&mut span, report.cost().and_then(|total| total.usd_since(cost.as_ref())));
    }
    let secrets = context.secrets();
    let secrets: Vec<&str> = secrets.iter().map(Secret::expose).collect();
    span.add_content(trace::INPUT_MESSAGES, || trace::input_messages(&chat.messages, &secrets));
    match outcome {
        Ok(reply) => {
            let reason = reply.provider_stop_reason.as_deref().unwrap_or(reply.stop_reason.name());
            let reasons = AttributeValue::Texts(vec![reason.to_owned()]);
            span.add(trace::RESPONSE_FINISH_REASONS, reasons);
            span.add_some(trace::RESPONSE_ID, reply.id.clone());
            span.add_some(trace::RESPONSE_MODEL, report.answered_model.clone());
            span.add_content(trace::OUTPUT_MESSAGES, || trace::output_messages(reply, &secrets));
            span.succeed();
        }
        Err(error) => span.fail(error),
    }
}

/// Starts the span of a run of a tool.
pub(super) fn start_tool(context: &Context, call: &ToolCall, turn: u32) -> Option<Box<OpenSpan>> {
    let mut span = context.trace.as_ref()?.start(trace::EXECUTE_TOOL, Some(&call.name));
    span.add(trace::TOOL_NAME, call.name.clone());
    span.add(trace::TOOL_TYPE, "function");
    span.add(trace::TOOL_CALL_ID, call.id.clone());
    span.add(trace::TURN, u64::from(turn));
    Some(Box::new(span))
}

/// Ends the span of a run of a tool. The error of a tool is content, because the tool wrote it.
pub(super) fn end_tool(
    span: Option<Box<OpenSpan>>,
    call: &ToolCall,
    outcome: &Result<String, String>,
    secrets: &[Secret],
) {
    let Some(mut span) = span else { return };
    let secrets: Vec<&str> = secrets.iter().map(Secret::expose).collect();
    let content = |text: &str| trace::content_text(text, &secrets);
    span.add_content(trace::TOOL_CALL_ARGUMENTS, || content(&call.arguments));
    let (Ok(text) | Err(text)) = outcome;
    span.add_content(trace::TOOL_CALL_RESULT, || content(text));
    match outcome {
        Ok(_) => span.succeed(),
        Err(_) => span.fail_as("ToolFailed"),
    }
}
