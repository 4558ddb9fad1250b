//! The prices of models. This file is written by scripts/models from the file
//! data/catalog.json, which also states the sources.

use super::rows::{Factors, OffPeak, Price, row};

/// A line for each provider: its name, then the names of its models. The index of a model
/// counts the models of all lines.
pub(super) const NAMES: &str = "\
openai chat-latest chatgpt-4o-latest computer-use-preview daybreak-blue-latest \
daybreak-red-latest ft:gpt-3.5-turbo ft:gpt-3.5-turbo-0125 ft:gpt-3.5-turbo-0613 \
ft:gpt-3.5-turbo-1106 ft:gpt-4-0613 ft:gpt-4.1-2025-04-14 ft:gpt-4.1-mini-2025-04-14 \
ft:gpt-4.1-nano-2025-04-14 ft:gpt-4o-2024-08-06 ft:gpt-4o-2024-11-20 ft:gpt-4o-mini-2024-07-18 \
ft:o4-mini-2025-04-16 gpt-3.5-0301 gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-3.5-turbo-0301 \
gpt-3.5-turbo-0613 gpt-3.5-turbo-1106 gpt-3.5-turbo-16k gpt-3.5-turbo-instruct-0914 gpt-4 \
gpt-4-0613 gpt-4-1106-preview gpt-4-1106-vision-preview gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613 \
gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4-vision-preview gpt-4.1 gpt-4.1-mini gpt-4.1-nano \
gpt-4o gpt-4o-2024-05-13 gpt-4o-mini gpt-4o-mini-search-preview gpt-4o-search-preview gpt-5 \
gpt-5-chat gpt-5-chat-latest gpt-5-codex gpt-5-mini gpt-5-nano gpt-5-pro gpt-5-search-api \
gpt-5.1 gpt-5.1-chat-latest gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-codex-mini gpt-5.2 \
gpt-5.2-chat-latest gpt-5.2-codex gpt-5.2-pro gpt-5.3-chat-latest gpt-5.3-codex gpt-5.4 \
gpt-5.4-mini gpt-5.4-nano gpt-5.4-pro gpt-5.5 gpt-5.5-cyber gpt-5.5-cyber-preview gpt-5.5-pro \
gpt-5.6 gpt-5.6-cyber gpt-5.6-luna gpt-5.6-sol gpt-5.6-terra gpt-6-astra gpt-6-astra-law \
gpt-6-cyber gpt-6-luna gpt-6-rosalind gpt-6-sol gpt-6.1-sol gpt-6.1-terra gpt-6.2-astra \
gpt-6.2-sol gpt-daybreak-blue-latest gpt-daybreak-red-latest gpt-rosalind-discovery \
gpt-rosalind-research o1 o1-mini o1-preview o1-pro o3 o3-deep-research o3-mini o3-pro o4-mini \
o4-mini-deep-research\n\
anthropic claude-fable-5 claude-fable-5-1 claude-fable-5-2 claude-haiku-4-5 claude-haiku-5-5 \
claude-mythos-5 claude-mythos-5-1 claude-mythos-5-2 claude-mythos-preview claude-opus-4 \
claude-opus-4-5 claude-opus-4-6 claude-opus-4-7 claude-opus-4-8 claude-opus-5 claude-opus-5-5 \
claude-sonnet-4 claude-sonnet-4-5 claude-sonnet-4-6 claude-sonnet-5 claude-sonnet-5-5 \
claude-v1\n\
google deep-research-max-preview-04-2026 deep-research-preview-04-2026 \
deep-research-pro-preview-12-2025 gemini-1.0-pro gemini-1.0-pro-vision-001 \
gemini-2.5-computer-use-preview-10-2025 gemini-2.5-flash gemini-2.5-flash-lite \
gemini-2.5-flash-preview gemini-2.5-pro gemini-3-flash-preview gemini-3-pro-text-preview \
gemini-3.1-flash-lite gemini-3.1-flash-lite-preview gemini-3.1-pro-preview \
gemini-3.1-pro-preview-customtools gemini-3.5-flash gemini-3.5-flash-lite gemini-3.6-flash \
gemini-3.7-flash gemini-3.8-flash gemini-4-argon gemini-4-carbon gemini-4-hydrogen \
gemini-flash-1.5 gemini-flash-1.5-8b gemini-flash-latest gemini-flash-lite-latest \
gemini-gemma-2-27b-it gemini-gemma-2-9b-it gemini-pro gemini-pro-1.5 gemini-pro-latest \
gemma-2-27b-it gemma-4-26b-a4b-it-maas\n\
xai grok-2 grok-2-1212 grok-2-latest grok-2-vision grok-2-vision-1212 grok-2-vision-latest \
grok-3 grok-3-beta grok-3-fast grok-3-fast-beta grok-3-fast-latest grok-3-latest grok-3-mini \
grok-3-mini-beta grok-3-mini-fast grok-3-mini-fast-beta grok-3-mini-fast-latest \
grok-3-mini-latest grok-4 grok-4-0709 grok-4-1-fast grok-4-1-fast-non-reasoning \
grok-4-1-fast-non-reasoning-latest grok-4-1-fast-reasoning grok-4-1-fast-reasoning-latest \
grok-4-fast grok-4-fast-non-reasoning grok-4-fast-non-reasoning-latest grok-4-fast-reasoning \
grok-4-fast-reasoning-latest grok-4-latest grok-4.20 grok-4.20-0309 \
grok-4.20-0309-non-reasoning grok-4.20-0309-reasoning grok-4.20-beta grok-4.20-beta-0309 \
grok-4.20-beta-0309-non-reasoning grok-4.20-beta-0309-reasoning grok-4.20-beta-latest \
grok-4.20-beta-latest-non-reasoning grok-4.20-beta-latest-reasoning \
grok-4.20-beta-non-reasoning grok-4.20-beta-reasoning grok-4.20-experimental-beta-0304 \
grok-4.20-experimental-beta-0304-non-reasoning grok-4.20-experimental-beta-0304-reasoning \
grok-4.20-experimental-beta-latest grok-4.20-experimental-beta-non-reasoning-latest \
grok-4.20-experimental-beta-reasoning-latest grok-4.20-multi-agent grok-4.20-multi-agent-0309 \
grok-4.20-multi-agent-beta-0309 grok-4.20-multi-agent-beta-latest \
grok-4.20-multi-agent-experimental-beta-0304 grok-4.20-multi-agent-experimental-beta-latest \
grok-4.20-multi-agent-latest grok-4.20-non-reasoning grok-4.20-non-reasoning-gv2 \
grok-4.20-non-reasoning-latest grok-4.20-reasoning grok-4.20-reasoning-gv2 \
grok-4.20-reasoning-latest grok-4.3 grok-4.3-latest grok-4.5 grok-4.5-latest grok-4.6 grok-4.7 \
grok-build-0.1 grok-build-latest grok-code-fast grok-code-fast-1 grok-code-fast-1-0825\n\
deepseek deepseek-chat deepseek-coder deepseek-flash deepseek-r1 deepseek-reasoner deepseek-v3 \
deepseek-v3.1-terminus deepseek-v3.2 deepseek-v3.2-exp deepseek-v4-flash \
deepseek-v4-flash-vision-exp deepseek-v4-pro\n\
amazon amazon.nova-2-lite-v1:0 amazon.nova-2-pro-preview-20251202-v1:0 amazon.nova-lite-v1:0 \
amazon.nova-micro-v1:0 amazon.nova-premier-v1:0 amazon.nova-pro-v1:0 \
amazon.titan-text-express-v1 amazon.titan-text-lite-v1 amazon.titan-text-premier-v1:0 \
anthropic.claude-3-5-haiku-20241022-v1:0 anthropic.claude-3-5-sonnet-20240620-v1:0 \
anthropic.claude-3-5-sonnet-20241022-v2:0 anthropic.claude-3-7-sonnet-20240620-v1:0 \
anthropic.claude-3-7-sonnet-20250219-v1:0 anthropic.claude-3-opus-20240229-v1:0 \
anthropic.claude-fable-5 anthropic.claude-fable-5-1 anthropic.claude-haiku-4-5-20251001-v1:0 \
anthropic.claude-haiku-4-5@20251001 anthropic.claude-haiku-5-5 anthropic.claude-instant-v1 \
anthropic.claude-mythos-5-1 anthropic.claude-mythos-preview \
anthropic.claude-opus-4-1-20250805-v1:0 anthropic.claude-opus-4-20250514-v1:0 \
anthropic.claude-opus-4-5-20251101-v1:0 anthropic.claude-opus-4-6-v1 anthropic.claude-opus-4-7 \
anthropic.claude-opus-4-8 anthropic.claude-opus-5 anthropic.claude-opus-5-5 \
anthropic.claude-sonnet-4-20250514-v1:0 anthropic.claude-sonnet-4-5-20250929-v1:0 \
anthropic.claude-sonnet-4-6 anthropic.claude-sonnet-5 anthropic.claude-sonnet-5-5 \
anthropic.claude-v1 anthropic.claude-v2:1 apac.amazon.nova-2-lite-v1:0 \
apac.amazon.nova-2-pro-preview-20251202-v1:0 apac.amazon.nova-lite-v1:0 \
apac.amazon.nova-micro-v1:0 apac.amazon.nova-pro-v1:0 apac.anthropic.claude-fable-5 \
apac.anthropic.claude-haiku-4-5-20251001-v1:0 apac.anthropic.claude-haiku-5-5 \
apac.anthropic.claude-mythos-preview apac.anthropic.claude-opus-4-7 \
apac.anthropic.claude-opus-4-8 apac.anthropic.claude-opus-5 apac.anthropic.claude-opus-5-5 \
apac.anthropic.claude-sonnet-4-20250514-v1:0 apac.anthropic.claude-sonnet-4-6 \
apac.anthropic.claude-sonnet-5 apac.anthropic.claude-sonnet-5-5 au.anthropic.claude-fable-5 \
au.anthropic.claude-haiku-4-5-20251001-v1:0 au.anthropic.claude-haiku-5-5 \
au.anthropic.claude-mythos-preview au.anthropic.claude-opus-4-6-v1 au.anthropic.claude-opus-4-7 \
au.anthropic.claude-opus-4-8 au.anthropic.claude-opus-5 au.anthropic.claude-opus-5-5 \
au.anthropic.claude-sonnet-4-5-20250929-v1:0 au.anthropic.claude-sonnet-4-6 \
au.anthropic.claude-sonnet-5 au.anthropic.claude-sonnet-5-5 cohere.command-light-text-v14 \
cohere.command-text-v14 deepseek.r1-v1:0 deepseek.v3-v1:0 deepseek.v3.2 \
eu.amazon.nova-2-lite-v1:0 eu.amazon.nova-2-pro-preview-20251202-v1:0 eu.amazon.nova-lite-v1:0 \
eu.amazon.nova-micro-v1:0 eu.amazon.nova-pro-v1:0 eu.anthropic.claude-3-5-haiku-20241022-v1:0 \
eu.anthropic.claude-3-5-sonnet-20240620-v1:0 eu.anthropic.claude-3-5-sonnet-20241022-v2:0 \
eu.anthropic.claude-3-7-sonnet-20250219-v1:0 eu.anthropic.claude-3-opus-20240229-v1:0 \
eu.anthropic.claude-fable-5 eu.anthropic.claude-fable-5-1 \
eu.anthropic.claude-haiku-4-5-20251001-v1:0 eu.anthropic.claude-haiku-5-5 \
eu.anthropic.claude-opus-4-1-20250805-v1:0 eu.anthropic.claude-opus-4-20250514-v1:0 \
eu.anthropic.claude-opus-4-5-20251101-v1:0 eu.anthropic.claude-opus-4-6-v1 \
eu.anthropic.claude-opus-4-7 eu.anthropic.claude-opus-4-8 eu.anthropic.claude-opus-5 \
eu.anthropic.claude-opus-5-5 eu.anthropic.claude-sonnet-4-20250514-v1:0 \
eu.anthropic.claude-sonnet-4-5-20250929-v1:0 eu.anthropic.claude-sonnet-4-6 \
eu.anthropic.claude-sonnet-5 eu.anthropic.claude-sonnet-5-5 eu.deepseek.v3.2 \
eu.meta.llama3-2-1b-instruct-v1:0 eu.meta.llama3-2-3b-instruct-v1:0 \
eu.mistral.pixtral-large-2502-v1:0 global.amazon.nova-2-lite-v1:0 \
global.anthropic.claude-fable-5 global.anthropic.claude-fable-5-1 \
global.anthropic.claude-fable-5-2 global.anthropic.claude-haiku-4-5-20251001-v1:0 \
global.anthropic.claude-haiku-5-5 global.anthropic.claude-mythos-5-1 \
global.anthropic.claude-opus-4-5-20251101-v1:0 global.anthropic.claude-opus-4-6-v1 \
global.anthropic.claude-opus-4-7 global.anthropic.claude-opus-4-8 \
global.anthropic.claude-opus-5 global.anthropic.claude-opus-5-5 \
global.anthropic.claude-sonnet-4-20250514-v1:0 global.anthropic.claude-sonnet-4-5-20250929-v1:0 \
global.anthropic.claude-sonnet-4-6 global.anthropic.claude-sonnet-5 \
global.anthropic.claude-sonnet-5-5 global.moonshotai.kimi-k3 global.moonshotai.kimi-k3.1 \
global.openai.gpt-5.4 global.openai.gpt-5.5 global.openai.gpt-5.6-luna \
global.openai.gpt-5.6-sol global.openai.gpt-5.6-terra global.openai.gpt-6-astra \
global.openai.gpt-6-luna global.openai.gpt-6-sol global.openai.gpt-6.1-sol \
global.openai.gpt-6.1-terra global.xai.grok-4.6 global.xai.grok-4.7 global.zai.glm-5.3 \
google.gemma-3-12b-it google.gemma-3-27b-it google.gemma-3-4b-it in.moonshotai.kimi-k3 \
in.moonshotai.kimi-k3.1 jp.amazon.nova-2-lite-v1:0 jp.anthropic.claude-haiku-4-5-20251001-v1:0 \
jp.anthropic.claude-haiku-5-5 jp.anthropic.claude-opus-4-7 jp.anthropic.claude-opus-4-8 \
jp.anthropic.claude-opus-5 jp.anthropic.claude-opus-5-5 \
jp.anthropic.claude-sonnet-4-5-20250929-v1:0 jp.anthropic.claude-sonnet-4-6 \
jp.anthropic.claude-sonnet-5 jp.anthropic.claude-sonnet-5-5 meta.llama2-13b-chat-v1 \
meta.llama2-70b-chat-v1 meta.llama3-1-405b-instruct-v1:0 meta.llama3-1-70b-instruct-v1:0 \
meta.llama3-1-8b-instruct-v1:0 meta.llama3-2-11b-instruct-v1:0 meta.llama3-2-1b-instruct-v1:0 \
meta.llama3-2-3b-instruct-v1:0 meta.llama3-2-90b-instruct-v1:0 meta.llama3-3-70b-instruct-v1:0 \
meta.llama3-70b-instruct-v1:0 meta.llama3-8b-instruct-v1:0 \
meta.llama4-maverick-17b-instruct-v1:0 meta.llama4-scout-17b-instruct-v1:0 minimax.minimax-m2 \
minimax.minimax-m2.1 minimax.minimax-m2.5 mistral.devstral-2-123b mistral.magistral-small-2509 \
mistral.ministral-3-14b-instruct mistral.ministral-3-3b-instruct \
mistral.ministral-3-8b-instruct mistral.mistral-7b-instruct-v0:2 \
mistral.mistral-large-2402-v1:0 mistral.mistral-large-2407-v1:0 \
mistral.mistral-large-3-675b-instruct mistral.mistral-small-2402-v1:0 \
mistral.mixtral-8x7b-instruct-v0:1 mistral.pixtral-large-2502-v1:0 mistral.voxtral-mini-3b-2507 \
mistral.voxtral-small-24b-2507 moonshot.kimi-k2-thinking moonshotai.kimi-k2.5 \
moonshotai.kimi-k3 moonshotai.kimi-k3.1 nvidia.nemotron-nano-12b-v2 nvidia.nemotron-nano-3-30b \
nvidia.nemotron-nano-9b-v2 nvidia.nemotron-super-3-120b openai.gpt-6-luna openai.gpt-6-sol \
openai.gpt-oss-120b-1:0 openai.gpt-oss-20b-1:0 openai.gpt-oss-safeguard-120b \
openai.gpt-oss-safeguard-20b qwen.qwen3-235b-a22b-2507-v1:0 qwen.qwen3-32b-v1:0 \
qwen.qwen3-coder-30b-a3b-v1:0 qwen.qwen3-coder-480b-a35b-v1:0 qwen.qwen3-coder-next \
qwen.qwen3-next-80b-a3b qwen.qwen3-vl-235b-a22b us-gov.anthropic.claude-fable-5-1 \
us-gov.anthropic.claude-haiku-5-5 us-gov.anthropic.claude-opus-4-8 \
us-gov.anthropic.claude-opus-5 us-gov.anthropic.claude-opus-5-5 \
us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0 us-gov.anthropic.claude-sonnet-5 \
us-gov.anthropic.claude-sonnet-5-5 us-gov.nvidia.nemotron-nano-12b-v2 \
us-gov.nvidia.nemotron-nano-3-30b us-gov.nvidia.nemotron-nano-9b-v2 \
us-gov.nvidia.nemotron-super-3-120b us-gov.openai.gpt-oss-120b-1:0 \
us-gov.openai.gpt-oss-20b-1:0 us-gov.xai.grok-4.6 us-gov.xai.grok-4.7 \
us.amazon.nova-2-lite-v1:0 us.amazon.nova-2-pro-preview-20251202-v1:0 us.amazon.nova-lite-v1:0 \
us.amazon.nova-micro-v1:0 us.amazon.nova-pro-v1:0 us.anthropic.claude-3-5-haiku-20241022-v1:0 \
us.anthropic.claude-3-5-sonnet-20240620-v1:0 us.anthropic.claude-3-5-sonnet-20241022-v2:0 \
us.anthropic.claude-3-7-sonnet-20250219-v1:0 us.anthropic.claude-3-opus-20240229-v1:0 \
us.anthropic.claude-fable-5 us.anthropic.claude-fable-5-1 us.anthropic.claude-fable-5-2 \
us.anthropic.claude-haiku-4-5-20251001-v1:0 us.anthropic.claude-haiku-5-5 \
us.anthropic.claude-mythos-5 us.anthropic.claude-mythos-5-1 us.anthropic.claude-mythos-preview \
us.anthropic.claude-opus-4-1-20250805-v1:0 us.anthropic.claude-opus-4-20250514-v1:0 \
us.anthropic.claude-opus-4-5-20251101-v1:0 us.anthropic.claude-opus-4-6-v1 \
us.anthropic.claude-opus-4-7 us.anthropic.claude-opus-4-8 us.anthropic.claude-opus-5 \
us.anthropic.claude-opus-5-5 us.anthropic.claude-sonnet-4-20250514-v1:0 \
us.anthropic.claude-sonnet-4-5-20250929-v1:0 us.anthropic.claude-sonnet-4-6 \
us.anthropic.claude-sonnet-5 us.anthropic.claude-sonnet-5-5 us.deepseek.r1-v1:0 \
us.deepseek.v3.2 us.meta.llama3-1-405b-instruct-v1:0 us.meta.llama3-1-70b-instruct-v1:0 \
us.meta.llama3-1-8b-instruct-v1:0 us.meta.llama3-2-11b-instruct-v1:0 \
us.meta.llama3-2-1b-instruct-v1:0 us.meta.llama3-2-3b-instruct-v1:0 \
us.meta.llama3-2-90b-instruct-v1:0 us.meta.llama3-3-70b-instruct-v1:0 \
us.meta.llama4-maverick-17b-instruct-v1:0 us.meta.llama4-scout-17b-instruct-v1:0 \
us.mistral.pixtral-large-2502-v1:0 us.moonshotai.kimi-k3 us.moonshotai.kimi-k3.1 \
us.openai.gpt-5.4 us.openai.gpt-5.5 us.openai.gpt-5.6-luna us.openai.gpt-5.6-sol \
us.openai.gpt-5.6-terra us.openai.gpt-6-astra us.openai.gpt-6-luna us.openai.gpt-6-sol \
us.openai.gpt-6.1-sol us.openai.gpt-6.1-terra us.writer.palmyra-x4-v1:0 \
us.writer.palmyra-x5-v1:0 us.xai.grok-4.6 us.xai.grok-4.7 us.zai.glm-5.3 \
writer.palmyra-vision-7b writer.palmyra-x4-v1:0 writer.palmyra-x5-v1:0 zai.glm-4.7 \
zai.glm-4.7-flash zai.glm-5";

