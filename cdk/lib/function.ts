// The construct `LlmExeFunction`: the Lambda function and its role, log group, prompt bucket and
// function URL.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Annotations, Aws, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';

import { bedrockStatements, mantleStatements } from './bedrock.ts';
import { promptBucket } from './bucket.ts';
import { destinationStatements } from './destinations.ts';
import { canMatchBedrockModel } from './models.ts';
import { checkProgram, type ArchitectureName } from './program.ts';
import {
  checkHeaderSettings,
  checkSettings,
  checkTraceDestination,
  isObjectPrefix,
  priceBucket,
} from './settings.ts';
import {
  checkEnvironmentSize,
  checkOwnArn,
  checkToolArns,
  toolArns,
  toolStatements,
} from './tool-functions.ts';
import { traceSettings, traceStatements } from './traces.ts';

/**
 * The request headers that web pages may send: the content type, and the headers that AWS_IAM and
 * API_KEY require.
 */
export const CORS_HEADERS = [
  'authorization',
  'content-type',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-api-key',
];

/** The response headers that web pages may read, besides those that every page may read. */
export const CORS_EXPOSED_HEADERS = ['retry-after', 'x-llm-exe-warnings'];

/** The function's errors that `asTask` retries. docs/errors.md lists all errors. */
const RETRIED_ERRORS = [
  'ProviderRateLimited',
  'ProviderUnavailable',
  'ConfigUnavailable',
  'SecretUnavailable',
  'ResultUnavailable',
  'Timeout',
];

/** How HTTP callers are authenticated. With `NONE`, anyone can call the function at your cost. */
export type EndpointAuth = 'AWS_IAM' | 'API_KEY' | 'NONE';

export interface EndpointProps {
  /** How callers of the function URL are authenticated. Default: `AWS_IAM`. */
  readonly auth?: EndpointAuth;
  /**
   * The origins of web pages that may call the function. Default: none, without a CORS
   * configuration.
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Other AWS accounts that may call the function with `AWS_IAM`, as account IDs or ARNs of IAM
   * identities. Default: none.
   */
  readonly callers?: readonly string[];
}

export interface ResultsProps {
  /** The bucket that stores results. Default: the prompt bucket. */
  readonly bucket?: s3.IBucket;
  /** The prefix of results, without leading or trailing slashes. */
  readonly prefix: string;
  /**
   * When results expire. This is used only if the construct creates the bucket. Default: never.
   */
  readonly expiration?: Duration;
}

export interface LlmExeFunctionProps {
  /**
   * A zip file or a folder that contains the binary as `bootstrap`. Default: the zip in the
   * package, if it contains one for the architecture.
   */
  readonly code?: lambda.Code;
  /** The architecture of the code. Default: x86_64. */
  readonly architecture?: lambda.Architecture;
  /** The memory of the function in MB. Default: 512. */
  readonly memorySize?: number;
  /** The maximum duration of an invocation. Default: 300 seconds. */
  readonly timeout?: Duration;
  /** The reserved concurrency. Default: none, so the account limit applies. */
  readonly reservedConcurrentExecutions?: number;
  /** How many times Lambda retries a failed asynchronous invocation. Default: 0. */
  readonly retryAttempts?: number;
  /** The destination for failed asynchronous invocations. Default: none. */
  readonly onFailure?: lambda.IDestination;
  /** How long log events are retained. Default: 30 days. */
  readonly logRetention?: logs.RetentionDays;
  /**
   * The name in the path `/{secretsName}/Secret/*`, under which the function reads keys from
   * Parameter Store. Default: the name of the stack.
   */
  readonly secretsName?: string;
  /**
   * The bucket for hosted configs whose request does not name a bucket. Default: a new bucket,
   * which is retained when the stack is deleted.
   */
  readonly promptBucket?: s3.IBucket;
  /** Other buckets from which requests may load hosted configs. Default: none. */
  readonly configBuckets?: readonly s3.IBucket[];
  /** Where results are stored. Default: results are not stored. */
  readonly results?: ResultsProps;
  /**
   * The URL of the SQS queue or the ARN of the event bus that receives each result. Default: none.
   */
  readonly resultDestination?: string;
  /** The prefixes of destinations that a request may set for its own result. Default: none. */
  readonly resultDestinationOverride?: readonly string[];
  /**
   * The Amazon Bedrock models that the function may call, as IDs, patterns or ARNs. Default:
   * `anthropic.*` and `meta.*`.
   */
  readonly allowedBedrockModels?: readonly string[];
  /**
   * The Lambda functions that requests may use as tools. The function may invoke exactly these: a
   * version or an alias does not include its function, nor a function its versions. Default: none.
   */
  readonly toolFunctions?: readonly lambda.IFunction[];
  /** Whether HTTP callers may use `toolFunctions` in their requests. Default: `false`. */
  readonly toolsFromHttp?: boolean;
  /** The configuration of the function URL. Default: the function has no URL. */
  readonly endpoint?: EndpointProps;
  /**
   * How callers of an HTTP API or a load balancer are authenticated. Default: `endpoint.auth`.
   */
  readonly endpointAuth?: EndpointAuth;
  /**
   * Whether the function URL streams the responses to requests with `stream`. The URL of a function
   * in a VPC can't stream. Requires `endpoint`. Default: `false`.
   */
  readonly responseStreaming?: boolean;
  /**
   * Where the function sends its traces: `xray`, or the URL of an OpenTelemetry collector, such as
   * that of an extension in `layers`. Default: nowhere.
   */
  readonly traceDestination?: string;
  /** The layers of the function, such as that of an OpenTelemetry collector. Default: none. */
  readonly layers?: readonly lambda.ILayerVersion[];
  /** Additional settings from docs/lambda.md. Do not put API keys here. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The permissions boundary of the function's role. Default: none. */
  readonly permissionsBoundary?: iam.IManagedPolicy;
  /**
   * The VPC of the function, for providers with a private address. The subnets need a route to the
   * providers and to the endpoints of AWS. Default: the function is not in a VPC.
   */
  readonly vpc?: ec2.IVpc;
  /** The subnets of the function. Default: those that the CDK chooses. */
  readonly vpcSubnets?: ec2.SubnetSelection;
  /** The security groups of the function. Default: a new group that allows outbound traffic. */
  readonly securityGroups?: readonly ec2.ISecurityGroup[];
}

