//! Tests the limits of templates. Rendering any template with any data must end within the limits
//! and return either a string or a problem.

use std::time::{Duration, Instant};

use llm_exe::prompt::{Limits, Partials, ProblemKind, Scope, Template, TemplateProblem};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const LIMITS: Limits = Limits { depth: 200, bytes: 1 << 20, time: Duration::from_millis(300) };

fn render(template: &Template, data: &Value) -> Result<String, TemplateProblem> {
    let data = data.as_object().unwrap();
    template.render(&Scope { data, more: &[], extra: &[] }, &LIMITS).map(|rendered| rendered.text)
}

/// Compiles and renders a template. Panics if this takes more than five seconds of CPU time.
fn run(source: &str, partials: &[(&str, &str)], data: &Value) -> Result<String, ProblemKind> {
    let started = cpu_time();
    let mut all = Partials::builtin();
    for (name, source) in partials {
        all.add(name, source).unwrap();
    }
    let result = Template::compile_with(source, &all)
        .map_err(|problems| problems[0].kind)
        .and_then(|template| render(&template, data).map_err(|problem| problem.kind));
    let elapsed = cpu_time() - started;
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    result
}

/// Returns the CPU time of this thread on Linux, so that other programs do not affect the test. On
/// other systems, returns the elapsed time.
fn cpu_time() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = schedstat.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

#[test]
fn deep_nesting_is_too_deep() {
    let deep = |open: &str, close: &str| open.repeat(10_000) + "x" + &close.repeat(10_000);
    for source in [
        deep("{{#if t}}", "{{/if}}"),
        deep("{{#if t}}", ""),
        deep("{{^t}}", "{{/t}}"),
        deep("{{#> p}}", "{{/p}}"),
        deep("{{#*inline 'p'}}", "{{/inline}}"),
        deep("{{#if t}}a{{else}}", "{{/if}}"),
        format!("{{{{#if {}t{}}}}}{{{{/if}}}}", "(lookup ".repeat(10_000), " 'x')".repeat(10_000)),
        format!("{{{{x {}}}}}", "(".repeat(10_000)),
        format!("{{{{> {}}}}}", "(a ".repeat(10_000)),
    ] {
        let kind = run(&source, &[], &json!({"t": true})).unwrap_err();
        let has_no_name = source.contains("((");
        assert_eq!(kind, if has_no_name { ProblemKind::Syntax } else { ProblemKind::TooDeep });
    }
}

#[test]
fn long_sources_compile_in_time() {
    let many = |part: &str| part.repeat(100_000);
    let data = json!({"t": true, "a": 1});
    let sources = [
        many("{"),
        many("}"),
        many("{{{"),
        many("{{{\""),
        many("{{{["),
        many("\\{{"),
        many("\\\\{{a}}"),
        many("{{a}}"),
        many("{{{{t}}}}") + &many("{{{{/t}}}}"),
        many("{{{{a"),
        many("{{!-- "),
        many("{{! "),
        many("{{foo 1}}"),
        many("{{> foo}}"),
        many(" \n"),
        many("  {{! c }}\n"),
        many("{{nope}}\n"),
        format!("{{{{a{}}}}}", many(".b")),
        format!("{{{{lookup {}}}}}", many("a ")),
        format!("{{{{> MarkdownCode {}}}}}", many("a=1 ")),
        format!("{{{{#each t as |{}|}}}}{{{{/each}}}}", many("a ")),
        format!("{{{{#if f}}}}{}{{{{/if}}}}", many("{{else if f}}x")),
        format!("{{{{#if f}}}}{}{{{{/if}}}}", many("{{else}}x")),
        format!("{}{{{{#if t}}}}x{{{{/if}}}}{}", many(" "), many(" ")),
        many("{{#*inline 'a'}}x{{/inline}}"),
        format!(
            "{}{{{{> a99999}}}}",
            (0..100_000).fold(String::new(), |all, index| {
                all + &format!("{{{{#*inline 'a{index}'}}}}{{{{/inline}}}}")
            })
        ),
    ];
    for source in sources {
        let _ = run(&source, &[], &data);
    }
}

#[test]
fn recursion_is_too_deep() {
    for source in [
        "{{> p}}",
        "{{> p}}{{> p}}",
        "{{#> p}}{{> p}}{{/p}}",
        "{{#> p}}{{> @partial-block}}{{/p}}",
        "{{> @partial-block}}{{#> p}}{{> @partial-block}}{{/p}}",
        "{{#each l}}{{> p ..}}{{/each}}",
        "{{> (lookup . 'p')}}",
        "{{#*inline 'i'}}{{> p}}{{/inline}}{{> i}}",
        "  {{> p}}\n",
        "{{> p a=(join l)}}",
    ] {
        let data = json!({"l": [1, 2], "p": "p"});
        assert_eq!(run("{{#> p}}{{/p}}", &[("p", source)], &data), Err(ProblemKind::TooDeep));
    }
}

