// A CloudWatch dashboard of the function: calls, errors, durations, tokens, costs and queues.

import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  SearchExpression,
  TextWidget,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import type { LlmExeFunction } from './function.ts';
import { failedRequestsMetric, NAMESPACE } from './metrics.ts';

const PERIOD = Duration.minutes(5);
const MILLISECONDS = { label: 'ms', min: 0, showUnits: false };

/** The number of columns of a dashboard. */
const COLUMNS = 24;
const HALF = { width: COLUMNS / 2, height: 6 };
const THIRD = { width: COLUMNS / 3, height: 6 };

/** The label of a metric that CloudWatch found, with the values of its dimensions. */
const MODEL_LABEL = "${PROP('Dim.provider')}:${PROP('Dim.model')}, ${PROP('Dim.source')}";

export interface LlmExeDashboardProps {
  readonly function: LlmExeFunction;
  /** The queue of requests. Default: none, without a graph of its age. */
  readonly queue?: sqs.IQueue;
  /** The queues of failed messages and events, by their labels. Default: none. */
  readonly deadLetterQueues?: Readonly<Record<string, sqs.IQueue>>;
  /** The name, which must be unique in the account. Default: a generated name. */
  readonly dashboardName?: string;
}

/**
 * A dashboard with the calls, errors and durations of a function, and with the calls, tokens and
 * costs of the models.
 */
export class LlmExeDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: LlmExeDashboardProps) {
    super(scope, id);
    this.dashboard = new Dashboard(this, 'Dashboard', {
      ...(props.dashboardName && { dashboardName: props.dashboardName }),
      widgets: [
        ...functionRows(props.function),
        [
          new TextWidget({
            markdown:
              'The graphs below cover all llm-exe functions of this account in this region: their ' +
              `metrics (namespace \`${NAMESPACE}\`) have no name of a function.`,
            width: COLUMNS,
            height: 2,
          }),
        ],
        ...modelRows(),
        ...queueRows(props.queue, props.deadLetterQueues ?? {}),
      ],
    });
  }
}

/** Returns the widgets about the function. Log queries show data that is not a metric. */
function functionRows(llm: LlmExeFunction): IWidget[][] {
  return [callRow(llm), durationRow(llm), [learnedTable(llm)]];
}

function callRow(llm: LlmExeFunction): IWidget[] {
  const sum = (metricName: 'Invocations' | 'Errors' | 'Throttles', label: string): IMetric =>
    llm.function.metric(metricName, { label, period: PERIOD, statistic: 'Sum' });
  return [
    new GraphWidget({
      title: 'Calls of the function',
      left: [
        sum('Invocations', 'invocations'),
        sum('Errors', 'failed invocations'),
        failedRequestsMetric(llm.function, PERIOD).with({ label: 'failed requests' }),
        sum('Throttles', 'throttled invocations'),
      ],
      leftYAxis: { label: 'count', min: 0, showUnits: false },
      ...HALF,
    }),
    new LogQueryWidget({
      title: 'Errors by type',
      logGroupNames: [llm.function.logGroup.logGroupName],
      queryLines: [
        'filter ispresent(errorType)',
        'stats count(*) as failed by errorType',
        'sort failed desc',
      ],
      view: LogQueryVisualizationType.BAR,
      ...HALF,
    }),
  ];
}

function durationRow({ function: fn }: LlmExeFunction): IWidget[] {
  const duration = (statistic: string): IMetric =>
    fn.metricDuration({ label: statistic, period: PERIOD, statistic });
  const logGroupNames = [fn.logGroup.logGroupName];
  return [
    new GraphWidget({
      title: 'Duration of the function',
      left: [duration('p50'), duration('p99')],
      leftYAxis: MILLISECONDS,
      ...THIRD,
    }),
    new LogQueryWidget({
      title: 'Provider and the rest (ms)',
      logGroupNames,
      // Calls of concurrent records and steps overlap: their sum is not a part of the duration.
      queryLines: [
        'filter ispresent(providerMs) and not ispresent(records) and durationMs >= providerMs',
        'fields durationMs - providerMs as restMs',
        'stats pct(providerMs, 50) as providerP50, pct(providerMs, 99) as providerP99, ' +
          'pct(restMs, 50) as restP50, pct(restMs, 99) as restP99 by bin(5m)',
      ],
      view: LogQueryVisualizationType.LINE,
      ...THIRD,
    }),
    new LogQueryWidget({
      title: 'Cold starts',
      logGroupNames,
      // The type of booleans in queries is not documented, so search the text of the line.
      queryLines: [
        'filter @message like /"coldStart":true/',
        'stats count(*) as coldStarts by bin(5m)',
      ],
      view: LogQueryVisualizationType.BAR,
      ...THIRD,
    }),
  ];
}

