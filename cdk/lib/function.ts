// The function, as a construct for any stack. In: its code and what it may use. Out: the Lambda
// function with its role, log group, bucket and URL.

import { Annotations, Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';

import { bedrockStatements } from './bedrock.ts';
import { promptBucket } from './bucket.ts';
import { destinationStatements } from './destinations.ts';

/** What a web page may send: a request, and one of the proofs of who it is. */
export const CORS_HEADERS = [
  'authorization',
  'content-type',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-api-key',
];

/** Who may call over HTTP. */
export type EndpointAuth = 'AWS_IAM' | 'API_KEY' | 'NONE';

export interface EndpointProps {
  /** Who may call; `NONE` is anybody, at your cost. Default: `AWS_IAM`. */
  readonly auth?: EndpointAuth;
  /** Origins of web pages that may call. Default: none, no CORS. */
  readonly allowedOrigins?: readonly string[];
  /** Accounts or ARNs of other accounts that may call, with `AWS_IAM`. Default: none. */
  readonly callers?: readonly string[];
}

export interface ResultsProps {
  /** The bucket of results. Default: the prompt bucket. */
  readonly bucket?: s3.IBucket;
  /** Their prefix, without slashes at its ends. */
  readonly prefix: string;
  /** How long they are kept, in a bucket that this construct makes. Default: for ever. */
  readonly expiration?: Duration;
}

export interface LlmExeFunctionProps {
  /** A zip or a folder with the binary as `bootstrap`; `functionCode` builds one. */
  readonly code: lambda.Code;
  /** What the code was built for. Default: x86_64. */
  readonly architecture?: lambda.Architecture;
  /** MB. Default: 512. */
  readonly memorySize?: number;
  /** Default: 300 seconds. */
  readonly timeout?: Duration;
  /** Default: what the account has. */
  readonly reservedConcurrentExecutions?: number;
  /** How often Lambda repeats a failed asynchronous call. Default: 0. */
  readonly retryAttempts?: number;
  /** Where failed asynchronous calls are told. Default: nowhere. */
  readonly onFailure?: lambda.IDestination;
  /** Default: 30 days. */
  readonly logRetention?: logs.RetentionDays;
  /** Keys are read from `/{secretsName}/Secret/*` in Parameter Store. Default: the stack's name. */
  readonly secretsName?: string;
  /** The bucket of keys that come without one. Default: a new bucket, kept when the stack goes. */
  readonly promptBucket?: s3.IBucket;
  /** Further buckets that configs are read from. Default: none. */
  readonly configBuckets?: readonly s3.IBucket[];
  /** Where results are stored. Default: they are not stored. */
  readonly results?: ResultsProps;
  /** A queue's URL or a bus's ARN that is told of each result. Default: nobody is. */
  readonly resultDestination?: string;
  /** Prefixes of destinations that requests may name themselves. Default: none. */
  readonly resultDestinationOverride?: readonly string[];
  /** Models of Amazon Bedrock: IDs, patterns, ARNs. Default: `anthropic.*` and `meta.*`. */
  readonly allowedBedrockModels?: readonly string[];
  /** A function URL. Default: none. */
  readonly endpoint?: EndpointProps;
  /** Who may call over HTTP, where not the function URL but an API asks. Default: the URL's. */
  readonly endpointAuth?: EndpointAuth;
  /** Further settings of docs/lambda.md. Default: none. Keys don't belong here. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What bounds the role. Default: nothing. */
  readonly permissionsBoundary?: iam.IManagedPolicy;
}

/** llm-exe as a Lambda function. */
export class LlmExeFunction extends Construct implements iam.IGrantable {
  /** The function itself. */
  readonly function: lambda.Function;
  /** Its role. */
  readonly role: iam.Role;
  /** The bucket that prompts live in. */
  readonly promptBucket: s3.IBucket;
  /** The function URL, if there is one. */
  readonly url?: lambda.FunctionUrl;
  readonly grantPrincipal: iam.IPrincipal;
  readonly #hasPlaceForResults: boolean;

  constructor(scope: Construct, id: string, props: LlmExeFunctionProps) {
    super(scope, id);
    this.#hasPlaceForResults = Boolean(props.results ?? props.resultDestination);
    const secretsName = props.secretsName ?? Stack.of(this).stackName;
    const auth = props.endpointAuth ?? props.endpoint?.auth ?? 'AWS_IAM';
    this.promptBucket =
      props.promptBucket ??
      promptBucket(this, 'Prompts', {
        ...(props.results &&
          !props.results.bucket && { expiringPrefix: `${props.results.prefix}/` }),
        ...(props.results?.expiration && { expiration: props.results.expiration }),
      });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'What llm-exe may do',
      ...(props.permissionsBoundary && { permissionsBoundary: props.permissionsBoundary }),
    });
    this.function = new lambda.Function(this, 'Function', {
      runtime: lambda.Runtime.PROVIDED_AL2023,
      handler: 'bootstrap',
      code: props.code,
      architecture: props.architecture ?? lambda.Architecture.X86_64,
      memorySize: props.memorySize ?? 512,
      timeout: props.timeout ?? Duration.seconds(300),
      description: 'llm-exe: one JSON request in, a checked answer of a language model out',
      role: this.role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
      ...(props.reservedConcurrentExecutions !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrentExecutions,
      }),
      environment: {
        ...props.environment,
        STACK_NAME: secretsName,
        ENDPOINT_AUTH: auth,
        AWS_S3_FILES_BUCKET_NAME: this.promptBucket.bucketName,
        ...this.otherSettings(props),
      },
    });
    this.function.configureAsyncInvoke({
      retryAttempts: props.retryAttempts ?? 0,
      ...(props.onFailure && { onFailure: props.onFailure }),
    });
    this.grantPrincipal = this.role;
    logGroup.grantWrite(this.role);
    this.allow(props, secretsName);
    if (props.endpoint) this.url = this.addUrl(props.endpoint);
  }

  /** Lets somebody invoke the function. */
  grantInvoke(grantee: iam.IGrantable): iam.Grant {
    return this.function.grantInvoke(grantee);
  }

  /** Lets somebody of this account call the function URL; both permissions that it takes. */
  grantInvokeUrl(grantee: iam.IGrantable): iam.Grant {
    if (!this.url) throw new Error('grantInvokeUrl: the function has no endpoint');
    return this.url.grantInvokeUrl(grantee);
  }

  /**
   * Adds a source of events, like `SqsEventSource`. Such a source does not receive results, so
   * that they need `results` or `resultDestination`.
   */
  addEventSource(source: lambda.IEventSource): void {
    if (!this.#hasPlaceForResults) {
      Annotations.of(this).addWarningV2(
        'llm-exe:addEventSource',
        'addEventSource: an event source does not receive results, so that they are paid for and ' +
          'lost; set results to store them, or resultDestination to send them',
      );
    }
    this.function.addEventSource(source);
  }

  /**
   * A task of Step Functions that gives the state's input, or `payload`, to the function and goes
   * on with its result. What passes by itself (limits, outages, timeouts) is tried again with
   * growing pauses. `OutputInvalid` is not, though another answer may fit: every one is paid for. A
   * `Catch` goes on without an answer, an `addRetry` of your own asks for another.
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
      errors: [
        'ProviderRateLimited',
        'ProviderUnavailable',
        'ConfigUnavailable',
        'SecretUnavailable',
        'ResultUnavailable',
        'Timeout',
        'Lambda.TooManyRequestsException',
      ],
      interval: Duration.seconds(5),
      backoffRate: 2,
      maxAttempts: 4,
      maxDelay: Duration.minutes(2),
      jitterStrategy: sfn.JitterType.FULL,
    });
    return task;
  }

  private otherSettings(props: LlmExeFunctionProps): Record<string, string> {
    const buckets = [this.promptBucket, ...(props.configBuckets ?? [])];
    const results = props.results;
    const bucket = results?.bucket ?? this.promptBucket;
    const override = props.resultDestinationOverride ?? [];
    return {
      ...(buckets.length > 1 && {
        CONFIG_BUCKETS: buckets.map((bucket) => bucket.bucketName).join(','),
      }),
      ...(results && { RESULT_PREFIX: `s3://${bucket.bucketName}/${results.prefix}` }),
      ...(props.resultDestination && { RESULT_DESTINATION: props.resultDestination }),
      ...(override.length > 0 && { RESULT_DESTINATION_OVERRIDE: override.join(',') }),
    };
  }

  private allow(props: LlmExeFunctionProps, secretsName: string): void {
    const { region, account } = Stack.of(this);
    const secrets = `arn:${Aws.PARTITION}:ssm:${region}:${account}:parameter/${secretsName}/Secret/*`;
    const buckets = [this.promptBucket, ...(props.configBuckets ?? [])];
    const statements = [
      // Without s3:ListBucket, S3 answers 403 where there is no such key.
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
    ]) {
      this.role.addToPolicy(statement);
    }
  }

  private addUrl({ auth = 'AWS_IAM', allowedOrigins = [], callers = [] }: EndpointProps) {
    const { AWS_IAM, NONE } = lambda.FunctionUrlAuthType;
    const url = this.function.addFunctionUrl({
      // An API key is checked by the function itself.
      authType: auth === 'AWS_IAM' ? AWS_IAM : NONE,
      ...(allowedOrigins.length > 0 && {
        cors: {
          allowedOrigins: [...allowedOrigins],
          allowedMethods: [lambda.HttpMethod.GET, lambda.HttpMethod.POST],
          allowedHeaders: [...CORS_HEADERS],
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
