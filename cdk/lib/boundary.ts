// The options that need more permissions than the shipped boundary allows. For each, a file
// in documentation/setup contains the statement to add to the boundary.

import type { Config } from './config.ts';
import { XRAY } from './settings.ts';

export interface BoundaryAddition {
  readonly option: keyof Config;
  /** The name of the policy is `LlmExeLambdaCdk{name}Policy`. */
  readonly name: string;
  /** What the shipped boundary does not allow. */
  readonly actions: string;
  readonly isNeeded: (config: Config) => boolean;
}

export const BOUNDARY_ADDITIONS: readonly BoundaryAddition[] = [
  {
    option: 'httpApiEnabled',
    name: 'HttpApi',
    actions: 'API Gateway actions',
    isNeeded: ({ httpApiEnabled }) => httpApiEnabled,
  },
  {
    option: 'dashboardEnabled',
    name: 'Dashboard',
    actions: 'actions on dashboards',
    isNeeded: ({ dashboardEnabled }) => dashboardEnabled,
  },
  {
    option: 'traceDestination',
    name: 'Spans',
    actions: 'xray:PutSpans',
    isNeeded: ({ traceDestination }) => traceDestination === XRAY,
  },
  {
    option: 'layers',
    name: 'Layers',
    actions: 'lambda:GetLayerVersion',
    isNeeded: ({ layers }) => layers.length > 0,
  },
];
