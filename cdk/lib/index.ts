// The constructs of the package llm-exe-lambda. README.md describes them.

export { LlmExeBatch, type BatchFormat, type LlmExeBatchProps } from './batch.ts';
export { promptBucket, type PromptBucketProps } from './bucket.ts';
export { LlmExeDashboard, type LlmExeDashboardProps } from './dashboard.ts';
export {
  LlmExeFunction,
  type EndpointAuth,
  type EndpointProps,
  type LlmExeFunctionProps,
  type ResultsProps,
} from './function.ts';
export { type ArchitectureName } from './program.ts';
