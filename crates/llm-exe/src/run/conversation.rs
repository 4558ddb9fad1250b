//! A conversation with one provider: sends the prompt, checks the reply, and asks the model to
//! correct an unusable reply.

use std::time::Instant;

use serde_json::Value;

use super::call_provider::ProviderClient;
use super::check_reply::{CheckedReply, check_reply};
use super::context::Context;
use super::schema_prompt;
use crate::chat::{Chat, Message, Role, Structure};
use crate::error::{Error, ErrorKind};
use crate::plan::{Plan, Target};
use crate::providers::{BuiltRequest, Endpoint, build_request};
use crate::wire::WireRequest;

/// The name of the schema in requests to providers.
const SCHEMA_NAME: &str = "answer";

/// A conversation with one target. Creating it builds the first request but does not send it.
pub(super) struct Conversation<'a> {
    client: &'a ProviderClient,
    plan: &'a Plan,
    pub(super) target: &'a Target,
    endpoint: Endpoint,
    chat: Chat,
    pub(super) request: WireRequest,
    /// The warnings about options that the dialect dropped or changed in the request.
    pub(super) warnings: Vec<String>,
}

impl<'a> Conversation<'a> {
    /// Builds the first request to a target.
    ///
    /// # Errors
    /// `InvalidRequest` if the target does not support the messages, for example because they
    /// contain images.
    pub(super) fn new(
        client: &'a ProviderClient,
        plan: &'a Plan,
        target: &'a Target,
        mut messages: Vec<Message>,
    ) -> Result<Self, Error> {
        let dialect = target.provider.dialect();
        let mut structure = Structure::Free;
        if let Some(schema) = plan.output.schema_for_model() {
            structure = dialect.structure(&target.model, SCHEMA_NAME, schema);
            if matches!(structure, Structure::JsonMode | Structure::PromptOnly) {
                schema_prompt::add_schema(&mut messages, schema);
            }
        }
        convert_last_system(&mut messages);
        let sampling = target.sampling.clone();
        let chat = Chat { sampling, structure, ..Chat::new(&target.model, messages) };
        let endpoint = client.endpoints.resolve(&target.provider);
        let BuiltRequest { request, warnings } = build_request(dialect, &endpoint, &chat)?;
        Ok(Conversation { client, plan, target, endpoint, chat, request, warnings })
    }

    /// Calls the provider until a reply is accepted or the maximum number of repairs is reached.
    pub(super) async fn run(&mut self, context: &mut Context) -> Result<Value, Error> {
        context.report.set_target(self.target);
        context.report.add_warnings(std::mem::take(&mut self.warnings));
        let mut repairs_left = self.plan.output.repairs;
        loop {
            let started = Instant::now();
            let call = self.client.call(context, self.target, &self.chat, &self.request);
            let reply = call.await?;
            let unusable = match check_reply(self.plan, &self.chat.structure, &reply) {
                CheckedReply::Accepted(value, warnings) => {
                    context.report.add_warnings(warnings);
                    return Ok(value);
                }
                CheckedReply::Failed(error) => return Err(error),
                CheckedReply::Unusable(unusable) => unusable,
            };
            // A repair is billed, so it is attempted only if it is likely to finish before the
            // deadline.
            if repairs_left == 0 || context.deadline.left() < started.elapsed() {
                return Err(unusable.into_error(&reply));
            }
            repairs_left -= 1;
            context.report.repairs += 1;
            let expected = self.plan.output.parser.expected_form();
            schema_prompt::add_repair(&mut self.chat.messages, &reply, &unusable, &expected);
            let built = build_request(self.target.provider.dialect(), &self.endpoint, &self.chat)?;
            context.report.add_warnings(built.warnings);
            self.request = built.request;
        }
    }
}

/// Prefixes an error with the provider and the model, unless the error is about the request itself.
pub(super) fn name_target(error: Error, target: &Target) -> Error {
    match error.kind() {
        ErrorKind::InvalidRequest | ErrorKind::PromptInvalid => error,
        _ => error.in_context(&format!("{} {}", target.provider.name(), target.model)),
    }
}

/// Converts a system message at the end to a user message if there is no user message. Most APIs
/// require one, and so do the chat templates of many models that OpenAI-compatible servers run.
fn convert_last_system(messages: &mut [Message]) {
    let has_user = messages.iter().any(|message| message.role == Role::User);
    if let Some(last) = messages.last_mut()
        && last.role == Role::System
        && !has_user
    {
        last.role = Role::User;
    }
}
