// The types of request bodies, from the vendors' npm packages. check.mjs compiles the recorded
// bodies against them, and schemas.mjs converts them to the JSON Schemas of the simulator.
// A difference from a package has its source in a comment.
import type { ConverseCommandInput } from "@aws-sdk/client-bedrock-runtime";
import type { MessageCreateParamsBase } from "@anthropic-ai/sdk/resources/messages/messages";
import type * as Gemini from "@google/genai";
import type * as Ollama from "ollama";
import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionCreateParamsBase,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions/completions";
import type {
  ResponseCreateParamsBase,
  ResponseInputItem,
} from "openai/resources/responses/responses";

export type Chat = ChatCompletionCreateParamsBase;
// Fields of the assistant turns of xAI and DeepSeek, as @ai-sdk/deepseek sends them, and of Groq,
// as @ai-sdk/groq sends them.
type Reasoning = ChatCompletionAssistantMessageParam & {
  reasoning_content?: string;
  reasoning?: string;
};
export type ReasoningChat = Omit<Chat, "messages"> & {
  messages: (ChatCompletionMessageParam | Reasoning)[];
};

// Mistral's field of an assistant message at the end, as in npm @mistralai/mistralai 2.7.
type Prefix = ChatCompletionAssistantMessageParam & { prefix?: boolean };
export type PrefixChat = Omit<Chat, "messages"> & {
  messages: (ChatCompletionMessageParam | Prefix)[];
};

export type Responses = ResponseCreateParamsBase;
// Output items of a later server are sent back. xAI has two more options, as @ai-sdk/xai sends them.
type NewItem = { type: "new_item"; id: string; big: number };
export type SentResponses = Omit<Responses, "input"> & {
  input: (ResponseInputItem | NewItem)[];
  top_k?: number;
  seed?: number;
};

// Options of older models, which the types do not contain since SDK 1.0.
type Sampling = { temperature?: number; top_p?: number; top_k?: number };
export type Messages = MessageCreateParamsBase & Sampling;

// The REST body, into which the SDK converts its `config`. The REST API also has the fields
// `model`, `store` and `imageConfig`. https://ai.google.dev/api/generate-content
interface RestGenerationConfig extends Gemini.GenerationConfig {
  imageConfig?: Gemini.ImageConfig;
}
export type GenerateContent = {
  cachedContent?: string;
  contents: Gemini.Content[];
  generationConfig?: RestGenerationConfig;
  model?: string;
  safetySettings?: Gemini.SafetySetting[];
  serviceTier?: Gemini.ServiceTier;
  store?: boolean;
  systemInstruction?: Gemini.Content;
  toolConfig?: Gemini.ToolConfig;
  tools?: Gemini.Tool[];
};

// The package lacks the ids of tool calls, which are in api/types.go of the server. Images are
// strings in JSON, and a message needs no content.
type OllamaCall = { id?: string; function: { index?: number } & Ollama.ToolCall["function"] };
type OllamaMessage = Omit<Ollama.Message, "content" | "images" | "tool_calls"> & {
  content?: string;
  images?: string[];
  tool_calls?: OllamaCall[];
  tool_call_id?: string;
};
export type OllamaChat = Omit<Ollama.ChatRequest, "messages"> & { messages?: OllamaMessage[] };

// The model is part of the path.
export type InvokeAnthropic = Omit<Messages, "model"> & { anthropic_version: "bedrock-2023-05-31" };
export type Converse = Omit<ConverseCommandInput, "modelId">;

export type { Gemini };