/// The factors of prices in percent, or 0 if a factor is not known.
pub(super) static FACTORS: [Factors; 25] = [
    Factors { batch: 0, flex: 0, priority: 0, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 0, priority: 0, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 100, flex: 0, priority: 0, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 0, priority: 175, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 0, priority: 200, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 0, priority: 170, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 50, priority: 200, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 50, priority: 180, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 50, priority: 0, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 0, flex: 0, priority: 200, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 50, priority: 250, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 50, priority: 200, ultrafast: 600, fast: 0, us: 0 },
    Factors { batch: 50, flex: 0, priority: 200, ultrafast: 300, fast: 0, us: 0 },
    Factors { batch: 50, flex: 0, priority: 200, ultrafast: 600, fast: 0, us: 0 },
    Factors { batch: 50, flex: 50, priority: 175, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 0, priority: 0, ultrafast: 0, fast: 0, us: 110 },
    Factors { batch: 50, flex: 0, priority: 0, ultrafast: 0, fast: 200, us: 110 },
    Factors { batch: 0, flex: 0, priority: 0, ultrafast: 0, fast: 0, us: 110 },
    Factors { batch: 0, flex: 0, priority: 180, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 50, flex: 0, priority: 180, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 80, flex: 0, priority: 0, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 0, flex: 50, priority: 0, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 0, flex: 50, priority: 175, ultrafast: 0, fast: 0, us: 0 },
    Factors { batch: 0, flex: 0, priority: 0, ultrafast: 600, fast: 0, us: 0 },
    Factors { batch: 50, flex: 50, priority: 170, ultrafast: 0, fast: 0, us: 0 },
];

