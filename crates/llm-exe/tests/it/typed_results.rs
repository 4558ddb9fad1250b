//! Tests of results that are values of Rust types.

use std::collections::HashMap;

use llm_exe::parsers::OutputError;
use llm_exe::{Client, ErrorKind};
use llm_exe_simulator::{Simulator, Step};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const MODEL: &str = "openai:gpt-4o-mini";

/// The models of the types' tests, one for each way to make a reply match a schema: strict mode,
/// JSON mode, a forced tool, an open schema, and the schema of a grammar.
const MODELS: &[&str] = &[
    MODEL,
    "openai:gpt-4-turbo",
    "anthropic:claude-sonnet-4-5",
    "anthropic:claude-3-haiku-20240307",
    "google:gemini-2.5-flash",
    "ollama:qwen3",
];

async fn simulated() -> (Simulator, Client) {
    let simulator = Simulator::start().await.unwrap();
    let client = Client::builder()
        .base_url("openai", simulator.openai_base_url())
        .base_url("anthropic", simulator.anthropic_base_url())
        .base_url("google", simulator.gemini_base_url())
        .base_url("ollama", simulator.ollama_base_url())
        .keys(llm_exe::ConstantKey::new("test"))
        .parser("upper", |text: &str| match text {
            "" => Err(OutputError::new("empty")),
            text => Ok(json!(text.to_uppercase())),
        })
        .build()
        .unwrap();
    (simulator, client)
}

fn texts(simulator: &Simulator) -> Vec<Value> {
    let message = |body: &Value| body["messages"].as_array().unwrap().last().unwrap().clone();
    simulator.journal().iter().map(|call| message(&call.body)["content"].clone()).collect()
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Address {
    street: String,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Person {
    name: String,
    born: u16,
    height: Option<f64>,
    home: Option<Address>,
    #[serde(default)]
    tags: Vec<String>,
}

fn ada(born: u16) -> Person {
    Person { name: "Ada".to_owned(), born, height: None, home: None, tags: Vec::new() }
}

#[tokio::test]
async fn value_that_does_not_deserialize_is_repaired() {
    let (simulator, client) = simulated().await;
    // JSON Schema accepts 1815.0 as an integer, but serde does not.
    let script = || {
        let reply = r#"{"name": "Ada", "born": 1815.0, "height": null}"#;
        vec![Step::text(reply), Step::text(reply.replace(".0", ""))]
    };
    simulator.script(script());
    let request = client.request(MODEL).user("Who?");
    let response = request.clone().schema_of::<Person>().send().await.unwrap();
    assert_eq!((response.report().repairs, response.report().attempts), (1, 2));
    assert_eq!(response.parse::<Person>().unwrap(), ada(1815));
    let repair = texts(&simulator)[1].to_string();
    let expected = match cfg!(feature = "exact-numbers") {
        true => "born: invalid number, got 1815.0",
        false => "born: invalid type: floating point `1815.0`, expected u16",
    };
    assert!(repair.contains(expected), "{repair}");

    simulator.script(script());
    let executor = client.executor::<Value, Person>(request.clone()).unwrap();
    assert_eq!(executor.run(&json!({})).await.unwrap(), ada(1815));

    simulator.script(script());
    let request = request.output_option("repairs", 0);
    let error = request.extract::<Person>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputInvalid);
    assert!(error.message().contains(expected), "{error}");
    assert!(!error.for_log().contains("1815"), "{}", error.for_log());
}

#[tokio::test]
async fn value_that_does_not_deserialize_is_named_with_its_path() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text(r#"{"result": [{"Circle": {"radius": 300.0}}]}"#)]);
    #[derive(Debug, Deserialize, JsonSchema)]
    enum Round {
        Circle {
            #[expect(dead_code, reason = "the value is never made")]
            radius: u16,
        },
    }
    let request = client.request(MODEL).user("Hi").output_option("repairs", 0);
    let error = request.extract::<Vec<Round>>().await.unwrap_err();
    assert!(error.message().contains("type: [0].Circle.radius: invalid "), "{error}");
    assert!(error.message().contains("300.0"), "{error}");
}

/// A type that accepts less than its schema.
#[derive(Debug, PartialEq)]
struct Even(u8);

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            number if number % 2 == 0 => Ok(Even(number)),
            _ => Err(serde::de::Error::custom("expected an even number")),
        }
    }
}