/** The llm-exe Lambda function and the resources that it needs. */
export class LlmExeFunction extends Construct implements iam.IGrantable {
  /** The Lambda function. */
  readonly function: lambda.Function;
  /** The execution role of the function. */
  readonly role: iam.Role;
  /** The default bucket for hosted configs. */
  readonly promptBucket: s3.IBucket;
  /** The function URL, if `endpoint` is set. */
  readonly url?: lambda.FunctionUrl;
  readonly grantPrincipal: iam.IPrincipal;
  readonly #storesOrSendsResults: boolean;

  constructor(scope: Construct, id: string, props: LlmExeFunctionProps = {}) {
    super(scope, id);
    const architecture = props.architecture ?? lambda.Architecture.X86_64;
    const code = props.code ?? packagedCode(architecture);
    this.checkProps(props, code, architecture);
    this.#storesOrSendsResults = Boolean(props.results ?? props.resultDestination);
    const secretsName = props.secretsName ?? Stack.of(this).stackName;
    const auth = props.endpointAuth ?? props.endpoint?.auth ?? 'AWS_IAM';
    this.promptBucket =
      props.promptBucket ??
      promptBucket(this, 'Prompts', {
        ...(props.results && !props.results.bucket && { resultPrefix: `${props.results.prefix}/` }),
        ...(props.results?.expiration && { expiration: props.results.expiration }),
      });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Permissions of the llm-exe function',
      ...(props.permissionsBoundary && { permissionsBoundary: props.permissionsBoundary }),
    });
    this.function = new lambda.Function(this, 'Function', {
      runtime: lambda.Runtime.PROVIDED_AL2023,
      handler: 'bootstrap',
      code,
      architecture,
      memorySize: props.memorySize ?? 512,
      timeout: props.timeout ?? Duration.seconds(300),
      description:
        'llm-exe: runs a JSON request against a language model and returns the checked result',
      role: this.role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
      ...(props.reservedConcurrentExecutions !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      }),
      ...(props.layers && { layers: [...props.layers] }),
      ...(props.vpc && {
        vpc: props.vpc,
        vpcSubnets: props.vpcSubnets,
        ...(props.securityGroups && { securityGroups: [...props.securityGroups] }),
      }),
      environment: {
        ...props.environment,
        STACK_NAME: secretsName,
        ENDPOINT_AUTH: auth,
        AWS_S3_FILES_BUCKET_NAME: this.promptBucket.bucketName,
        ...this.computedSettings(props),
      },
    });
    this.function.configureAsyncInvoke({
      retryAttempts: props.retryAttempts ?? 0,
      ...(props.onFailure && { onFailure: props.onFailure }),
    });
    this.grantPrincipal = this.role;
    logGroup.grantWrite(this.role);
    this.grantAccess(props, secretsName);
    const tools = toolArns(props.toolFunctions);
    this.node.addValidation({
      validate: () => [
        ...checkOwnArn(this.function, tools).map((problem) => `toolFunctions: ${problem}`),
        ...checkEnvironmentSize(this.function, tools),
      ],
    });
    if (props.endpoint) this.url = this.addUrl(props.endpoint, props.responseStreaming ?? false);
  }

  /** Grants permission to invoke the function (`lambda:InvokeFunction`). */
  grantInvoke(grantee: iam.IGrantable): iam.Grant {
    return this.function.grantInvoke(grantee);
  }

  /**
   * Grants an identity of this account both permissions that calling the function URL requires.
   *
   * @throws Error if the function has no URL
   */
  grantInvokeUrl(grantee: iam.IGrantable): iam.Grant {
    if (!this.url) throw new Error('grantInvokeUrl: the function has no URL; set endpoint');
    return this.url.grantInvokeUrl(grantee);
  }

  /**
   * Adds an event source, such as `SqsEventSource`. Event sources do not receive results, so set
   * `results` or `resultDestination`.
   */
  addEventSource(source: lambda.IEventSource): void {
    if (!this.#storesOrSendsResults) {
      Annotations.of(this).addWarningV2(
        'llm-exe:addEventSource',
        'addEventSource: an event source does not receive results, so the results that you pay ' +
          'for are lost; set results to store them, or resultDestination to send them',
      );
    }
    this.function.addEventSource(source);
  }

  /**
   * Creates a Step Functions task that invokes the function and returns its result. The function's
   * input is `payload`, or by default the state's input. Temporary errors (rate limits, outages,
   * timeouts) are retried with exponential backoff. `OutputInvalid` is not retried, because each
   * additional reply costs money. Add a `Catch` to continue without a result, or your own
   * `addRetry`.
   */
  asTask(
    scope: Construct,
    id: string,
    props: Partial<tasks.LambdaInvokeProps> = {},
  ): tasks.LambdaInvoke {
    const task = new tasks.LambdaInvoke(scope, id, {
      lambdaFunction: this.function,
      outputPath: '$.Payload',
      ...props,
    });
    task.addRetry({
      errors: [...RETRIED_ERRORS, 'Lambda.TooManyRequestsException'],
      interval: Duration.seconds(5),
      backoffRate: 2,
      maxAttempts: 4,
      maxDelay: Duration.minutes(2),
      jitterStrategy: sfn.JitterType.FULL,
    });
    return task;
  }

  /**
   * Rejects settings, models and code with which the function would not start or would refuse each
   * request. Values that are known only at deployment are not checked.
   */
  private checkProps(
    props: LlmExeFunctionProps,
    code: lambda.Code,
    architecture: lambda.Architecture,
  ): void {
    const problems = checkEnvironment(props);
    for (const model of props.allowedBedrockModels ?? []) {
      if (Token.isUnresolved(model) || canMatchBedrockModel(model)) continue;
      problems.push(
        'allowedBedrockModels: expected a model ID, a pattern like "anthropic.*", or an ARN, ' +
          `got ${JSON.stringify(model)}`,
      );
    }
    const tools = toolArns(props.toolFunctions);
    problems.push(...checkToolArns(tools).map((problem) => `toolFunctions: ${problem}`));
    if (props.toolsFromHttp && tools.length === 0 && !props.environment?.['TOOL_FUNCTIONS']) {
      problems.push('toolsFromHttp: requires toolFunctions, the functions that callers may use');
    }
    if (props.responseStreaming && !props.endpoint) {
      problems.push('responseStreaming: requires endpoint, because only the function URL streams');
    }
    problems.push(...this.checkTraces(props));
    const prefix = props.results?.prefix;
    const isPrefix = prefix === undefined || Token.isUnresolved(prefix) || isObjectPrefix(prefix);
    if (!isPrefix) {
      problems.push(
        `results: expected a prefix without leading or trailing slashes, got "${prefix}"`,
      );
    }
    // `cdk destroy` and `cdk list` do not deploy the code, which may then be a placeholder.
    if (code instanceof lambda.AssetCode && Stack.of(this).bundlingRequired) {
      const problem = checkProgram(code.path, architecture.name as ArchitectureName);
      if (problem) problems.push(`code: ${problem}`);
    }
    if (problems.length > 0) {
      throw new Error(problems.map((problem) => `${this.node.path}: ${problem}`).join('\n'));
    }
  }

  private checkTraces({ traceDestination, layers = [] }: LlmExeFunctionProps): string[] {
    const problems: string[] = [];
    if (traceDestination !== undefined && !Token.isUnresolved(traceDestination)) {
      const problem = checkTraceDestination(traceDestination);
      if (problem) problems.push(`traceDestination: ${problem}`);
    }
    const { region } = Stack.of(this);
    if (Token.isUnresolved(region)) return problems;
    for (const { layerVersionArn: arn } of layers) {
      const [, , , layerRegion] = Token.isUnresolved(arn) ? [] : arn.split(':');
      if (layerRegion === undefined || layerRegion === region) continue;
      problems.push(`layers: expected a layer in ${region}, the region of the stack, got ${arn}`);
    }
    return problems;
  }

  private computedSettings(props: LlmExeFunctionProps): Record<string, string> {
    const buckets = [this.promptBucket, ...(props.configBuckets ?? [])];
    const results = props.results;
    const bucket = results?.bucket ?? this.promptBucket;
    const override = props.resultDestinationOverride ?? [];
    const tools = toolArns(props.toolFunctions);
    return {
      ...(buckets.length > 1 && {
        CONFIG_BUCKETS: buckets.map((bucket) => bucket.bucketName).join(','),
      }),
      ...(results && { RESULT_PREFIX: `s3://${bucket.bucketName}/${results.prefix}` }),
      ...(props.resultDestination && { RESULT_DESTINATION: props.resultDestination }),
      ...(override.length > 0 && { RESULT_DESTINATION_OVERRIDE: override.join(',') }),
      ...(tools.length > 0 && { TOOL_FUNCTIONS: tools.join(',') }),
      ...(props.toolsFromHttp && { TOOLS_FROM_HTTP: 'true' }),
      ...(props.responseStreaming && { RESPONSE_STREAMING: 'url' }),
      ...(props.traceDestination && traceSettings(props.traceDestination, Stack.of(this).region)),
    };
  }

  private grantAccess(props: LlmExeFunctionProps, secretsName: string): void {
    const { region, account } = Stack.of(this);
    const secrets = `arn:${Aws.PARTITION}:ssm:${region}:${account}:parameter/${secretsName}/Secret/*`;
    const buckets = [this.promptBucket, ...(props.configBuckets ?? [])];
    const statements = [
      // Without s3:ListBucket, S3 returns 403 for a missing key instead of 404.
      {
        sid: 'TellMissingPrompts',
        actions: ['s3:ListBucket'],
        on: buckets.map((b) => b.bucketArn),
      },
      {
        sid: 'ReadPrompts',
        actions: ['s3:GetObject', 's3:GetObjectVersion'],
        on: buckets.map((bucket) => bucket.arnForObjects('*')),
      },
      { sid: 'ReadKeys', actions: ['ssm:GetParameter'], on: [secrets] },
      {
        sid: 'DecryptKeys',
        actions: ['kms:Decrypt'],
        on: [`arn:${Aws.PARTITION}:kms:${region}:${account}:key/*`],
        conditions: {
          StringEquals: { 'kms:ViaService': `ssm.${region}.${Aws.URL_SUFFIX}` },
          StringLike: { 'kms:EncryptionContext:PARAMETER_ARN': secrets },
        },
      },
    ];
    for (const { on, ...rest } of statements) {
      this.role.addToPolicy(new iam.PolicyStatement({ ...rest, resources: on }));
    }
    if (props.results) {
      const bucket = props.results.bucket ?? this.promptBucket;
      this.role.addToPolicy(
        new iam.PolicyStatement({
          sid: 'KeepResults',
          actions: ['s3:GetObject', 's3:PutObject'],
          resources: [bucket.arnForObjects(`${props.results.prefix}/*`)],
        }),
      );
      if (props.results.bucket) {
        this.role.addToPolicy(
          new iam.PolicyStatement({
            sid: 'TellMissingResults',
            actions: ['s3:ListBucket'],
            resources: [bucket.bucketArn],
          }),
        );
      }
    }
    const destinations = [
      ...(props.resultDestination ? [props.resultDestination] : []),
      ...(props.resultDestinationOverride ?? []).map((prefix) => `${prefix}*`),
    ];
    const models = props.allowedBedrockModels ?? ['anthropic.*', 'meta.*'];
    for (const statement of [
      ...destinationStatements(destinations),
      ...bedrockStatements(this, models),
      ...mantleStatements(this, props.environment?.['AWS_BEDROCK_BASE_URL']),
      ...toolStatements(toolArns(props.toolFunctions)),
      ...traceStatements(props.traceDestination),
    ]) {
      this.role.addToPolicy(statement);
    }
  }

  private addUrl(
    { auth = 'AWS_IAM', allowedOrigins = [], callers = [] }: EndpointProps,
    isStreaming: boolean,
  ) {
    const { AWS_IAM, NONE } = lambda.FunctionUrlAuthType;
    const url = this.function.addFunctionUrl({
      // With API_KEY, the function itself checks the keys.
      authType: auth === 'AWS_IAM' ? AWS_IAM : NONE,
      ...(isStreaming && { invokeMode: lambda.InvokeMode.RESPONSE_STREAM }),
      ...(allowedOrigins.length > 0 && {
        cors: {
          allowedOrigins: [...allowedOrigins],
          allowedMethods: [lambda.HttpMethod.GET, lambda.HttpMethod.POST],
          allowedHeaders: [...CORS_HEADERS],
          exposedHeaders: [...CORS_EXPOSED_HEADERS],
          maxAge: Duration.hours(1),
        },
      }),
    });
    for (const [index, caller] of callers.entries()) {
      const grant = { principal: new iam.ArnPrincipal(caller), scope: this };
      this.function.addPermission(`Caller${index}Url`, {
        ...grant,
        action: 'lambda:InvokeFunctionUrl',
        functionUrlAuthType: AWS_IAM,
      });
      this.function.addPermission(`Caller${index}Function`, {
        ...grant,
        action: 'lambda:InvokeFunction',
        invokedViaFunctionUrl: true,
      });
    }
    return url;
  }
}