#[test]
fn long_loops_exceed_a_limit() {
    let list: Vec<u32> = (0..1000).collect();
    let data = json!({"l": list, "t": "x".repeat(1000), "o": {"a": {"b": 1}}});
    let nested = |inside: &str| "{{#each @root.l}}".repeat(8) + inside + &"{{/each}}".repeat(8);
    let assert_stops = |source: &str, partials: &[(&str, &str)]| {
        let kind = run(source, partials, &data).unwrap_err();
        assert!(matches!(kind, ProblemKind::TooSlow | ProblemKind::TooLarge), "{kind:?}");
    };
    for inside in [
        "",
        "{{#if a}}{{/if}}",
        "{{log this}}",
        "{{this}}",
        "{{@root.t}}",
        "{{> MarkdownCode code='x'}}",
        "{{json @root.l}}",
        "{{#if (eq (join @root.l) 'x')}}{{/if}}",
    ] {
        assert_stops(&nested(inside), &[]);
    }
    // Each partial includes the next partial twice, so the calls form a tree with 2^41 leaves.
    let names: Vec<String> = (0..41).map(|index| format!("p{index}")).collect();
    let sources: Vec<String> =
        (0..41).map(|index| format!("{{{{> p{0}}}}}{{{{> p{0}}}}}", index + 1)).collect();
    for leaf in ["", "leaf"] {
        let mut partials: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
        partials.push(("p41", leaf));
        assert_stops("{{> p0}}", &partials);
    }
    // These partials indent the same lines again at every level.
    let indented = "{{#if l}}\n    {{> p l=(lookup . 'no')}}\n    {{> q}}\n{{/if}}\n";
    let _ = run("{{> p}}", &[("p", indented), ("q", "1\n2\n3\n")], &data);
}

/// The time of a match grows with the sizes of the pattern and the text, so both sizes are limited.
#[test]
fn patterns_stay_within_the_limits() {
    let text = "a".repeat(1 << 20);
    let long = "{".repeat(1 << 20);
    let braces = format!("{{x{}", "}".repeat(1 << 20));
    let data = json!({"text": text, "long": long, "braces": braces, "short": "a".repeat(1000)});
    for source in [
        "{{cut text '[^b]{1,1000}$'}}",
        "{{cut text '(a?){1000}b'}}",
        "{{cut text '(a*)*(a*)*(a*)*b'}}",
        "{{cut text '(a[^z]*z|a)'}}",
        "{{cut short long}}",
        "{{cut short braces}}",
    ] {
        let _ = run(source, &[], &data);
    }
    let typical = "{{cut short '[^b]{1,100}$'}}{{cut (cut short '[0-9]+') 'a+'}}";
    assert_eq!(run(typical, &[], &data), Ok("a".repeat(900)));
}

#[test]
fn helpers_stay_within_the_limits() {
    let big = "aé".repeat(400_000);
    let mut deep = json!(1);
    for _ in 0..300 {
        deep = json!([deep]);
    }
    let wide: Map<String, Value> = (0..50_000).map(|n| (format!("k{n}"), json!(n))).collect();
    let data = json!({"big": big, "deep": deep, "wide": wide, "l": vec![1; 100_000]});
    for source in [
        "{{deep}}",
        "{{json deep indent=10}}",
        "{{upper big}}{{lower big}}",
        "{{trim (upper (lower (upper big)))}}",
        "{{objectToList big}}",
        "{{#each l}}{{upper @root.big}}{{/each}}",
        "{{#each l}}{{@root.big.length}}{{/each}}",
        "{{#each l}}{{lookup @root.big 799999}}{{/each}}",
        "{{#each l}}{{substring @root.big 1 700000}}{{/each}}",
        "{{#each l}}{{#ifCond @root.big '<' @root.big}}{{/ifCond}}{{/each}}",
        "{{#each l}}{{#if (getKeyOr @root.big 1)}}{{/if}}{{/each}}",
        "{{#each l}}{{#if (trim (upper @root.big))}}{{/if}}{{/each}}",
        "{{#each l}}{{#with (objectToList @root.wide)}}{{/with}}{{/each}}",
        "{{#each l}}{{#with (json @root.wide indent=10)}}{{/with}}{{/each}}",
        "{{#each l}}{{#eq this @root.l}}{{/eq}}{{/each}}",
        "{{#each l}}{{#ifCond this '==' @root.l}}{{/ifCond}}{{../big}}{{/each}}",
        "{{#> p big y=1}}{{#each this}}{{/each}}{{/p}}",
        "{{#each l}}{{cut @root.big '(a*)*(b*)*c'}}{{/each}}",
        "{{#each l}}{{cut @root.big '[^é]{1,500}$'}}{{/each}}",
        "{{cut big 'a{1000}{1000}'}}",
        "{{cut big '(((a{50}){50}){50}){50}'}}",
        "{{cut big '((((((((((a*)*)*)*)*)*)*)*)*)*)*x'}}",
        "{{pluralize big 2}}",
        "{{jsonSchemaExample 'wide.a.b.c' big}}",
    ] {
        let _ = run(source, &[], &data);
    }
}