/// The lower prices at some hours.
pub(super) static OFF_PEAKS: [OffPeak; 2] =
    [OffPeak { percent: 100, hours: 0x0 }, OffPeak { percent: 50, hours: 0xfffc31 }];

/// The prices by model, by date, and by the size of the prompt.
#[rustfmt::skip]
pub(super) static PRICES: [Price; 656] = [
    row(0, 0, 0, 0, 20261120, 0, [5000000, 500000, u32::MAX, u32::MAX, 30000000]),
    row(1, 0, 0, 0, 20261110, 0, [5000000, u32::MAX, u32::MAX, u32::MAX, 15000000]),
    row(2, 0, 0, 0, 20261120, 0, [3000000, u32::MAX, u32::MAX, u32::MAX, 12000000]),
    row(3, 0, 0, 0, 20261120, 0, [4000000, 400000, 5000000, u32::MAX, 20000000]),
    row(3, 0, 0, 0, 20261120, 272000, [8000000, 800000, 10000000, u32::MAX, 30000000]),
    row(4, 0, 0, 0, 20261120, 0, [12500000, 1250000, 15625000, u32::MAX, 75000000]),
    row(4, 0, 0, 0, 20261120, 272000, [25000000, 2500000, 31250000, u32::MAX, 112500000]),
    row(5, 1, 0, 0, 20261120, 0, [3000000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(6, 0, 0, 0, 20261120, 0, [3000000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(7, 0, 0, 0, 20261120, 0, [3000000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(8, 0, 0, 0, 20261120, 0, [3000000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(9, 0, 0, 0, 20261120, 0, [30000000, u32::MAX, u32::MAX, u32::MAX, 60000000]),
    row(10, 0, 0, 0, 20261120, 0, [3000000, 750000, u32::MAX, u32::MAX, 12000000]),
    row(11, 1, 0, 0, 20261120, 0, [800000, 200000, u32::MAX, u32::MAX, 3200000]),
    row(12, 1, 0, 0, 20261120, 0, [200000, 50000, u32::MAX, u32::MAX, 800000]),
    row(13, 0, 0, 0, 20261120, 0, [3750000, 1875000, u32::MAX, u32::MAX, 15000000]),
    row(14, 0, 0, 0, 20261120, 0, [3750000, u32::MAX, 1875000, u32::MAX, 15000000]),
    row(15, 1, 0, 0, 20261120, 0, [300000, 150000, u32::MAX, u32::MAX, 1200000]),
    row(16, 1, 0, 0, 20261120, 0, [4000000, 1000000, u32::MAX, u32::MAX, 16000000]),
    row(17, 0, 0, 0, 20261110, 0, [1500000, u32::MAX, u32::MAX, u32::MAX, 2000000]),
    row(18, 0, 0, 0, 20261120, 0, [500000, u32::MAX, u32::MAX, u32::MAX, 1500000]),
    row(19, 1, 0, 0, 20261120, 0, [500000, u32::MAX, u32::MAX, u32::MAX, 1500000]),
    row(20, 0, 0, 0, 20261110, 0, [1500000, u32::MAX, u32::MAX, u32::MAX, 2000000]),
    row(21, 0, 0, 0, 20261110, 0, [1500000, u32::MAX, u32::MAX, u32::MAX, 2000000]),
    row(22, 2, 0, 0, 20261120, 0, [1000000, u32::MAX, u32::MAX, u32::MAX, 2000000]),
    row(23, 0, 0, 0, 20261120, 0, [3000000, u32::MAX, u32::MAX, u32::MAX, 4000000]),
    row(24, 0, 0, 0, 20261110, 0, [1500000, u32::MAX, u32::MAX, u32::MAX, 2000000]),
    row(25, 0, 0, 0, 20261120, 0, [30000000, u32::MAX, u32::MAX, u32::MAX, 60000000]),
    row(26, 1, 0, 0, 20261120, 0, [30000000, u32::MAX, u32::MAX, u32::MAX, 60000000]),
    row(27, 0, 0, 0, 20261120, 0, [10000000, u32::MAX, u32::MAX, u32::MAX, 30000000]),
    row(28, 0, 0, 0, 20261110, 0, [10000000, u32::MAX, u32::MAX, u32::MAX, 30000000]),
    row(29, 0, 0, 0, 20261110, 0, [60000000, u32::MAX, u32::MAX, u32::MAX, 120000000]),
    row(30, 0, 0, 0, 20261110, 0, [60000000, u32::MAX, u32::MAX, u32::MAX, 120000000]),
    row(31, 0, 0, 0, 20261110, 0, [60000000, u32::MAX, u32::MAX, u32::MAX, 120000000]),
    row(32, 0, 0, 0, 20261120, 0, [10000000, u32::MAX, u32::MAX, u32::MAX, 30000000]),
    row(33, 1, 0, 0, 20261120, 0, [10000000, u32::MAX, u32::MAX, u32::MAX, 30000000]),
    row(34, 0, 0, 0, 20261110, 0, [10000000, u32::MAX, u32::MAX, u32::MAX, 30000000]),
    row(35, 3, 0, 0, 20261120, 0, [2000000, 500000, u32::MAX, u32::MAX, 8000000]),
    row(36, 3, 0, 0, 20261120, 0, [400000, 100000, u32::MAX, u32::MAX, 1600000]),
    row(37, 4, 0, 0, 20261120, 0, [100000, 25000, u32::MAX, u32::MAX, 400000]),
    row(38, 5, 0, 0, 20261120, 0, [2500000, 1250000, u32::MAX, u32::MAX, 10000000]),
    row(39, 3, 0, 0, 20261120, 0, [5000000, u32::MAX, u32::MAX, u32::MAX, 15000000]),
    row(40, 1, 0, 0, 20261120, 0, [150000, 75000, u32::MAX, u32::MAX, 600000]),
    row(41, 1, 0, 0, 20261120, 0, [150000, 75000, u32::MAX, u32::MAX, 600000]),
    row(42, 1, 0, 0, 20261120, 0, [2500000, 1250000, u32::MAX, u32::MAX, 10000000]),
    row(43, 6, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(44, 0, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(45, 0, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(46, 0, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(47, 7, 0, 0, 20261120, 0, [250000, 25000, u32::MAX, u32::MAX, 2000000]),
    row(48, 8, 0, 0, 20261120, 0, [50000, 5000, u32::MAX, u32::MAX, 400000]),
    row(49, 1, 0, 0, 20261120, 0, [15000000, u32::MAX, u32::MAX, u32::MAX, 120000000]),
    row(50, 0, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(51, 6, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(52, 0, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(53, 0, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(54, 0, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(55, 0, 0, 0, 20261120, 0, [250000, 25000, u32::MAX, u32::MAX, 2000000]),
    row(56, 6, 0, 0, 20261120, 0, [1750000, 175000, u32::MAX, u32::MAX, 14000000]),
    row(57, 0, 0, 0, 20261120, 0, [1750000, 175000, u32::MAX, u32::MAX, 14000000]),
    row(58, 0, 0, 0, 20261120, 0, [1750000, 175000, u32::MAX, u32::MAX, 14000000]),
    row(59, 1, 0, 0, 20261120, 0, [21000000, u32::MAX, u32::MAX, u32::MAX, 168000000]),
    row(60, 0, 0, 0, 20261120, 0, [1750000, 175000, u32::MAX, u32::MAX, 14000000]),
    row(61, 9, 0, 0, 20261120, 0, [1750000, 175000, u32::MAX, u32::MAX, 14000000]),
    row(62, 9, 0, 0, 20261120, 0, [2500000, 250000, u32::MAX, u32::MAX, 15000000]),
    row(62, 9, 0, 0, 20261120, 272000, [5000000, 500000, u32::MAX, u32::MAX, 22500000]),
    row(63, 6, 0, 0, 20261120, 0, [750000, 75000, u32::MAX, u32::MAX, 4500000]),
    row(64, 8, 0, 0, 20261120, 0, [200000, 20000, u32::MAX, u32::MAX, 1250000]),
    row(65, 8, 0, 0, 20261120, 0, [30000000, u32::MAX, u32::MAX, u32::MAX, 180000000]),
    row(65, 8, 0, 0, 20261120, 272000, [60000000, u32::MAX, u32::MAX, u32::MAX, 270000000]),
    row(66, 10, 0, 0, 20261120, 0, [5000000, 500000, u32::MAX, u32::MAX, 30000000]),
    row(66, 10, 0, 0, 20261120, 272000, [10000000, 1000000, u32::MAX, u32::MAX, 45000000]),
    row(67, 0, 0, 20261019, 20261120, 0, [12500000, 1250000, u32::MAX, u32::MAX, 75000000]),
    row(68, 0, 0, 0, 20261120, 0, [12500000, 1250000, u32::MAX, u32::MAX, 75000000]),
    row(69, 8, 0, 0, 20261120, 0, [30000000, u32::MAX, u32::MAX, u32::MAX, 180000000]),
    row(69, 8, 0, 0, 20261120, 272000, [60000000, u32::MAX, u32::MAX, u32::MAX, 270000000]),
    row(70, 6, 0, 20260821, 20261120, 0, [4000000, 400000, 5000000, 10000000, 20000000]),
    row(70, 6, 0, 20260821, 20261120, 272000, [8000000, 800000, 10000000, 20000000, 30000000]),
    row(71, 0, 0, 0, 20261120, 0, [12500000, 1250000, 15625000, 31250000, 75000000]),
    row(71, 0, 0, 0, 20261120, 272000, [25000000, 2500000, 31250000, 31250000, 112500000]),
    row(72, 6, 0, 20260730, 20261120, 0, [200000, 20000, 250000, 500000, 1200000]),
    row(72, 6, 0, 20260730, 20261120, 272000, [400000, 40000, 500000, 1000000, 1800000]),
    row(73, 6, 0, 20260821, 20261120, 0, [4000000, 400000, 5000000, 10000000, 20000000]),
    row(73, 6, 0, 20260821, 20261120, 272000, [8000000, 800000, 10000000, 20000000, 30000000]),
    row(74, 6, 0, 20260730, 20261120, 0, [2000000, 200000, 2500000, 5000000, 12000000]),
    row(74, 6, 0, 20260730, 20261120, 272000, [4000000, 400000, 5000000, 10000000, 18000000]),
    row(75, 11, 0, 0, 20261120, 0, [10000000, 1000000, 12500000, 25000000, 50000000]),
    row(75, 11, 0, 0, 20261120, 272000, [20000000, 2000000, 25000000, 50000000, 75000000]),
    row(76, 0, 0, 0, 20261120, 0, [10000000, 1000000, u32::MAX, u32::MAX, 50000000]),
    row(77, 0, 0, 0, 20261120, 0, [20000000, 2000000, 25000000, 50000000, 100000000]),
    row(78, 6, 0, 0, 20261120, 0, [100000, 10000, 125000, 250000, 500000]),
    row(78, 6, 0, 0, 20261120, 272000, [200000, 20000, 250000, 500000, 750000]),
    row(79, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, 37500000, 75000000]),
    row(79, 0, 0, 0, 20261120, 272000, [30000000, 3000000, 37500000, 75000000, 112500000]),
    row(80, 6, 0, 0, 20261120, 0, [2000000, 200000, 2500000, 5000000, 10000000]),
    row(80, 6, 0, 0, 20261120, 272000, [4000000, 400000, 5000000, 10000000, 15000000]),
    row(81, 11, 0, 0, 20261120, 0, [2000000, 100000, 2500000, 5000000, 10000000]),
    row(81, 11, 0, 0, 20261120, 272000, [4000000, 200000, 5000000, 10000000, 15000000]),
    row(82, 6, 0, 0, 20261120, 0, [1000000, 50000, 1250000, 2500000, 5000000]),
    row(82, 6, 0, 0, 20261120, 272000, [2000000, 100000, 2500000, 5000000, 7500000]),
    row(83, 0, 0, 20261117, 20261126, 0, [8000000, 400000, u32::MAX, u32::MAX, 40000000]),
    row(83, 0, 0, 20261117, 20261126, 272000, [16000000, 800000, u32::MAX, u32::MAX, 60000000]),
    row(84, 12, 0, 20261117, 20261126, 0, [2000000, 100000, 2500000, 5000000, 10000000]),
    row(84, 12, 0, 20261117, 20261126, 272000, [4000000, 200000, 5000000, 10000000, 15000000]),
    row(84, 13, 0, 20270301, 20261126, 0, [2000000, 100000, 2500000, 5000000, 10000000]),
    row(84, 13, 0, 20270301, 20261126, 272000, [4000000, 200000, 5000000, 10000000, 15000000]),
    row(85, 0, 0, 0, 20261120, 0, [4000000, 400000, 5000000, u32::MAX, 20000000]),
    row(85, 0, 0, 0, 20261120, 272000, [8000000, 800000, 10000000, u32::MAX, 30000000]),
    row(86, 0, 0, 0, 20261120, 0, [12500000, 1250000, 15625000, u32::MAX, 75000000]),
    row(86, 0, 0, 0, 20261120, 272000, [25000000, 2500000, 31250000, u32::MAX, 112500000]),
    row(87, 0, 0, 0, 20261120, 0, [5000000, 500000, u32::MAX, u32::MAX, 25000000]),
    row(88, 0, 0, 0, 20261120, 0, [5000000, 500000, u32::MAX, u32::MAX, 25000000]),
    row(89, 1, 0, 0, 20261120, 0, [15000000, 7500000, u32::MAX, u32::MAX, 60000000]),
    row(90, 0, 0, 0, 20261110, 0, [1100000, 550000, u32::MAX, u32::MAX, 4400000]),
    row(91, 0, 0, 0, 20261110, 0, [15000000, 7500000, u32::MAX, u32::MAX, 60000000]),
    row(92, 1, 0, 0, 20261120, 0, [150000000, u32::MAX, u32::MAX, u32::MAX, 600000000]),
    row(93, 14, 0, 20250610, 20261120, 0, [2000000, 500000, u32::MAX, u32::MAX, 8000000]),
    row(94, 0, 0, 0, 20261120, 0, [10000000, 2500000, u32::MAX, u32::MAX, 40000000]),
    row(95, 1, 0, 0, 20261120, 0, [1100000, 550000, u32::MAX, u32::MAX, 4400000]),
    row(96, 1, 0, 0, 20261120, 0, [20000000, u32::MAX, u32::MAX, u32::MAX, 80000000]),
    row(97, 1, 0, 0, 20261120, 0, [1100000, 275000, u32::MAX, u32::MAX, 4400000]),
    row(98, 0, 0, 0, 20261120, 0, [2000000, 500000, u32::MAX, u32::MAX, 8000000]),
    row(99, 15, 0, 0, 20261120, 0, [10000000, 1000000, 12500000, 20000000, 50000000]),
    row(100, 15, 0, 0, 20261120, 0, [10000000, 250000, 12500000, 20000000, 50000000]),
    row(101, 16, 0, 20261109, 20261126, 0, [8000000, 200000, 10000000, 16000000, 40000000]),
    row(102, 1, 0, 0, 20261120, 0, [1000000, 100000, 1250000, 2000000, 5000000]),
    row(103, 15, 0, 0, 20261120, 0, [100000, 10000, 125000, 200000, 500000]),
    row(103, 15, 0, 0, 20261120, 100000, [500000, 50000, 625000, 1000000, 2500000]),
    row(104, 15, 0, 0, 20261120, 0, [10000000, 1000000, 12500000, 20000000, 50000000]),
    row(105, 15, 0, 0, 20261120, 0, [10000000, 250000, 12500000, 20000000, 50000000]),
    row(106, 16, 0, 20261109, 20261126, 0, [8000000, 200000, 10000000, 16000000, 40000000]),
    row(107, 17, 0, 0, 20261120, 0, [10000000, 1000000, 12500000, 20000000, 50000000]),
    row(108, 0, 0, 0, 20261110, 0, [15000000, 1500000, 18750000, 30000000, 75000000]),
    row(109, 1, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(110, 15, 0, 20260313, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(111, 15, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(112, 16, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(113, 16, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(114, 16, 0, 0, 20261120, 0, [4000000, 200000, 5000000, 8000000, 20000000]),
    row(115, 0, 0, 0, 20261110, 0, [3000000, 300000, 3750000, 6000000, 15000000]),
    row(116, 1, 0, 0, 20261120, 0, [3000000, 300000, 3750000, 6000000, 15000000]),
    row(117, 15, 0, 20260313, 20261120, 0, [3000000, 300000, 3750000, 6000000, 15000000]),
    row(118, 15, 0, 0, 20261120, 0, [2000000, 200000, 2500000, 4000000, 10000000]),
    row(119, 15, 0, 0, 20261120, 0, [2000000, 100000, 2500000, 4000000, 10000000]),
    row(120, 0, 0, 0, 20261110, 0, [8000000, u32::MAX, u32::MAX, u32::MAX, 24000000]),
    row(121, 1, 0, 0, 20261120, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 12000000]),
    row(122, 1, 0, 0, 20261120, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 12000000]),
    row(123, 1, 0, 0, 20261120, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 12000000]),
    row(124, 0, 0, 0, 20261110, 0, [125000, u32::MAX, u32::MAX, u32::MAX, 375000]),
    row(125, 0, 0, 0, 20261110, 0, [125000, u32::MAX, u32::MAX, u32::MAX, 375000]),
    row(126, 0, 0, 0, 20261120, 0, [1250000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(126, 0, 0, 0, 20261120, 200000, [2500000, u32::MAX, u32::MAX, u32::MAX, 15000000]),
    row(127, 18, 0, 0, 20261120, 0, [300000, 30000, u32::MAX, u32::MAX, 2500000]),
    row(128, 18, 0, 0, 20261120, 0, [100000, 10000, u32::MAX, u32::MAX, 400000]),
    row(129, 0, 0, 0, 20261110, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(130, 18, 0, 0, 20261120, 0, [1250000, 125000, u32::MAX, u32::MAX, 10000000]),
    row(130, 18, 0, 0, 20261120, 200000, [2500000, 250000, u32::MAX, u32::MAX, 15000000]),
    row(131, 18, 0, 20260105, 20261120, 0, [500000, 50000, u32::MAX, u32::MAX, 3000000]),
    row(132, 0, 0, 0, 20261110, 0, [2000000, 200000, u32::MAX, u32::MAX, 12000000]),
    row(132, 0, 0, 0, 20261110, 200000, [4000000, 400000, u32::MAX, u32::MAX, 18000000]),
    row(132, 0, 0, 20260105, 20261110, 0, [2000000, 200000, u32::MAX, u32::MAX, 12000000]),
    row(132, 0, 0, 20260105, 20261110, 200000, [4000000, 400000, u32::MAX, u32::MAX, 18000000]),
    row(133, 7, 0, 0, 20261120, 0, [250000, 25000, u32::MAX, u32::MAX, 1500000]),
    row(134, 7, 0, 0, 20261120, 0, [250000, 25000, u32::MAX, u32::MAX, 1500000]),
    row(135, 18, 0, 0, 20261120, 0, [2000000, 200000, u32::MAX, u32::MAX, 12000000]),
    row(135, 18, 0, 0, 20261120, 200000, [4000000, 400000, u32::MAX, u32::MAX, 18000000]),
    row(136, 18, 0, 0, 20261120, 0, [2000000, 200000, u32::MAX, u32::MAX, 12000000]),
    row(136, 18, 0, 0, 20261120, 200000, [4000000, 400000, u32::MAX, u32::MAX, 18000000]),
    row(137, 19, 0, 0, 20261120, 0, [1500000, 150000, u32::MAX, u32::MAX, 9000000]),
    row(138, 1, 0, 0, 20261120, 0, [300000, 30000, u32::MAX, u32::MAX, 2500000]),
    row(139, 7, 0, 0, 20261120, 0, [750000, 75000, u32::MAX, u32::MAX, 3750000]),
    row(139, 7, 0, 20270101, 20261120, 0, [1500000, 150000, u32::MAX, u32::MAX, 7500000]),
    row(140, 7, 0, 0, 20261120, 0, [750000, 75000, u32::MAX, u32::MAX, 3750000]),
    row(140, 7, 0, 20270101, 20261120, 0, [1500000, 150000, u32::MAX, u32::MAX, 7500000]),
    row(141, 7, 0, 0, 20261120, 0, [750000, 75000, u32::MAX, u32::MAX, 3750000]),
    row(141, 7, 0, 20270101, 20261120, 0, [1500000, 150000, u32::MAX, u32::MAX, 7500000]),
    row(142, 7, 0, 0, 20261120, 0, [2000000, 100000, u32::MAX, u32::MAX, 10000000]),
    row(142, 7, 0, 20261201, 20261120, 0, [4000000, 200000, u32::MAX, u32::MAX, 20000000]),
    row(143, 7, 0, 20261110, 20261126, 0, [2000000, 100000, u32::MAX, u32::MAX, 10000000]),
    row(143, 7, 0, 20261201, 20261126, 0, [4000000, 200000, u32::MAX, u32::MAX, 20000000]),
    row(144, 7, 0, 0, 20261120, 0, [1500000, 75000, u32::MAX, u32::MAX, 7500000]),
    row(145, 0, 0, 0, 20261110, 0, [75000, 18750, u32::MAX, u32::MAX, 300000]),
    row(145, 0, 0, 0, 20261110, 128000, [150000, 37500, u32::MAX, u32::MAX, 600000]),
    row(146, 0, 0, 0, 20261110, 0, [37500, 10000, u32::MAX, u32::MAX, 150000]),
    row(146, 0, 0, 0, 20261110, 128000, [75000, 20000, u32::MAX, u32::MAX, 300000]),
    row(147, 7, 0, 0, 20261120, 0, [750000, 75000, u32::MAX, u32::MAX, 3750000]),
    row(147, 7, 0, 20270101, 20261120, 0, [1500000, 150000, u32::MAX, u32::MAX, 7500000]),
    row(148, 1, 0, 0, 20261120, 0, [300000, 30000, u32::MAX, u32::MAX, 2500000]),
    row(149, 0, 0, 0, 20261120, 0, [350000, u32::MAX, u32::MAX, u32::MAX, 1050000]),
    row(150, 0, 0, 0, 20261120, 0, [350000, u32::MAX, u32::MAX, u32::MAX, 1050000]),
    row(151, 0, 0, 0, 20261110, 0, [125000, u32::MAX, u32::MAX, u32::MAX, 375000]),
    row(152, 0, 0, 0, 20261110, 0, [1250000, 312500, u32::MAX, u32::MAX, 5000000]),
    row(152, 0, 0, 0, 20261110, 128000, [2500000, 625000, u32::MAX, u32::MAX, 10000000]),
    row(153, 19, 0, 0, 20261120, 0, [2000000, 200000, u32::MAX, u32::MAX, 12000000]),
    row(153, 19, 0, 0, 20261120, 200000, [4000000, 400000, u32::MAX, u32::MAX, 18000000]),
    row(154, 0, 0, 0, 20261110, 0, [650000, u32::MAX, u32::MAX, u32::MAX, 650000]),
    row(155, 0, 0, 0, 20261110, 0, [150000, 15000, u32::MAX, u32::MAX, 600000]),
    row(156, 0, 0, 0, 20261110, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(157, 0, 0, 0, 20261110, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(158, 0, 0, 0, 20261110, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(159, 0, 0, 0, 20261110, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(160, 0, 0, 0, 20261110, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(161, 0, 0, 0, 20261110, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(162, 0, 0, 0, 20261110, 0, [3000000, 750000, u32::MAX, u32::MAX, 15000000]),
    row(163, 0, 0, 0, 20261110, 0, [3000000, 750000, u32::MAX, u32::MAX, 15000000]),
    row(164, 0, 0, 0, 20261110, 0, [5000000, 1250000, u32::MAX, u32::MAX, 25000000]),
    row(165, 0, 0, 0, 20261110, 0, [5000000, 1250000, u32::MAX, u32::MAX, 25000000]),
    row(166, 0, 0, 0, 20261110, 0, [5000000, 1250000, u32::MAX, u32::MAX, 25000000]),
    row(167, 0, 0, 0, 20261110, 0, [3000000, 750000, u32::MAX, u32::MAX, 15000000]),
    row(168, 0, 0, 0, 20261110, 0, [300000, 75000, u32::MAX, u32::MAX, 500000]),
    row(169, 0, 0, 0, 20261110, 0, [300000, 75000, u32::MAX, u32::MAX, 500000]),
    row(170, 0, 0, 0, 20261110, 0, [600000, 150000, u32::MAX, u32::MAX, 4000000]),
    row(171, 0, 0, 0, 20261110, 0, [600000, 150000, u32::MAX, u32::MAX, 4000000]),
    row(172, 0, 0, 0, 20261110, 0, [600000, 150000, u32::MAX, u32::MAX, 4000000]),
    row(173, 0, 0, 0, 20261110, 0, [300000, 75000, u32::MAX, u32::MAX, 500000]),
    row(174, 0, 0, 0, 20261110, 0, [3000000, 750000, u32::MAX, u32::MAX, 15000000]),
    row(175, 0, 0, 0, 20261110, 0, [3000000, 750000, u32::MAX, u32::MAX, 15000000]),
    row(176, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(177, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(178, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(179, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(180, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(181, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(182, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(183, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(184, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(185, 0, 0, 0, 20261110, 0, [200000, 50000, u32::MAX, u32::MAX, 500000]),
    row(186, 0, 0, 0, 20261110, 0, [3000000, 750000, u32::MAX, u32::MAX, 15000000]),
    row(187, 20, 0, 20260430, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(187, 20, 0, 20260430, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(188, 20, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(188, 20, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(189, 20, 0, 20260430, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(189, 20, 0, 20260430, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(190, 20, 0, 20260430, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(190, 20, 0, 20260430, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(191, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(191, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(192, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(192, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(193, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(193, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(194, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(194, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(195, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(195, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(196, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(196, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(197, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(197, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(198, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(198, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(199, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(199, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(200, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(200, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(201, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(201, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(202, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(202, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(203, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(203, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(204, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(204, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(205, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(205, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(206, 20, 0, 20260430, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(206, 20, 0, 20260430, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(207, 20, 0, 20260430, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(207, 20, 0, 20260430, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(208, 0, 0, 20260430, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(208, 0, 0, 20260430, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(209, 0, 0, 20260430, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(209, 0, 0, 20260430, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(210, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(210, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(211, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(211, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(212, 20, 0, 20260430, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(212, 20, 0, 20260430, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(213, 20, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(213, 20, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(214, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(214, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(215, 20, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(215, 20, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(216, 20, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(216, 20, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(217, 0, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(217, 0, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(218, 20, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(218, 20, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(219, 20, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(219, 20, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(220, 20, 0, 0, 20261120, 0, [1250000, 200000, u32::MAX, u32::MAX, 2500000]),
    row(220, 20, 0, 0, 20261120, 200000, [2500000, 400000, u32::MAX, u32::MAX, 5000000]),
    row(221, 0, 0, 0, 20261120, 0, [2000000, 300000, u32::MAX, u32::MAX, 6000000]),
    row(221, 0, 0, 0, 20261120, 200000, [4000000, 600000, u32::MAX, u32::MAX, 12000000]),
    row(222, 0, 0, 0, 20261120, 0, [2000000, 300000, u32::MAX, u32::MAX, 6000000]),
    row(222, 0, 0, 0, 20261120, 200000, [4000000, 600000, u32::MAX, u32::MAX, 12000000]),
    row(223, 0, 0, 0, 20261120, 0, [2000000, 500000, u32::MAX, u32::MAX, 6000000]),
    row(223, 0, 0, 0, 20261120, 200000, [4000000, 1000000, u32::MAX, u32::MAX, 12000000]),
    row(224, 20, 0, 0, 20261120, 0, [2000000, 500000, u32::MAX, u32::MAX, 6000000]),
    row(224, 20, 0, 0, 20261120, 200000, [4000000, 1000000, u32::MAX, u32::MAX, 12000000]),
    row(225, 0, 0, 0, 20261120, 0, [1000000, 200000, u32::MAX, u32::MAX, 2000000]),
    row(225, 0, 0, 0, 20261120, 200000, [2000000, 400000, u32::MAX, u32::MAX, 4000000]),
    row(226, 0, 0, 0, 20261120, 0, [2000000, 300000, u32::MAX, u32::MAX, 6000000]),
    row(226, 0, 0, 0, 20261120, 200000, [4000000, 600000, u32::MAX, u32::MAX, 12000000]),
    row(227, 0, 0, 0, 20261120, 0, [1000000, 200000, u32::MAX, u32::MAX, 2000000]),
    row(227, 0, 0, 0, 20261120, 200000, [2000000, 400000, u32::MAX, u32::MAX, 4000000]),
    row(228, 0, 0, 0, 20261120, 0, [1000000, 200000, u32::MAX, u32::MAX, 2000000]),
    row(228, 0, 0, 0, 20261120, 200000, [2000000, 400000, u32::MAX, u32::MAX, 4000000]),
    row(229, 0, 0, 0, 20261120, 0, [1000000, 200000, u32::MAX, u32::MAX, 2000000]),
    row(229, 0, 0, 0, 20261120, 200000, [2000000, 400000, u32::MAX, u32::MAX, 4000000]),
    row(230, 0, 0, 0, 20261120, 0, [280000, 28000, u32::MAX, u32::MAX, 420000]),
    row(231, 0, 0, 0, 20261120, 0, [140000, 14000, u32::MAX, u32::MAX, 280000]),
    row(232, 0, 1, 0, 20261120, 0, [300000, 6000, 0, u32::MAX, 1200000]),
    row(233, 0, 0, 0, 20261120, 0, [550000, 140000, u32::MAX, u32::MAX, 2190000]),
    row(234, 0, 0, 0, 20261120, 0, [280000, 28000, u32::MAX, u32::MAX, 420000]),
    row(235, 0, 0, 0, 20261120, 0, [270000, 70000, 0, u32::MAX, 1100000]),
    row(236, 0, 0, 0, 20261110, 0, [270000, 130000, u32::MAX, u32::MAX, 950000]),
    row(237, 0, 0, 0, 20261120, 0, [280000, 28000, u32::MAX, u32::MAX, 400000]),
    row(238, 0, 0, 0, 20261110, 0, [270000, u32::MAX, u32::MAX, u32::MAX, 410000]),
    row(239, 0, 1, 0, 20261120, 0, [300000, 6000, 0, u32::MAX, 1200000]),
    row(240, 0, 1, 0, 20261120, 0, [300000, 6000, 0, u32::MAX, 1200000]),
    row(241, 0, 1, 0, 20261120, 0, [1320000, 44000, 0, u32::MAX, 3960000]),
    row(242, 3, 0, 0, 20261120, 0, [300000, 75000, u32::MAX, u32::MAX, 2500000]),
    row(243, 3, 0, 0, 20261120, 0, [1250000, 312500, u32::MAX, u32::MAX, 10000000]),
    row(244, 1, 0, 0, 20261120, 0, [60000, 15000, u32::MAX, u32::MAX, 240000]),
    row(245, 1, 0, 0, 20261120, 0, [35000, 8750, u32::MAX, u32::MAX, 140000]),
    row(246, 3, 0, 0, 20261120, 0, [2500000, 625000, u32::MAX, u32::MAX, 12500000]),
    row(247, 14, 0, 0, 20261120, 0, [800000, 200000, u32::MAX, u32::MAX, 3200000]),
    row(248, 0, 0, 0, 20261120, 0, [200000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(249, 0, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 200000]),
    row(250, 0, 0, 0, 20261120, 0, [500000, u32::MAX, u32::MAX, u32::MAX, 1500000]),
    row(251, 0, 0, 0, 20261120, 0, [800000, 80000, 1000000, u32::MAX, 4000000]),
    row(252, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(253, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(254, 0, 0, 0, 20261120, 0, [3600000, 360000, 4500000, u32::MAX, 18000000]),
    row(255, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(256, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(257, 0, 0, 0, 20261120, 0, [10000000, 1000000, 12500000, 20000000, 50000000]),
    row(258, 0, 0, 0, 20261120, 0, [10000000, 250000, 12500000, 20000000, 50000000]),
    row(259, 1, 0, 0, 20261120, 0, [1000000, 100000, 1250000, 2000000, 5000000]),
    row(260, 0, 0, 0, 20261120, 0, [1000000, 100000, 1250000, 2000000, 5000000]),
    row(261, 0, 0, 0, 20261120, 0, [100000, 10000, 125000, 200000, 500000]),
    row(261, 0, 0, 0, 20261120, 100000, [500000, 50000, 625000, 1000000, 2500000]),
    row(262, 0, 0, 0, 20261120, 0, [800000, u32::MAX, u32::MAX, u32::MAX, 2400000]),
    row(263, 0, 0, 0, 20261120, 0, [10000000, 250000, 12500000, 20000000, 50000000]),
    row(264, 0, 0, 0, 20261120, 0, [27500000, 2750000, 34375000, 55000000, 137500000]),
    row(265, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(266, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(267, 0, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(268, 0, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(269, 0, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(270, 0, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(271, 1, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(272, 0, 0, 0, 20261120, 0, [4000000, 200000, 5000000, 8000000, 20000000]),
    row(273, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(273, 0, 0, 0, 20261120, 200000, [6000000, 600000, 7500000, u32::MAX, 22500000]),
    row(274, 1, 0, 0, 20261120, 0, [3000000, 300000, 3750000, 6000000, 15000000]),
    row(274, 1, 0, 0, 20261120, 200000, [6000000, 600000, 7500000, 12000000, 22500000]),
    row(275, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, 6000000, 15000000]),
    row(276, 0, 0, 0, 20261120, 0, [2000000, 200000, 2500000, 4000000, 10000000]),
    row(277, 0, 0, 0, 20261120, 0, [2000000, 100000, 2500000, 4000000, 10000000]),
    row(278, 0, 0, 0, 20261120, 0, [8000000, u32::MAX, u32::MAX, u32::MAX, 24000000]),
    row(279, 0, 0, 0, 20261120, 0, [8000000, u32::MAX, u32::MAX, u32::MAX, 24000000]),
    row(280, 0, 0, 0, 20261120, 0, [396000, 99000, u32::MAX, u32::MAX, 3311000]),
    row(281, 0, 0, 0, 20261120, 0, [1375000, 343750, u32::MAX, u32::MAX, 11000000]),
    row(282, 0, 0, 0, 20261120, 0, [63000, 15750, u32::MAX, u32::MAX, 252000]),
    row(283, 0, 0, 0, 20261120, 0, [37000, 9250, u32::MAX, u32::MAX, 148000]),
    row(284, 21, 0, 0, 20261120, 0, [840000, 210000, u32::MAX, u32::MAX, 3360000]),
    row(285, 0, 0, 0, 20261120, 0, [11000000, 1100000, 13750000, 22000000, 55000000]),
    row(286, 1, 0, 0, 20261120, 0, [1100000, 110000, 1375000, u32::MAX, 5500000]),
    row(287, 0, 0, 0, 20261120, 0, [110000, 11000, 137500, 220000, 550000]),
    row(287, 0, 0, 0, 20261120, 100000, [550000, 55000, 687500, 1100000, 2750000]),
    row(288, 0, 0, 0, 20261120, 0, [27500000, 2750000, 34375000, 55000000, 137500000]),
    row(289, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(290, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(291, 1, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(292, 0, 0, 0, 20261120, 0, [4400000, 220000, 5500000, 8800000, 22000000]),
    row(293, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(293, 0, 0, 0, 20261120, 200000, [6000000, 600000, 7500000, u32::MAX, 22500000]),
    row(294, 0, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(295, 0, 0, 0, 20261120, 0, [2200000, 220000, 2750000, 4400000, 11000000]),
    row(296, 0, 0, 0, 20261120, 0, [2200000, 110000, 2750000, 4400000, 11000000]),
    row(297, 0, 0, 0, 20261120, 0, [11000000, 1100000, 13750000, 22000000, 55000000]),
    row(298, 1, 0, 0, 20261120, 0, [1100000, 110000, 1375000, 2200000, 5500000]),
    row(299, 0, 0, 0, 20261120, 0, [110000, 11000, 137500, 220000, 550000]),
    row(299, 0, 0, 0, 20261120, 100000, [550000, 55000, 687500, 1100000, 2750000]),
    row(300, 0, 0, 0, 20261120, 0, [27500000, 2750000, 34375000, 55000000, 137500000]),
    row(301, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(302, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(303, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(304, 1, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(305, 0, 0, 0, 20261120, 0, [4400000, 220000, 5500000, 8800000, 22000000]),
    row(306, 1, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(306, 1, 0, 0, 20261120, 200000, [6600000, 660000, 8250000, 13200000, 24750000]),
    row(307, 0, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(308, 0, 0, 0, 20261120, 0, [2200000, 220000, 2750000, 4400000, 11000000]),
    row(309, 0, 0, 0, 20261120, 0, [2200000, 110000, 2750000, 4400000, 11000000]),
    row(310, 0, 0, 0, 20261120, 0, [300000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(311, 0, 0, 0, 20261120, 0, [1000000, u32::MAX, u32::MAX, u32::MAX, 2000000]),
    row(312, 0, 0, 0, 20261120, 0, [1350000, u32::MAX, u32::MAX, u32::MAX, 5400000]),
    row(313, 0, 0, 0, 20261120, 0, [580000, u32::MAX, u32::MAX, u32::MAX, 1680000]),
    row(314, 14, 0, 0, 20261120, 0, [620000, u32::MAX, u32::MAX, u32::MAX, 1850000]),
    row(315, 0, 0, 0, 20261120, 0, [429000, 107250, u32::MAX, u32::MAX, 3597000]),
    row(316, 0, 0, 0, 20261120, 0, [1375000, 343750, u32::MAX, u32::MAX, 11000000]),
    row(317, 0, 0, 0, 20261120, 0, [78000, 19500, u32::MAX, u32::MAX, 312000]),
    row(318, 0, 0, 0, 20261120, 0, [46000, 11500, u32::MAX, u32::MAX, 184000]),
    row(319, 21, 0, 0, 20261120, 0, [1050000, 262500, u32::MAX, u32::MAX, 4200000]),
    row(320, 0, 0, 0, 20261120, 0, [800000, 80000, 1000000, u32::MAX, 4000000]),
    row(321, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(322, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(323, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(324, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(325, 0, 0, 0, 20261120, 0, [11000000, 1100000, 13750000, 22000000, 55000000]),
    row(326, 0, 0, 0, 20261120, 0, [11000000, 275000, 13750000, 22000000, 55000000]),
    row(327, 1, 0, 0, 20261120, 0, [1100000, 110000, 1375000, 2200000, 5500000]),
    row(328, 0, 0, 0, 20261120, 0, [110000, 11000, 137500, 220000, 550000]),
    row(328, 0, 0, 0, 20261120, 100000, [550000, 55000, 687500, 1100000, 2750000]),
    row(329, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(330, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(331, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(332, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(333, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(334, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(335, 1, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(336, 0, 0, 0, 20261120, 0, [4400000, 220000, 5500000, 8800000, 22000000]),
    row(337, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(337, 0, 0, 0, 20261120, 200000, [6000000, 600000, 7500000, u32::MAX, 22500000]),
    row(338, 1, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(338, 1, 0, 0, 20261120, 200000, [6600000, 660000, 8250000, 13200000, 24750000]),
    row(339, 0, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(340, 0, 0, 0, 20261120, 0, [2200000, 220000, 2750000, 4400000, 11000000]),
    row(341, 0, 0, 0, 20261120, 0, [2200000, 110000, 2750000, 4400000, 11000000]),
    row(342, 21, 0, 0, 20261120, 0, [740000, u32::MAX, u32::MAX, u32::MAX, 2220000]),
    row(343, 0, 0, 0, 20261120, 0, [130000, u32::MAX, u32::MAX, u32::MAX, 130000]),
    row(344, 0, 0, 0, 20261120, 0, [190000, u32::MAX, u32::MAX, u32::MAX, 190000]),
    row(345, 0, 0, 0, 20261120, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(346, 3, 0, 0, 20261120, 0, [300000, 75000, u32::MAX, u32::MAX, 2500000]),
    row(347, 0, 0, 0, 20261120, 0, [10000000, 1000000, 12500000, 20000000, 50000000]),
    row(348, 0, 0, 0, 20261120, 0, [10000000, 250000, 12500000, 20000000, 50000000]),
    row(349, 0, 0, 20261109, 20261126, 0, [8000000, 200000, 10000000, 16000000, 40000000]),
    row(350, 1, 0, 0, 20261120, 0, [1000000, 100000, 1250000, 2000000, 5000000]),
    row(351, 0, 0, 0, 20261120, 0, [100000, 10000, 125000, 200000, 500000]),
    row(351, 0, 0, 0, 20261120, 100000, [500000, 50000, 625000, 1000000, 2500000]),
    row(352, 0, 0, 0, 20261120, 0, [10000000, 250000, 12500000, 20000000, 50000000]),
    row(353, 0, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(354, 0, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(355, 0, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(356, 0, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(357, 1, 0, 0, 20261120, 0, [5000000, 500000, 6250000, 10000000, 25000000]),
    row(358, 0, 0, 0, 20261120, 0, [4000000, 200000, 5000000, 8000000, 20000000]),
    row(359, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(359, 0, 0, 0, 20261120, 200000, [6000000, 600000, 7500000, u32::MAX, 22500000]),
    row(360, 1, 0, 0, 20261120, 0, [3000000, 300000, 3750000, 6000000, 15000000]),
    row(360, 1, 0, 0, 20261120, 200000, [6000000, 600000, 7500000, 12000000, 22500000]),
    row(361, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, 6000000, 15000000]),
    row(362, 0, 0, 0, 20261120, 0, [2000000, 200000, 2500000, 4000000, 10000000]),
    row(363, 0, 0, 0, 20261120, 0, [2000000, 100000, 2500000, 4000000, 10000000]),
    row(364, 22, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(365, 22, 0, 0, 20261120, 0, [4000000, 200000, 5000000, u32::MAX, 20000000]),
    row(366, 0, 0, 0, 20261120, 0, [2500000, 250000, u32::MAX, u32::MAX, 15000000]),
    row(366, 0, 0, 0, 20261120, 272000, [5000000, 500000, u32::MAX, u32::MAX, 22500000]),
    row(367, 0, 0, 0, 20261120, 0, [5000000, 500000, u32::MAX, u32::MAX, 30000000]),
    row(367, 0, 0, 0, 20261120, 272000, [10000000, 1000000, u32::MAX, u32::MAX, 45000000]),
    row(368, 0, 0, 0, 20261120, 0, [200000, 20000, 250000, u32::MAX, 1200000]),
    row(368, 0, 0, 0, 20261120, 272000, [400000, 40000, 500000, u32::MAX, 1800000]),
    row(369, 0, 0, 20260821, 20261120, 0, [4000000, 400000, 5000000, u32::MAX, 20000000]),
    row(369, 0, 0, 20260821, 20261120, 272000, [8000000, 800000, 10000000, u32::MAX, 30000000]),
    row(370, 0, 0, 0, 20261120, 0, [2000000, 200000, 2500000, u32::MAX, 12000000]),
    row(370, 0, 0, 0, 20261120, 272000, [4000000, 400000, 5000000, u32::MAX, 18000000]),
    row(371, 23, 0, 0, 20261120, 0, [10000000, 1000000, 12500000, u32::MAX, 50000000]),
    row(371, 23, 0, 0, 20261120, 272000, [20000000, 2000000, 25000000, u32::MAX, 75000000]),
    row(372, 0, 0, 0, 20261120, 0, [100000, 10000, 125000, u32::MAX, 500000]),
    row(372, 0, 0, 0, 20261120, 272000, [200000, 20000, 250000, u32::MAX, 750000]),
    row(373, 0, 0, 0, 20261120, 0, [2000000, 200000, 2500000, u32::MAX, 10000000]),
    row(373, 0, 0, 0, 20261120, 272000, [4000000, 400000, 5000000, u32::MAX, 15000000]),
    row(374, 23, 0, 0, 20261120, 0, [2000000, 100000, 2500000, u32::MAX, 10000000]),
    row(374, 23, 0, 0, 20261120, 272000, [4000000, 200000, 5000000, u32::MAX, 15000000]),
    row(375, 0, 0, 0, 20261120, 0, [1000000, 50000, 1250000, u32::MAX, 5000000]),
    row(375, 0, 0, 0, 20261120, 272000, [2000000, 100000, 2500000, u32::MAX, 7500000]),
    row(376, 22, 0, 0, 20261120, 0, [2000000, 500000, u32::MAX, u32::MAX, 6000000]),
    row(377, 22, 0, 0, 20261120, 0, [2000000, 500000, u32::MAX, u32::MAX, 6000000]),
    row(378, 14, 0, 0, 20261120, 0, [1680000, 312000, 2100000, u32::MAX, 5280000]),
    row(379, 0, 0, 0, 20261120, 0, [90000, u32::MAX, u32::MAX, u32::MAX, 290000]),
    row(380, 0, 0, 0, 20261120, 0, [230000, u32::MAX, u32::MAX, u32::MAX, 380000]),
    row(381, 14, 0, 0, 20261120, 0, [40000, u32::MAX, u32::MAX, u32::MAX, 80000]),
    row(382, 22, 0, 0, 20261120, 0, [3300000, 330000, 4125000, u32::MAX, 16500000]),
    row(383, 22, 0, 0, 20261120, 0, [4400000, 220000, 5500000, u32::MAX, 22000000]),
    row(384, 14, 0, 0, 20261120, 0, [396000, 99000, u32::MAX, u32::MAX, 3311000]),
    row(385, 1, 0, 0, 20261120, 0, [1100000, 110000, 1375000, 2200000, 5500000]),
    row(386, 0, 0, 0, 20261120, 0, [110000, 11000, 137500, 220000, 550000]),
    row(386, 0, 0, 0, 20261120, 100000, [550000, 55000, 687500, 1100000, 2750000]),
    row(387, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(388, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(389, 1, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(390, 0, 0, 0, 20261120, 0, [4400000, 220000, 5500000, 8800000, 22000000]),
    row(391, 1, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(391, 1, 0, 0, 20261120, 200000, [6600000, 660000, 8250000, 13200000, 24750000]),
    row(392, 0, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(393, 0, 0, 0, 20261120, 0, [2200000, 220000, 2750000, 4400000, 11000000]),
    row(394, 0, 0, 0, 20261120, 0, [2200000, 110000, 2750000, 4400000, 11000000]),
    row(395, 0, 0, 0, 20261120, 0, [750000, u32::MAX, u32::MAX, u32::MAX, 1000000]),
    row(396, 0, 0, 0, 20261120, 0, [1950000, u32::MAX, u32::MAX, u32::MAX, 2560000]),
    row(397, 0, 0, 0, 20261120, 0, [2400000, u32::MAX, u32::MAX, u32::MAX, 2400000]),
    row(398, 1, 0, 0, 20261120, 0, [720000, u32::MAX, u32::MAX, u32::MAX, 720000]),
    row(399, 1, 0, 0, 20261120, 0, [220000, u32::MAX, u32::MAX, u32::MAX, 220000]),
    row(400, 0, 0, 0, 20261120, 0, [160000, u32::MAX, u32::MAX, u32::MAX, 160000]),
    row(401, 0, 0, 0, 20261120, 0, [100000, u32::MAX, u32::MAX, u32::MAX, 100000]),
    row(402, 0, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 150000]),
    row(403, 0, 0, 0, 20261120, 0, [720000, u32::MAX, u32::MAX, u32::MAX, 720000]),
    row(404, 1, 0, 0, 20261120, 0, [720000, u32::MAX, u32::MAX, u32::MAX, 720000]),
    row(405, 0, 0, 0, 20261120, 0, [2650000, u32::MAX, u32::MAX, u32::MAX, 3500000]),
    row(406, 0, 0, 0, 20261120, 0, [300000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(407, 1, 0, 0, 20261120, 0, [240000, u32::MAX, u32::MAX, u32::MAX, 970000]),
    row(408, 1, 0, 0, 20261120, 0, [170000, u32::MAX, u32::MAX, u32::MAX, 660000]),
    row(409, 8, 0, 0, 20261120, 0, [300000, u32::MAX, u32::MAX, u32::MAX, 1200000]),
    row(410, 14, 0, 0, 20261120, 0, [300000, u32::MAX, u32::MAX, u32::MAX, 1200000]),
    row(411, 14, 0, 0, 20261120, 0, [300000, u32::MAX, u32::MAX, u32::MAX, 1200000]),
    row(412, 14, 0, 0, 20261120, 0, [400000, u32::MAX, u32::MAX, u32::MAX, 2000000]),
    row(413, 8, 0, 0, 20261120, 0, [500000, u32::MAX, u32::MAX, u32::MAX, 1500000]),
    row(414, 14, 0, 0, 20261120, 0, [200000, u32::MAX, u32::MAX, u32::MAX, 200000]),
    row(415, 24, 0, 0, 20261120, 0, [100000, u32::MAX, u32::MAX, u32::MAX, 100000]),
    row(416, 0, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 150000]),
    row(417, 0, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 200000]),
    row(418, 0, 0, 0, 20261120, 0, [4000000, u32::MAX, u32::MAX, u32::MAX, 12000000]),
    row(419, 0, 0, 0, 20261120, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(420, 8, 0, 0, 20261120, 0, [500000, u32::MAX, u32::MAX, u32::MAX, 1500000]),
    row(421, 1, 0, 0, 20261120, 0, [1000000, u32::MAX, u32::MAX, u32::MAX, 3000000]),
    row(422, 0, 0, 0, 20261120, 0, [450000, u32::MAX, u32::MAX, u32::MAX, 700000]),
    row(423, 0, 0, 0, 20261120, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(424, 14, 0, 0, 20261120, 0, [40000, u32::MAX, u32::MAX, u32::MAX, 40000]),
    row(425, 8, 0, 0, 20261120, 0, [100000, u32::MAX, u32::MAX, u32::MAX, 300000]),
    row(426, 1, 0, 0, 20261120, 0, [600000, u32::MAX, u32::MAX, u32::MAX, 2500000]),
    row(427, 14, 0, 0, 20261120, 0, [600000, u32::MAX, u32::MAX, u32::MAX, 3000000]),
    row(428, 22, 0, 0, 20261120, 0, [3300000, 330000, 4125000, u32::MAX, 16500000]),
    row(429, 22, 0, 0, 20261120, 0, [4400000, 220000, 5500000, u32::MAX, 22000000]),
    row(430, 14, 0, 0, 20261120, 0, [200000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(431, 8, 0, 0, 20261120, 0, [60000, u32::MAX, u32::MAX, u32::MAX, 240000]),
    row(432, 0, 0, 0, 20261120, 0, [60000, u32::MAX, u32::MAX, u32::MAX, 230000]),
    row(433, 14, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 650000]),
    row(434, 0, 0, 0, 20261120, 0, [100000, 10000, 125000, u32::MAX, 500000]),
    row(434, 0, 0, 0, 20261120, 272000, [200000, 20000, 250000, u32::MAX, 750000]),
    row(435, 0, 0, 0, 20261120, 0, [2000000, 200000, 2500000, u32::MAX, 10000000]),
    row(435, 0, 0, 0, 20261120, 272000, [4000000, 400000, 5000000, u32::MAX, 15000000]),
    row(436, 14, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(437, 14, 0, 0, 20261120, 0, [70000, u32::MAX, u32::MAX, u32::MAX, 300000]),
    row(438, 0, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(439, 0, 0, 0, 20261120, 0, [70000, u32::MAX, u32::MAX, u32::MAX, 200000]),
    row(440, 8, 0, 0, 20261120, 0, [220000, u32::MAX, u32::MAX, u32::MAX, 880000]),
    row(441, 14, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(442, 3, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(443, 0, 0, 0, 20261120, 0, [450000, u32::MAX, u32::MAX, u32::MAX, 1800000]),
    row(444, 14, 0, 0, 20261120, 0, [500000, u32::MAX, u32::MAX, u32::MAX, 1200000]),
    row(445, 0, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 1200000]),
    row(446, 0, 0, 0, 20261120, 0, [530000, u32::MAX, u32::MAX, u32::MAX, 2660000]),
    row(447, 0, 0, 0, 20261120, 0, [12000000, 300000, 15000000, 24000000, 60000000]),
    row(448, 0, 0, 0, 20261120, 0, [120000, 12000, 150000, 240000, 600000]),
    row(448, 0, 0, 0, 20261120, 100000, [600000, 60000, 750000, 1200000, 3000000]),
    row(449, 0, 0, 0, 20261120, 0, [6000000, 600000, 7500000, 12000000, 30000000]),
    row(450, 1, 0, 0, 20261120, 0, [6000000, 600000, 7500000, 12000000, 30000000]),
    row(451, 0, 0, 0, 20261120, 0, [4800000, 240000, 6000000, 9600000, 24000000]),
    row(452, 0, 0, 0, 20261120, 0, [3600000, 360000, 4500000, 7200000, 18000000]),
    row(452, 0, 0, 0, 20261120, 200000, [7200000, 720000, 9000000, 14400000, 27000000]),
    row(453, 0, 0, 0, 20261120, 0, [2400000, 240000, 3000000, 4800000, 12000000]),
    row(454, 0, 0, 0, 20261120, 0, [2400000, 120000, 3000000, 4800000, 12000000]),
    row(455, 0, 0, 0, 20261120, 0, [240000, u32::MAX, u32::MAX, u32::MAX, 720000]),
    row(456, 0, 0, 0, 20261120, 0, [72000, u32::MAX, u32::MAX, u32::MAX, 288000]),
    row(457, 0, 0, 0, 20261120, 0, [72000, u32::MAX, u32::MAX, u32::MAX, 276000]),
    row(458, 0, 0, 0, 20261120, 0, [180000, u32::MAX, u32::MAX, u32::MAX, 780000]),
    row(459, 0, 0, 0, 20261120, 0, [180000, u32::MAX, u32::MAX, u32::MAX, 720000]),
    row(460, 0, 0, 0, 20261120, 0, [84000, u32::MAX, u32::MAX, u32::MAX, 360000]),
    row(461, 0, 0, 0, 20261120, 0, [2640000, 660000, u32::MAX, u32::MAX, 7920000]),
    row(462, 14, 0, 0, 20261120, 0, [2640000, 660000, u32::MAX, u32::MAX, 7920000]),
    row(463, 14, 0, 0, 20261120, 0, [330000, 82500, u32::MAX, u32::MAX, 2750000]),
    row(464, 3, 0, 0, 20261120, 0, [1375000, 343750, u32::MAX, u32::MAX, 11000000]),
    row(465, 1, 0, 0, 20261120, 0, [60000, 15000, u32::MAX, u32::MAX, 240000]),
    row(466, 1, 0, 0, 20261120, 0, [35000, 8750, u32::MAX, u32::MAX, 140000]),
    row(467, 14, 0, 0, 20261120, 0, [800000, 200000, u32::MAX, u32::MAX, 3200000]),
    row(468, 0, 0, 0, 20261120, 0, [800000, 80000, 1000000, u32::MAX, 4000000]),
    row(469, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(470, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(471, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(472, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(473, 0, 0, 0, 20261120, 0, [11000000, 1100000, 13750000, 22000000, 55000000]),
    row(474, 0, 0, 0, 20261120, 0, [11000000, 275000, 13750000, 22000000, 55000000]),
    row(475, 0, 0, 20261109, 20261126, 0, [8800000, 220000, 11000000, 17600000, 44000000]),
    row(476, 1, 0, 0, 20261120, 0, [1100000, 110000, 1375000, 2200000, 5500000]),
    row(477, 0, 0, 0, 20261120, 0, [110000, 11000, 137500, 220000, 550000]),
    row(477, 0, 0, 0, 20261120, 100000, [550000, 55000, 687500, 1100000, 2750000]),
    row(478, 0, 0, 0, 20261120, 0, [11000000, 1100000, 13750000, 22000000, 55000000]),
    row(479, 0, 0, 0, 20261120, 0, [11000000, 275000, 13750000, 22000000, 55000000]),
    row(480, 0, 0, 0, 20261120, 0, [27500000, 2750000, 34375000, 55000000, 137500000]),
    row(481, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(482, 0, 0, 0, 20261120, 0, [15000000, 1500000, 18750000, u32::MAX, 75000000]),
    row(483, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(484, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(485, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(486, 0, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(487, 1, 0, 0, 20261120, 0, [5500000, 550000, 6875000, 11000000, 27500000]),
    row(488, 0, 0, 0, 20261120, 0, [4400000, 220000, 5500000, 8800000, 22000000]),
    row(489, 0, 0, 0, 20261120, 0, [3000000, 300000, 3750000, u32::MAX, 15000000]),
    row(489, 0, 0, 0, 20261120, 200000, [6000000, 600000, 7500000, u32::MAX, 22500000]),
    row(490, 1, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(490, 1, 0, 0, 20261120, 200000, [6600000, 660000, 8250000, 13200000, 24750000]),
    row(491, 0, 0, 0, 20261120, 0, [3300000, 330000, 4125000, 6600000, 16500000]),
    row(492, 0, 0, 0, 20261120, 0, [2200000, 220000, 2750000, 4400000, 11000000]),
    row(493, 0, 0, 0, 20261120, 0, [2200000, 110000, 2750000, 4400000, 11000000]),
    row(494, 0, 0, 0, 20261120, 0, [1350000, u32::MAX, u32::MAX, u32::MAX, 5400000]),
    row(495, 14, 0, 0, 20261120, 0, [620000, u32::MAX, u32::MAX, u32::MAX, 1850000]),
    row(496, 0, 0, 0, 20261120, 0, [2400000, u32::MAX, u32::MAX, u32::MAX, 2400000]),
    row(497, 1, 0, 0, 20261120, 0, [720000, u32::MAX, u32::MAX, u32::MAX, 720000]),
    row(498, 1, 0, 0, 20261120, 0, [220000, u32::MAX, u32::MAX, u32::MAX, 220000]),
    row(499, 0, 0, 0, 20261120, 0, [160000, u32::MAX, u32::MAX, u32::MAX, 160000]),
    row(500, 0, 0, 0, 20261120, 0, [100000, u32::MAX, u32::MAX, u32::MAX, 100000]),
    row(501, 0, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 150000]),
    row(502, 0, 0, 0, 20261120, 0, [720000, u32::MAX, u32::MAX, u32::MAX, 720000]),
    row(503, 1, 0, 0, 20261120, 0, [720000, u32::MAX, u32::MAX, u32::MAX, 720000]),
    row(504, 1, 0, 0, 20261120, 0, [240000, u32::MAX, u32::MAX, u32::MAX, 970000]),
    row(505, 1, 0, 0, 20261120, 0, [170000, u32::MAX, u32::MAX, u32::MAX, 660000]),
    row(506, 0, 0, 0, 20261120, 0, [2000000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(507, 22, 0, 0, 20261120, 0, [3300000, 330000, 4125000, u32::MAX, 16500000]),
    row(508, 22, 0, 0, 20261120, 0, [4400000, 220000, 5500000, u32::MAX, 22000000]),
    row(509, 0, 0, 0, 20261120, 0, [2750000, 275000, u32::MAX, u32::MAX, 16500000]),
    row(509, 0, 0, 0, 20261120, 272000, [5500000, 550000, u32::MAX, u32::MAX, 24750000]),
    row(510, 0, 0, 0, 20261120, 0, [5500000, 550000, u32::MAX, u32::MAX, 33000000]),
    row(510, 0, 0, 0, 20261120, 272000, [11000000, 1100000, u32::MAX, u32::MAX, 49500000]),
    row(511, 0, 0, 20260730, 20261120, 0, [220000, 22000, 275000, u32::MAX, 1320000]),
    row(511, 0, 0, 20260730, 20261120, 272000, [440000, 44000, 550000, u32::MAX, 1980000]),
    row(512, 0, 0, 20260821, 20261120, 0, [4400000, 440000, 5500000, u32::MAX, 22000000]),
    row(512, 0, 0, 20260821, 20261120, 272000, [8800000, 880000, 11000000, u32::MAX, 33000000]),
    row(513, 0, 0, 20260730, 20261120, 0, [2200000, 220000, 2750000, u32::MAX, 13200000]),
    row(513, 0, 0, 20260730, 20261120, 272000, [4400000, 440000, 5500000, u32::MAX, 19800000]),
    row(514, 23, 0, 0, 20261120, 0, [11000000, 1100000, 13750000, u32::MAX, 55000000]),
    row(514, 23, 0, 0, 20261120, 272000, [22000000, 2200000, 27500000, u32::MAX, 82500000]),
    row(515, 0, 0, 0, 20261120, 0, [110000, 11000, 137500, u32::MAX, 550000]),
    row(515, 0, 0, 0, 20261120, 272000, [220000, 22000, 275000, u32::MAX, 825000]),
    row(516, 0, 0, 0, 20261120, 0, [2200000, 220000, 2750000, u32::MAX, 11000000]),
    row(516, 0, 0, 0, 20261120, 272000, [4400000, 440000, 5500000, u32::MAX, 16500000]),
    row(517, 23, 0, 0, 20261120, 0, [2200000, 110000, 2750000, u32::MAX, 11000000]),
    row(517, 23, 0, 0, 20261120, 272000, [4400000, 220000, 5500000, u32::MAX, 16500000]),
    row(518, 0, 0, 0, 20261120, 0, [1100000, 55000, 1375000, u32::MAX, 5500000]),
    row(518, 0, 0, 0, 20261120, 272000, [2200000, 110000, 2750000, u32::MAX, 8250000]),
    row(519, 0, 0, 0, 20261120, 0, [2500000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(520, 0, 0, 0, 20261120, 0, [600000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(521, 22, 0, 0, 20261120, 0, [2200000, 550000, u32::MAX, u32::MAX, 6600000]),
    row(522, 22, 0, 0, 20261120, 0, [2200000, 550000, u32::MAX, u32::MAX, 6600000]),
    row(523, 14, 0, 0, 20261120, 0, [1848000, 343200, 2310000, u32::MAX, 5808000]),
    row(524, 14, 0, 0, 20261120, 0, [150000, u32::MAX, u32::MAX, u32::MAX, 600000]),
    row(525, 0, 0, 0, 20261120, 0, [2500000, u32::MAX, u32::MAX, u32::MAX, 10000000]),
    row(526, 0, 0, 0, 20261120, 0, [600000, u32::MAX, u32::MAX, u32::MAX, 6000000]),
    row(527, 14, 0, 0, 20261120, 0, [600000, u32::MAX, u32::MAX, u32::MAX, 2200000]),
    row(528, 14, 0, 0, 20261120, 0, [70000, u32::MAX, u32::MAX, u32::MAX, 400000]),
    row(529, 3, 0, 0, 20261120, 0, [1000000, u32::MAX, u32::MAX, u32::MAX, 3200000]),
];
