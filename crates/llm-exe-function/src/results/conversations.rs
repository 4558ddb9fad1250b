//! Stores the conversations whose calls of tools are handed back, so that the caller can continue
//! them by their id without receiving the prompt.
//!
//! Each conversation is an object that is written once: `{prefix}/conversations/{id}.json`.

use bytes::Bytes;
use llm_exe::{
    ContinuedConversation, Deadline, Error, ErrorKind, Run, UNKNOWN_CONVERSATION, hex, json,
};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Results;
use super::stored_result::hash_parts;
use crate::destination::ResultPrefix;
use crate::ports::{Precondition, WriteOutcome};

/// The field of a request with the id of a stored conversation.
const CONTINUE: &str = "continue";
/// The field of a request and of a result with a conversation.
const CONVERSATION: &str = "conversation";
/// Length of an id in bytes. It can't be guessed.
const ID_BYTES: usize = 32;
/// Maximum size of a conversation in a result, in bytes. Step Functions passes at most 256 KiB, and
/// the result is part of the state.
const MAX_RETURNED_BYTES: usize = 128 * 1024;

/// A conversation as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredConversation {
    /// The hash of the caller who may continue the conversation.
    caller: String,
    /// The location of the pinned config whose prompt the conversation contains. Only a request
    /// with this config may continue it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pinned_config: Option<String>,
    conversation: Map<String, Value>,
}

impl Results {
    /// Removes `continue` from a request and reads the conversation. Returns it with its id, or
    /// `None` if the request continues no stored conversation.
    ///
    /// # Errors
    /// `InvalidRequest` if the id is not that of a conversation of this caller, or if the request
    /// contains a conversation too, and the errors of reading an object.
    pub(super) async fn take_conversation(
        &self,
        prefix: &ResultPrefix,
        body: &mut Value,
        caller: &str,
        deadline: Deadline,
    ) -> Result<Option<(String, ContinuedConversation)>, Error> {
        let Some(fields) = body.as_object_mut() else { return Ok(None) };
        let id = match fields.shift_remove(CONTINUE) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(id)) => id,
            Some(other) => {
                let received = json::shown(&other);
                return Err(Error::invalid(CONTINUE, format!("expected a string, got {received}")));
            }
        };
        if fields.get(CONVERSATION).is_some_and(|value| !value.is_null()) {
            let text = "can't be combined with conversation; send only one of them";
            return Err(Error::invalid(CONTINUE, text));
        }
        // The same message for all ids, so that it does not show which of them exist.
        let unknown = || Error::invalid(CONTINUE, UNKNOWN_CONVERSATION);
        let is_id = id.len() == 2 * ID_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return Err(unknown());
        }
        let place = prefix.object(&object_name(&id));
        let object = self.store.read(&place, deadline).await?.ok_or_else(unknown)?;
        let stored: StoredConversation =
            serde_json::from_slice(&object.body).map_err(|_| super::unreadable(&place))?;
        if stored.caller != hash_parts(&[caller]) {
            return Err(unknown());
        }
        let StoredConversation { pinned_config, conversation, .. } = stored;
        Ok(Some((id, ContinuedConversation { pinned_config, conversation })))
    }

    /// Stores the conversation of a run that hands calls back, and adds its id to the result. A
    /// conversation that the caller may not see, or that is too large, is removed from the result.
    pub(super) async fn store_conversation(
        &self,
        prefix: &ResultPrefix,
        mut run: Run,
        caller: &str,
        deadline: Deadline,
    ) -> Run {
        let Ok(Value::Object(result)) = &mut run.outcome else { return run };
        let Some(Value::Object(conversation)) = result.shift_remove(CONVERSATION) else {
            return run;
        };
        let config = run.report.config.as_ref().filter(|_| run.report.is_pinned);
        let pinned_config = config.map(|source| source.location.clone());
        let stored =
            StoredConversation { caller: hash_parts(&[caller]), pinned_config, conversation };
        let Ok(body) = serde_json::to_vec(&stored) else {
            let text = "the conversation can't be serialized";
            run.outcome = Err(Error::new(ErrorKind::Internal, text));
            return run;
        };
        let is_returned = !run.report.is_pinned && body.len() <= MAX_RETURNED_BYTES;
        let written = self.write_conversation(prefix, body, deadline).await;
        if let Ok(id) = &written {
            result.insert(CONTINUE.to_owned(), Value::from(id.as_str()));
        }
        if is_returned {
            result.insert(CONVERSATION.to_owned(), Value::Object(stored.conversation));
        }
        match written {
            Err(error) if !is_returned => run.outcome = Err(error),
            Err(error) => {
                // The turns are paid for, and the caller can continue with the conversation.
                let text = format!("the conversation could not be stored ({})", error.kind());
                run.report.warnings.push(text);
            }
            Ok(_) => {}
        }
        run
    }

    /// Writes a conversation and returns its id.
    async fn write_conversation(
        &self,
        prefix: &ResultPrefix,
        body: Vec<u8>,
        deadline: Deadline,
    ) -> Result<String, Error> {
        let mut bytes = [0; ID_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| {
            Error::new(ErrorKind::Internal, "the system has no source of random numbers")
        })?;
        let id = hex(&bytes);
        let place = prefix.object(&object_name(&id));
        let condition = Precondition::Absent;
        match self.store.write(&place, Bytes::from(body), condition, deadline).await? {
            // After a lost response, the object of an earlier attempt is the same one, because no
            // other process knows the id.
            WriteOutcome::Done(_) | WriteOutcome::Unmet => Ok(id),
        }
    }
}

fn object_name(id: &str) -> String {
    format!("conversations/{id}.json")
}