/// Fragments of templates, most of which are tags.
const PARTS: &[&str] = &[
    "{{a}}",
    "{{{b}}}",
    "{{&c}}",
    "{{a.b}}",
    "{{../a}}",
    "{{this}}",
    "{{.}}",
    "{{@index}}",
    "{{@root.a}}",
    "{{@../key}}",
    "{{#if a}}",
    "{{else if b}}",
    "{{else}}",
    "{{/if}}",
    "{{#each a}}",
    "{{#each this as |x i|}}",
    "{{x}}{{i}}",
    "{{/each}}",
    "{{#with b}}",
    "{{/with}}",
    "{{#a}}",
    "{{/a}}",
    "{{^b}}",
    "{{/b}}",
    "{{! c }}",
    "{{!-- c --}}",
    "{{~a~}}",
    "\\{{a}}",
    "\\\\{{a}}",
    "{{{{a}}}}",
    "{{{{/a}}}}",
    "{{> p}}",
    "{{> p b x=a}}",
    "{{#> p}}",
    "{{/p}}",
    "{{> @partial-block}}",
    "{{#*inline 'i'}}",
    "{{/inline}}",
    "{{> i}}",
    "{{> (lookup . 'a')}}",
    "{{lookup a 0}}",
    "{{json this}}",
    "{{join a}}",
    "{{upper b}}",
    "{{#eq a 'x'}}",
    "{{/eq}}",
    "{{default a b}}",
    "{{cut b a}}",
    "{{substring b 1 2}}",
    "{{getKeyOr 'a.b' c}}",
    "{{> DialogueHistory key='a'}}",
    "{{objectToList this}}",
    "{{indentJson a}}",
    "{{a.length}}",
    "{{[a b]}}",
    "{{\"a\"}}",
    "{",
    "}",
    "{{",
    "}}",
    "\n",
    " ",
    "  \n",
    "\r\n",
    "x",
    "é😀",
    "\"",
    "(",
    "|",
    "~",
    "@",
];

/// Generates a fragment of a template, which is usually a tag.
fn part() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(PARTS);
    prop_oneof![8 => fixed.prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn source() -> impl Strategy<Value = String> {
    prop::collection::vec(part(), 0..24).prop_map(|parts| parts.concat())
}

/// Generates a value for the data. Many of its strings contain a tag.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!("{{secret}}")),
        Just(json!("{{{secret}}} \\{{secret}} {{> (lookup . 'secret')}}")),
        Just(json!("{{#with @root}}{{secret}}{{/with}}")),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-c0-2]|role|content", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn data() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::hash_map("[a-cxp]", value(), 0..5).prop_map(|map| map.into_iter().collect())
}

/// The value of the variable `secret`. Only tags inside the data refer to this variable, so the
/// value must never appear in the output.
const SECRET: &str = "s3cr3t";

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_template_ends_within_the_limits(
        source in source(),
        partial in source(),
        data in data(),
    ) {
        let mut partials = Partials::builtin();
        let _ = partials.add("p", &partial);
        let secret = json!(SECRET);
        let extra = [("secret", &secret)];
        let scope = Scope { data: &data, more: &[], extra: &extra };
        let limits = Limits { bytes: 10_000, ..LIMITS };
        match Template::compile_with(&source, &partials) {
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    let lines = source.split('\n').count().max(partial.split('\n').count());
                    prop_assert!((1..=lines).contains(&problem.line), "{problem}");
                    prop_assert!(problem.shown_line.chars().count() <= 122);
                }
            }
            Ok(template) => {
                let rendered = template.render(&scope, &limits);
                prop_assert_eq!(&rendered, &template.render(&scope, &limits));
                if let Ok(rendered) = rendered {
                    prop_assert!(rendered.text.len() <= limits.bytes);
                    prop_assert!(!rendered.text.contains(SECRET), "{}", rendered.text);
                    for missing in rendered.missing {
                        prop_assert!(missing.line >= 1 && missing.column >= 1);
                    }
                }
            }
        }
    }

    #[test]
    fn any_text_compiles_or_has_problems(
        source in ".{0,64}",
        braces in "[{}~#/^>!&*\"'\\[\\]().|@= a\\\\-]{0,40}",
    ) {
        let _ = Template::compile(&source);
        let _ = Template::compile(&braces);
        let _ = Template::compile(&format!("{{{{{braces}}}}}"));
    }

    #[test]
    fn text_without_braces_renders_unchanged(source in "[^{\\\\]{0,64}") {
        let rendered = render(&Template::compile(&source).unwrap(), &json!({}));
        prop_assert_eq!(rendered.unwrap(), source);
    }
}
