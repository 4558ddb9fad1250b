//! What the functions of tools return.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;

/// The return type of the function of a tool: a `Result`, whose error is reported to the model, or
/// a value that can't fail.
///
/// A `Result<T, E>` needs a `T` that implements `Serialize` and an `E` that implements `Display`.
/// Strings, numbers, lists, maps and [`Value`] can be returned directly, and any other type that
/// implements `Serialize` in [`Json`].
///
/// The model receives a string as it is, any other value as JSON, and `ok` for `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the result of a tool",
    note = "return a `Result` of a type that implements `Serialize` and an error that implements \
            `Display`, or wrap the value: `llm_exe::Json(value)`"
)]
pub trait ToolOutput {
    /// Converts the output to JSON.
    ///
    /// # Errors
    /// Why the tool failed, for the model.
    fn into_output(self) -> Result<Value, String>;
}

/// A value that is the result of a tool.
///
/// ```
/// use llm_exe::{Json, Tool};
///
/// #[derive(serde::Serialize)]
/// struct Time {
///     hour: u8,
/// }
///
/// let time = |_: ()| async { Json(Time { hour: 7 }) };
/// let tool = Tool::function("time", "Returns the time.", time);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize> ToolOutput for Json<T> {
    fn into_output(self) -> Result<Value, String> {
        to_output(&self.0)
    }
}

impl<T: Serialize, E: Display> ToolOutput for Result<T, E> {
    fn into_output(self) -> Result<Value, String> {
        self.map_err(|error| error.to_string()).and_then(|value| to_output(&value))
    }
}

/// Implements the trait for types that implement `Serialize`.
macro_rules! serialized_outputs {
    ($($type:ty $(where $($bound:ident),+)?;)+) => {
        $(impl $(<$($bound: Serialize),+>)? ToolOutput for $type {
            fn into_output(self) -> Result<Value, String> {
                to_output(&self)
            }
        })+
    };
}

serialized_outputs! {
    ();
    Value;
    String;
    &'static str;
    Cow<'static, str>;
    bool;
    u8;
    u16;
    u32;
    u64;
    usize;
    i8;
    i16;
    i32;
    i64;
    isize;
    f32;
    f64;
    Option<T> where T;
    Vec<T> where T;
    BTreeMap<String, T> where T;
    HashMap<String, T> where T;
}

fn to_output<T: Serialize>(value: &T) -> Result<Value, String> {
    match crate::json::to_value(value) {
        // A type without a value, such as `()`, is an empty result.
        Ok(Value::Null) if size_of::<T>() == 0 => Ok(Value::String(String::new())),
        Ok(value) => Ok(value),
        Err(error) => Err(format!("the result can't be serialized: {error}")),
    }
}
