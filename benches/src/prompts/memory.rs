//! Measures the peak memory that rendering texts of several sizes needs. This program counts every
//! allocation.
//!
//! For each text, the program prints a line with two numbers: the size of the text and the peak
//! number of bytes that rendering allocated. `bench-prompts` runs this program and compares the
//! results with the target.

#![allow(clippy::print_stdout, reason = "this program prints figures")]

use llm_exe::prompt::{Limits, Scope, Template};
use peak_alloc::PeakAlloc;
use serde_json::{Map, Value};

#[global_allocator]
static COUNTED: PeakAlloc = PeakAlloc;

type Error = Box<dyn std::error::Error>;

/// The sizes of the texts, from 100 KB to 4 MB. Each text is 20% longer than the previous one, so
/// the measurements include sizes just above those at which a buffer grows.
const SMALLEST: f64 = 100e3;
const LARGEST: f64 = 4e6;
const STEP: f64 = 1.2;

/// A template that renders one line per order, similar to the prompt in `prompts/`.
const SOURCE: &str = "{{#each orders}}{{@index}}. {{id}}: {{#if paid}}{{upper note}}{{else}}\
    {{note}}{{/if}}\n{{/each}}";

fn main() -> Result<(), Error> {
    let template = Template::compile(SOURCE).map_err(|problems| format!("{problems:?}"))?;
    let mut size = SMALLEST;
    loop {
        let (text, peak) = render(&template, size)?;
        println!("{text} {peak}");
        if size >= LARGEST {
            return Ok(());
        }
        size = (size * STEP).min(LARGEST);
    }
}

/// Renders a text of about `size` bytes. Returns the text's actual size and the peak number of
/// bytes that rendering allocated.
fn render(template: &Template, size: f64) -> Result<(usize, usize), Error> {
    let note = "Please leave it with the neighbours if no one is there. ".repeat(3);
    let order = |index: usize| -> Value {
        let fields = [
            ("id", Value::from(format!("O-{index}"))),
            ("paid", Value::from(index.is_multiple_of(2))),
            ("note", Value::from(note.as_str())),
        ];
        Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
    };
    let lines = (size / 183.0) as usize;
    let orders: Vec<Value> = (0..lines).map(order).collect();
    let data: Map<String, Value> =
        [("orders".to_owned(), Value::from(orders))].into_iter().collect();
    let before = COUNTED.current_usage();
    COUNTED.reset_peak_usage();
    let rendered =
        template.render(&Scope { data: &data, more: &[], extra: &[] }, &Limits::default())?;
    Ok((rendered.text.len(), COUNTED.peak_usage().saturating_sub(before)))
}
