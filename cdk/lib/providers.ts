// The built-in providers. Written by scripts/update.

/** A built-in provider. */
export interface Provider {
  readonly name: string;
  /** The setting of the function for the base URL. */
  readonly baseUrlSetting: string;
  /** The parameter and the environment variables of the key. */
  readonly key?: { readonly secret: string; readonly environment: readonly string[] };
}

export const PROVIDERS: readonly Provider[] = [
  {
    "name": "openai",
    "baseUrlSetting": "OPENAI_BASE_URL",
    "key": {
      "secret": "KeyOpenAI",
      "environment": [
        "OPENAI_API_KEY",
        "OPEN_AI_API_KEY"
      ]
    }
  },
  {
    "name": "anthropic",
    "baseUrlSetting": "ANTHROPIC_BASE_URL",
    "key": {
      "secret": "KeyAnthropic",
      "environment": [
        "ANTHROPIC_API_KEY"
      ]
    }
  },
  {
    "name": "xai",
    "baseUrlSetting": "XAI_BASE_URL",
    "key": {
      "secret": "KeyXAI",
      "environment": [
        "XAI_API_KEY"
      ]
    }
  },
  {
    "name": "deepseek",
    "baseUrlSetting": "DEEPSEEK_BASE_URL",
    "key": {
      "secret": "KeyDeepSeek",
      "environment": [
        "DEEPSEEK_API_KEY"
      ]
    }
  },
  {
    "name": "google",
    "baseUrlSetting": "GEMINI_BASE_URL",
    "key": {
      "secret": "KeyGoogle",
      "environment": [
        "GEMINI_API_KEY"
      ]
    }
  },
  {
    "name": "ollama",
    "baseUrlSetting": "OLLAMA_ENDPOINT"
  },
  {
    "name": "amazon:anthropic",
    "baseUrlSetting": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
  },
  {
    "name": "amazon:meta",
    "baseUrlSetting": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
  },
  {
    "name": "amazon:nova",
    "baseUrlSetting": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
  },
  {
    "name": "amazon",
    "baseUrlSetting": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
  },
  {
    "name": "amazon:openai",
    "baseUrlSetting": "AWS_BEDROCK_BASE_URL"
  },
  {
    "name": "azure",
    "baseUrlSetting": "AZURE_OPENAI_ENDPOINT",
    "key": {
      "secret": "KeyAzureOpenAI",
      "environment": [
        "AZURE_OPENAI_API_KEY"
      ]
    }
  },
  {
    "name": "mistral",
    "baseUrlSetting": "MISTRAL_BASE_URL",
    "key": {
      "secret": "KeyMistral",
      "environment": [
        "MISTRAL_API_KEY"
      ]
    }
  },
  {
    "name": "groq",
    "baseUrlSetting": "GROQ_BASE_URL",
    "key": {
      "secret": "KeyGroq",
      "environment": [
        "GROQ_API_KEY"
      ]
    }
  },
  {
    "name": "openrouter",
    "baseUrlSetting": "OPENROUTER_BASE_URL",
    "key": {
      "secret": "KeyOpenRouter",
      "environment": [
        "OPENROUTER_API_KEY"
      ]
    }
  },
  {
    "name": "together",
    "baseUrlSetting": "TOGETHER_BASE_URL",
    "key": {
      "secret": "KeyTogether",
      "environment": [
        "TOGETHER_API_KEY"
      ]
    }
  },
  {
    "name": "fireworks",
    "baseUrlSetting": "FIREWORKS_BASE_URL",
    "key": {
      "secret": "KeyFireworks",
      "environment": [
        "FIREWORKS_API_KEY"
      ]
    }
  },
  {
    "name": "cerebras",
    "baseUrlSetting": "CEREBRAS_BASE_URL",
    "key": {
      "secret": "KeyCerebras",
      "environment": [
        "CEREBRAS_API_KEY"
      ]
    }
  },
  {
    "name": "perplexity",
    "baseUrlSetting": "PERPLEXITY_BASE_URL",
    "key": {
      "secret": "KeyPerplexity",
      "environment": [
        "PERPLEXITY_API_KEY"
      ]
    }
  }
];
