//! Decodes streamed responses. A stream is split into events ([`text_events`], [`frames`]), and
//! an [`Assembler`] of the dialect joins them to the body of the response that the API would have
//! sent in one piece. The dialect then reads this body like any other, so streamed and unstreamed
//! replies have one reader.

mod decoder;
mod event;
mod frames;
mod joined_object;
mod surrogates;
mod text_events;

pub(super) use decoder::{Assembler, Decoder, EventOutcome, Framing};
pub(super) use event::{
    OnEvent, StreamEvent, error_body, field, index_field, non_blank_field, object_field, text_field,
};
pub(super) use joined_object::JoinedObject;
pub(super) use surrogates::PairJoiner;
