// The settings of the function. Written by scripts/update.

/** The settings of the function and the values that they accept. */
export const SETTINGS = [
  {
    "name": "STACK_NAME",
    "kind": "text"
  },
  {
    "name": "SECRET_CACHE_SECONDS",
    "kind": "number",
    "min": 0,
    "max": 86400
  },
  {
    "name": "ENDPOINT_AUTH",
    "kind": "word",
    "words": [
      "AWS_IAM",
      "API_KEY",
      "NONE"
    ]
  },
  {
    "name": "HTTP_DEADLINE_SECONDS",
    "kind": "number",
    "min": 1,
    "max": 900
  },
  {
    "name": "RESPONSE_STREAMING",
    "kind": "text"
  },
  {
    "name": "STRICT_VARIABLES",
    "kind": "word",
    "words": [
      "true",
      "false"
    ]
  },
  {
    "name": "STRICT_OPTIONS",
    "kind": "word",
    "words": [
      "true",
      "false"
    ]
  },
  {
    "name": "STRICT",
    "kind": "word",
    "words": [
      "true",
      "false"
    ]
  },
  {
    "name": "OPENAI_API_MODE",
    "kind": "word",
    "words": [
      "auto",
      "chat",
      "responses"
    ]
  },
  {
    "name": "ALLOWED_MODELS",
    "kind": "text"
  },
  {
    "name": "MAX_TOKENS_CEILING",
    "kind": "number",
    "min": 1
  },
  {
    "name": "PRICES",
    "kind": "text"
  },
  {
    "name": "AWS_S3_FILES_BUCKET_NAME",
    "kind": "text"
  },
  {
    "name": "CONFIG_BUCKETS",
    "kind": "text"
  },
  {
    "name": "CONFIG_CACHE_SECONDS",
    "kind": "number",
    "min": 0,
    "max": 86400
  },
  {
    "name": "RECORD_CONCURRENCY",
    "kind": "number",
    "min": 1,
    "max": 1000
  },
  {
    "name": "RESULT_PREFIX",
    "kind": "text"
  },
  {
    "name": "RESULT_DESTINATION",
    "kind": "text"
  },
  {
    "name": "RESULT_DESTINATION_OVERRIDE",
    "kind": "text"
  },
  {
    "name": "OFFLOAD_RESULTS_OVER",
    "kind": "number",
    "min": 4096,
    "max": 6291456
  },
  {
    "name": "TOOL_FUNCTIONS",
    "kind": "text"
  },
  {
    "name": "TOOLS_FROM_HTTP",
    "kind": "word",
    "words": [
      "true",
      "false"
    ]
  },
  {
    "name": "OPENAI_COMPATIBLE_PROVIDERS",
    "kind": "text"
  },
  {
    "name": "AWS_ENDPOINT_URL_S3",
    "kind": "baseUrl"
  },
  {
    "name": "AWS_ENDPOINT_URL_SSM",
    "kind": "baseUrl"
  },
  {
    "name": "AWS_ENDPOINT_URL_SQS",
    "kind": "baseUrl"
  },
  {
    "name": "AWS_ENDPOINT_URL_EVENTS",
    "kind": "baseUrl"
  },
  {
    "name": "AWS_ENDPOINT_URL_LAMBDA",
    "kind": "baseUrl"
  },
  {
    "name": "AWS_ENDPOINT_URL",
    "kind": "baseUrl"
  },
  {
    "name": "AWS_REGION",
    "kind": "text"
  },
  {
    "name": "CONFIG_URL_HOSTS",
    "kind": "text"
  },
  {
    "name": "LOG_LEVEL",
    "kind": "word",
    "words": [
      "error",
      "warn",
      "info",
      "debug"
    ]
  },
  {
    "name": "LOG_PROMPTS",
    "kind": "word",
    "words": [
      "true",
      "false"
    ]
  },
  {
    "name": "METRIC_TAGS",
    "kind": "text"
  },
  {
    "name": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "kind": "baseUrl"
  },
  {
    "name": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "kind": "baseUrl"
  },
  {
    "name": "OTEL_EXPORTER_OTLP_HEADERS",
    "kind": "text"
  },
  {
    "name": "OTEL_EXPORTER_OTLP_PROTOCOL",
    "kind": "text"
  },
  {
    "name": "OTEL_EXPORTER_OTLP_TIMEOUT",
    "kind": "number",
    "min": 1,
    "max": 3600000
  },
  {
    "name": "OTEL_SERVICE_NAME",
    "kind": "text"
  },
  {
    "name": "OTEL_RESOURCE_ATTRIBUTES",
    "kind": "text"
  },
  {
    "name": "OTEL_TRACES_SAMPLER",
    "kind": "word",
    "words": [
      "always_on",
      "always_off",
      "traceidratio",
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio"
    ]
  },
  {
    "name": "OTEL_TRACES_SAMPLER_ARG",
    "kind": "text"
  },
  {
    "name": "OTEL_TRACES_EXPORTER",
    "kind": "word",
    "words": [
      "otlp",
      "none"
    ]
  },
  {
    "name": "OTEL_SDK_DISABLED",
    "kind": "word",
    "words": [
      "true",
      "false"
    ]
  },
  {
    "name": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    "kind": "word",
    "words": [
      "true",
      "false",
      "span_only",
      "span_and_event",
      "event_only",
      "no_content"
    ]
  },
  {
    "name": "OPENAI_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "ANTHROPIC_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "XAI_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "DEEPSEEK_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "GEMINI_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "OLLAMA_ENDPOINT",
    "kind": "baseUrl"
  },
  {
    "name": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "kind": "baseUrl"
  },
  {
    "name": "AWS_BEDROCK_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "AZURE_OPENAI_ENDPOINT",
    "kind": "baseUrl"
  },
  {
    "name": "MISTRAL_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "GROQ_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "OPENROUTER_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "TOGETHER_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "FIREWORKS_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "CEREBRAS_BASE_URL",
    "kind": "baseUrl"
  },
  {
    "name": "PERPLEXITY_BASE_URL",
    "kind": "baseUrl"
  }
] as const;

/** Paths that providers append to a base URL. */
export const API_PATHS = [
  "/chat/completions",
  "/responses",
  "/v1/messages",
  "/api/chat"
] as const;

/** Domains of local networks, without configs. */
export const LOCAL_NAMES = [
  "localhost",
  "local",
  "internal",
  "home.arpa"
] as const;

/** The fields of a provider in OPENAI_COMPATIBLE_PROVIDERS. */
export const SERVER_FIELDS = [
  "baseUrl",
  "key",
  "keyEnv",
  "structuredOutput"
] as const;

/** The values of structuredOutput. */
export const STRUCTURED_OUTPUTS = [
  "json_schema",
  "json_object",
  "prompt"
] as const;