/** Returns a table with a row for each change that the function learned. */
function learnedTable({ function: fn }: LlmExeFunction): IWidget {
  return new LogQueryWidget({
    title: 'Learned capabilities of models',
    logGroupNames: [fn.logGroup.logGroupName],
    queryLines: [
      'filter @message like /"capabilityLearned":/',
      'fields jsonParse(@message) as line',
      'unnest line.capabilityLearned into learned',
      'stats count(*) as times, latest(@timestamp) as lastTime by learned.provider, ' +
        'learned.model, learned.field, learned.change',
      'sort lastTime desc',
      'limit 50',
    ],
    view: LogQueryVisualizationType.TABLE,
    width: COLUMNS,
    height: 6,
  });
}

/** Returns the widgets about the models. The metrics exist only once a provider has replied. */
function modelRows(): IWidget[][] {
  const search = (
    dimensions: string,
    metricName: string,
    statistic: string,
    label: string,
  ): IMetric => {
    const query = `{${NAMESPACE},${dimensions}} MetricName="${metricName}"`;
    const expression = `SEARCH('${query}', '${statistic}', ${PERIOD.toSeconds()})`;
    return new SearchExpression({ expression, label, period: PERIOD });
  };
  const byModel = (metricName: string, statistic = 'Sum', label = MODEL_LABEL): IMetric =>
    search('source,provider,model', metricName, statistic, label);
  const stacked = (title: string, metricName: string, axis: string): IWidget =>
    new GraphWidget({
      title,
      left: [byModel(metricName)],
      leftYAxis: { label: axis, min: 0, showUnits: false },
      stacked: true,
      ...THIRD,
    });
  return [
    [
      new GraphWidget({
        title: 'Calls of providers by model',
        left: [
          byModel('attempts'),
          search('source', 'attempts', 'Sum', "no reply, ${PROP('Dim.source')}"),
        ],
        leftYAxis: { label: 'calls', min: 0, showUnits: false },
        stacked: true,
        ...HALF,
      }),
      new GraphWidget({
        title: 'Duration of the provider by model',
        left: ['p50', 'p99'].map((p) => byModel('providerMs', p, `${p} ${MODEL_LABEL}`)),
        leftYAxis: MILLISECONDS,
        ...HALF,
      }),
    ],
    [
      stacked('Input tokens by model', 'inputTokens', 'tokens'),
      stacked('Output tokens by model', 'outputTokens', 'tokens'),
      stacked('Cost by model', 'costUsd', 'US dollars'),
    ],
  ];
}

function queueRows(
  queue: sqs.IQueue | undefined,
  deadLetterQueues: Readonly<Record<string, sqs.IQueue>>,
): IWidget[][] {
  const row: IWidget[] = [];
  const maximum = { period: PERIOD, statistic: 'Maximum' };
  if (queue) {
    row.push(
      new GraphWidget({
        title: 'Queue of requests',
        left: [queue.metricApproximateAgeOfOldestMessage({ ...maximum, label: 'oldest message' })],
        leftYAxis: { label: 'seconds', min: 0, showUnits: false },
        right: [queue.metricApproximateNumberOfMessagesVisible({ ...maximum, label: 'waiting' })],
        rightYAxis: { label: 'messages', min: 0, showUnits: false },
        ...HALF,
      }),
    );
  }
  const failed = Object.entries(deadLetterQueues);
  if (failed.length > 0) {
    row.push(
      new GraphWidget({
        title: 'Dead-letter queues',
        left: failed.map(([label, deadLetters]) =>
          deadLetters.metricApproximateNumberOfMessagesVisible({ ...maximum, label }),
        ),
        leftYAxis: { label: 'messages', min: 0, showUnits: false },
        ...HALF,
      }),
    );
  }
  return row.length > 0 ? [row] : [];
}
