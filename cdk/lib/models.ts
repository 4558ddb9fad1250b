// Checks the patterns of models, so that a pattern that matches no model is reported at synth.

import { suggestion } from './suggest.ts';

/**
 * Returns why a pattern of `ALLOWED_MODELS` is not valid or matches no model. The function compares
 * the pattern with `provider:model`.
 */
export function checkModelPattern(
  pattern: string,
  providers: readonly string[],
): string | undefined {
  if (pattern === '*') return undefined;
  if (!pattern.includes(':')) {
    return `expected a pattern such as openai:gpt-4o*, got ${JSON.stringify(pattern)}`;
  }
  // Names of providers and models can contain a colon too.
  const starts = [...pattern.matchAll(/:/g)].map(({ index }) => globOf(pattern.slice(0, index)));
  if (providers.some((provider) => starts.some((glob) => glob.test(provider)))) return undefined;
  const name = pattern.slice(0, pattern.indexOf(':'));
  const hint = suggestion(name, providers) || `; known: ${providers.join(', ')}`;
  return `unknown provider ${JSON.stringify(name)} in ${JSON.stringify(pattern)}${hint}`;
}

/** Returns the expression for a pattern in which `*` matches any characters. */
function globOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

/**
 * The geography at the start of a cross-region inference profile ID, such as us, us-gov, eu, apac
 * or global. Other two-letter geographies match too. Names of model providers do not match, because
 * they are longer.
 */
export const GEOGRAPHY = /^([a-z]{2}(-gov)?|apac|global)$/;

/** The ARN of a model or an inference profile, in which not everything is a wildcard. */
const MODEL_ARN = /^arn:aws[\w-]*:bedrock:[\w-]*:\d*:[a-z-]+\/(?=.*[A-Za-z0-9])[\w/.:*-]+$/;

/**
 * Returns whether an ID, a pattern or an ARN can match a model. The ID of a model is the name of its
 * provider, a dot and a name, like `meta.llama3-70b-instruct-v1:0`. A pattern without a letter, such
 * as `*`, is rejected, both alone and after a geography such as `us.`.
 */
export function canMatchBedrockModel(model: string): boolean {
  if (model.startsWith('arn:')) return MODEL_ARN.test(model);
  const [first = '', ...rest] = model.split('.');
  const pattern = GEOGRAPHY.test(first) && rest.length > 0 ? rest.join('.') : model;
  if (!/[a-z]/.test(pattern) || !/^[a-z0-9.:*-]+$/.test(pattern)) return false;
  const [start = '', ...others] = pattern.split('*');
  if (others.length === 0) return /^[a-z0-9]+\.[a-z0-9][a-z0-9.:-]*$/.test(pattern);
  return /^[a-z0-9]*$/.test(start) || /^[a-z0-9]+\.[a-z0-9.:-]*$/.test(start);
}