impl JsonSchema for Even {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Even".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        u8::json_schema(generator)
    }
}

#[tokio::test]
async fn results_of_other_outputs_must_deserialize_too() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![
        Step::text("7"),
        Step::text("8"),
        Step::text("- a\n- b"),
        Step::text("x"),
    ]);
    let request = client.request(MODEL).user("Hi");
    let number = request.clone().output("number").output_option("repairs", 1);
    assert_eq!(number.extract::<Even>().await.unwrap(), Even(8));
    assert!(texts(&simulator)[1].to_string().contains("expected an even number"));
    let list = request.clone().output("listToArray");
    assert_eq!(list.extract::<Vec<String>>().await.unwrap(), ["a", "b"]);
    let upper = client.executor::<Value, String>(request.output("upper")).unwrap();
    assert_eq!(upper.run(&json!({})).await.unwrap(), "X");
}

#[tokio::test]
async fn schema_of_the_request_is_used_if_it_has_one() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text(r#"{"street": "Main"}"#)]);
    let schema = json!({"type": "object", "properties": {"street": {"enum": ["Main"]}}});
    let request = client.request(MODEL).user("Hi").schema(schema.as_object().unwrap().clone());
    let address: Address = request.extract().await.unwrap();
    assert_eq!(address.street, "Main");
    let sent = &simulator.journal()[0].body["response_format"]["json_schema"]["schema"];
    assert_eq!(*sent, schema);
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Tree {
    label: String,
    children: Vec<Tree>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Expression {
    Number(i32),
    Sum(Vec<Expression>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Color {
    /// Like blood.
    Red,
    Blue,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Shape {
    Point,
    Square(f64),
    Circle { radius: f64 },
    Place(Address),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Tagged {
    Circle { radius: f64, label: Option<String> },
    Place(Address),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "value")]
enum Adjacent {
    Count(u8),
    Name { first: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(f64),
    Place(Address),
    Text(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Flattened {
    id: u8,
    #[serde(flatten)]
    address: Address,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct FlattenedMap {
    id: u8,
    #[serde(flatten)]
    rest: HashMap<String, f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct FlattenedEnum {
    id: u8,
    #[serde(flatten)]
    shape: Tagged,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Closed {
    shape: Shape,
    color: Option<Color>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Wrapper(Address);

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Free {
    value: Value,
    pair: (u8, String),
    places: HashMap<String, Address>,
}

/// Extracts values that the simulator makes from the schema it receives, and returns whether OpenAI
/// guarantees the schema.
async fn extract_from_all<T: DeserializeOwned + JsonSchema>() -> bool {
    let (simulator, client) = simulated().await;
    for model in MODELS {
        let request = client.request(model).user("Hi").output_option("repairs", 0);
        let response = request.schema_of::<T>().send().await;
        let response = response.unwrap_or_else(|error| {
            let bodies: Vec<Value> =
                simulator.journal().iter().map(|call| call.body.clone()).collect();
            panic!("{model}, {}: {error:?}\n{bodies:?}", T::schema_name())
        });
        assert_eq!(response.report().warnings, Vec::<String>::new(), "{model}");
        response.parse::<T>().unwrap();
    }
    simulator.journal()[0].body["response_format"]["json_schema"]["strict"] == true
}

#[tokio::test]
async fn strict_mode_guarantees_the_schemas_of_most_types() {
    for (is_strict, name) in [
        (extract_from_all::<Person>().await, "Person"),
        (extract_from_all::<Tree>().await, "Tree"),
        (extract_from_all::<Box<Tree>>().await, "Box<Tree>"),
        (extract_from_all::<Vec<Tree>>().await, "Vec<Tree>"),
        (extract_from_all::<Expression>().await, "Expression"),
        (extract_from_all::<Color>().await, "Color"),
        (extract_from_all::<Shape>().await, "Shape"),
        (extract_from_all::<Tagged>().await, "Tagged"),
        (extract_from_all::<Adjacent>().await, "Adjacent"),
        (extract_from_all::<Untagged>().await, "Untagged"),
        (extract_from_all::<Flattened>().await, "Flattened"),
        (extract_from_all::<Closed>().await, "Closed"),
        (extract_from_all::<Wrapper>().await, "Wrapper"),
        (extract_from_all::<Vec<Tagged>>().await, "Vec<Tagged>"),
        (extract_from_all::<Option<Person>>().await, "Option<Person>"),
        (extract_from_all::<bool>().await, "bool"),
        (extract_from_all::<f32>().await, "f32"),
    ] {
        assert!(is_strict, "{name}");
    }
}

#[tokio::test]
async fn types_without_a_guarantee_are_extracted_too() {
    for (is_strict, name) in [
        (extract_from_all::<FlattenedMap>().await, "FlattenedMap"),
        (extract_from_all::<FlattenedEnum>().await, "FlattenedEnum"),
        (extract_from_all::<Free>().await, "Free"),
        (extract_from_all::<HashMap<String, f64>>().await, "HashMap<String, f64>"),
        (extract_from_all::<(u8, String)>().await, "(u8, String)"),
    ] {
        assert!(!is_strict, "{name}");
    }
}

/// Extracts a value from a reply.
async fn extract<T: DeserializeOwned + JsonSchema>(reply: &str) -> T {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text(reply)]);
    client.request(MODEL).user("Hi").extract().await.unwrap()
}

#[tokio::test]
async fn replies_may_omit_what_the_type_does_not_need() {
    assert_eq!(extract::<Person>(r#"{"name": "Ada", "born": 1815}"#).await, ada(1815));
    let reply = r#"{"name": "Ada", "born": 1815, "height": null, "home": null, "other": 1}"#;
    assert_eq!(extract::<Person>(reply).await, ada(1815));
    let place = Tagged::Place(Address { street: "Main".to_owned() });
    assert_eq!(extract::<Tagged>(r#"{"kind": "Place", "street": "Main"}"#).await, place);
    let reply = r#"{"result": {"kind": "Place", "street": "Main"}}"#;
    assert_eq!(extract::<Tagged>(reply).await, place);
    for reply in ["[1, 2]", r#"{"result": [1, 2]}"#, "Here: ```json\n{\"result\": [1, 2]}\n```"] {
        assert_eq!(extract::<Vec<u8>>(reply).await, [1, 2]);
    }
    assert_eq!(extract::<Option<Address>>(r#"{"result": null}"#).await, None);
    assert_eq!(extract::<Value>(r#"{"result": [1]}"#).await, json!({"result": [1]}));
    assert_eq!(extract::<String>(r#"{"result": "a"}"#).await, r#"{"result": "a"}"#);
}

#[tokio::test]
async fn wrapped_result_is_the_bare_value_in_the_response() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text(r#"{"result": ["a"]}"#)]);
    let request = client.request(MODEL).user("Hi").schema_of::<Vec<String>>();
    assert_eq!(request.send().await.unwrap().json(), json!(["a"]));
    let schema = &simulator.journal()[0].body["response_format"]["json_schema"]["schema"];
    assert_eq!(schema["required"], json!(["result"]));
}

#[tokio::test]
async fn misspelled_variable_is_an_error_for_typed_results_only() {
    let (simulator, client) = simulated().await;
    let request = client.request(MODEL).user("Hi {{nmae}}").data("name", "Ada");
    let expected =
        "message[0].content: `nmae` is not in data (did you mean name?) (line 1, column 6)";
    let error = request.clone().extract::<Person>().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::PromptInvalid, expected));

    let executor = client.executor::<Value, Person>(request.clone()).unwrap();
    let error = executor.run(&json!({"name": "Bob"})).await.unwrap_err();
    assert_eq!(error.message(), expected);
    assert_eq!(simulator.journal().len(), 0);

    simulator.script(vec![Step::text(r#"{"name": "Ada", "born": 1815}"#).times(2)]);
    let lenient = request.clone().strict_variables(false);
    assert_eq!(lenient.clone().extract::<Person>().await.unwrap(), ada(1815));
    let response = client.executor::<Value, Person>(lenient).unwrap().send(&json!({})).await;
    assert_eq!(response.unwrap().report().warnings, [expected]);
    simulator.script(vec![Step::text("Hello")]);
    assert_eq!(request.send().await.unwrap().report().warnings, [expected]);
}

#[tokio::test]
async fn response_of_an_executor_has_its_report_and_its_output() {
    let (simulator, client) = simulated().await;
    simulator.script(vec![Step::text(r#"{"street": "Main"}"#).times(2)]);
    let prompt = client.request(MODEL).user("Where?");
    let without_input = client.executor::<(), Address>(prompt).unwrap();
    assert_eq!(without_input.run(&()).await.unwrap().street, "Main");
    let prompt = client.request(MODEL).user("{{street}}?").temperature(0.5);
    let executor = client.executor::<Address, Address>(prompt).unwrap();
    let response = executor.send(&Address { street: "Main".to_owned() }).await.unwrap();
    assert!(response.report().usage.output_tokens > 0);
    assert_eq!(response.parse::<Address>().unwrap().street, "Main");
}

#[tokio::test]
async fn input_with_nan_is_an_error() {
    #[derive(Serialize)]
    struct Input {
        ratio: f64,
    }
    let (_simulator, client) = simulated().await;
    let executor = client.executor::<Input, String>(client.request(MODEL).user("{{ratio}}"));
    let error = executor.unwrap().run(&Input { ratio: f64::NAN }).await.unwrap_err();
    assert_eq!(error.message(), "data: can't be serialized: JSON can't represent the number NaN");
}

#[tokio::test]
async fn typed_results_are_streamed() {
    use llm_exe::{RunEvent, TypedItem};

    let (simulator, client) = simulated().await;
    let address = || Step::text(r#"{"street": "Elm Street 7"}"#);
    let expected = Address { street: "Elm Street 7".to_owned() };
    // A reply that does not fit is repaired, and its text is withdrawn.
    simulator.script(vec![Step::text("{}"), address(), address(), address()]);
    let request = client.request(MODEL).user("Where?");
    let mut stream = request.extract_stream::<Address>().await.unwrap();
    let (mut text, mut resets, mut result) = (String::new(), 0, None);
    while let Some(item) = stream.next().await {
        match item.unwrap() {
            TypedItem::Event(RunEvent::Text { delta, .. }) => text.push_str(&delta),
            TypedItem::Event(RunEvent::Reset { .. }) => {
                text.clear();
                resets += 1;
            }
            TypedItem::Result(address) => result = Some(address),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((&*text, resets), (r#"{"street": "Elm Street 7"}"#, 1));
    assert_eq!(result.as_ref(), Some(&expected));
    assert!(stream.next().await.is_none());
    let prompt = client.request(MODEL).user("Where does {{name}} live?");
    let executor = client.executor::<Value, Address>(prompt).unwrap();
    let stream = executor.stream(&json!({"name": "Ada"})).await.unwrap();
    assert_eq!(stream.result().await.unwrap(), expected);
    let stream = executor.stream(&json!({"name": "Ada"})).await.unwrap();
    let response = stream.response().await.unwrap();
    assert_eq!(response.report().attempts, 1);
    assert_eq!(response.parse::<Address>().unwrap(), expected);
    // An error before the first event is returned at once, and a later one is the last item.
    let error = executor.stream(&json!({"other": 1})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PromptInvalid, "{error}");
    simulator.script(vec![Step::text("no"), Step::text("no")]);
    let mut stream = executor.stream(&json!({"name": "Ada"})).await.unwrap();
    let mut last = None;
    while let Some(item) = stream.next().await {
        last = Some(item);
    }
    assert_eq!(last.unwrap().unwrap_err().kind(), ErrorKind::OutputInvalid);
    assert_eq!(texts(&simulator)[2], "Where does Ada live?");
}