/** The properties that always set these settings. A value in `environment` would have no effect. */
const PROPERTY_OF_SETTING: Readonly<Record<string, keyof LlmExeFunctionProps>> = {
  STACK_NAME: 'secretsName',
  ENDPOINT_AUTH: 'endpointAuth',
  AWS_S3_FILES_BUCKET_NAME: 'promptBucket',
};

/** The properties that set these settings if they have a value. */
const OPTIONAL_PROPERTY_OF_SETTING: Readonly<Record<string, keyof LlmExeFunctionProps>> = {
  CONFIG_BUCKETS: 'configBuckets',
  RESULT_PREFIX: 'results',
  RESULT_DESTINATION: 'resultDestination',
  RESULT_DESTINATION_OVERRIDE: 'resultDestinationOverride',
  TOOL_FUNCTIONS: 'toolFunctions',
  TOOLS_FROM_HTTP: 'toolsFromHttp',
  RESPONSE_STREAMING: 'responseStreaming',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'traceDestination',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'traceDestination',
};

function checkEnvironment(props: LlmExeFunctionProps): string[] {
  const { environment = {}, results } = props;
  const known = Object.entries(environment).filter(([, value]) => !Token.isUnresolved(value));
  const problems = known.flatMap(([name]) => {
    const optional = OPTIONAL_PROPERTY_OF_SETTING[name];
    const isSet = optional && props[optional] !== undefined;
    const property = PROPERTY_OF_SETTING[name] ?? (isSet ? optional : undefined);
    return property ? [`${name} is set by the property ${property}; use that instead`] : [];
  });
  const headers = checkHeaderSettings(Object.keys(environment));
  problems.push(...(headers.length > 0 ? headers : checkSettings(Object.fromEntries(known))));
  if (known.some(([name]) => name === 'OFFLOAD_RESULTS_OVER') && !results) {
    problems.push('OFFLOAD_RESULTS_OVER requires results, where large results are stored');
  }
  const bucket = priceBucket(environment['PRICES']);
  // The name of a bucket that the construct creates is not known here.
  const buckets = [props.promptBucket, ...(props.configBuckets ?? [])];
  const isReadable = buckets.some((readable) => readable?.bucketName === bucket);
  if (bucket !== undefined && !Token.isUnresolved(bucket) && !isReadable) {
    problems.push(
      `PRICES is in the bucket ${bucket}, which the function can't read; put the object into the ` +
        'prompt bucket and set PRICES to its key, or add the bucket to configBuckets',
    );
  }
  return problems.map((problem) => `environment: ${problem}`);
}

/**
 * Returns the zip that the package contains for an architecture.
 *
 * @throws Error if the package was built without a zip for the architecture
 */
function packagedCode({ name }: lambda.Architecture): lambda.Code {
  // The sources of the package are ES modules, which have no `__dirname` and no zips.
  const folder = typeof __dirname === 'string' ? join(__dirname, '..', 'zips') : undefined;
  const zip = folder && join(folder, `llm-exe-lambda-${name}.zip`);
  if (zip && existsSync(zip)) return lambda.Code.fromAsset(zip);
  throw new Error(
    `LlmExeFunction: the package contains no zip for ${name}; set code, for example ` +
      `Code.fromAsset('llm-exe-lambda-${name}.zip')`,
  );
}
