// The constructs that other stacks can use. docs/deploy.md describes them.

export { LlmExeBatch, type BatchFormat, type LlmExeBatchProps } from './batch.ts';
export { promptBucket, type PromptBucketProps } from './bucket.ts';
export { functionCode, type ArchitectureName, type CodeProps } from './code.ts';
export {
  LlmExeFunction,
  type EndpointAuth,
  type EndpointProps,
  type LlmExeFunctionProps,
  type ResultsProps,
} from './function.ts';
