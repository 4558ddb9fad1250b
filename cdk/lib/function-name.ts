// The names of Lambda functions, as crates/llm-exe/src/function_name.rs parses them.

const PARTITION = 'aws[^:]*';
const REGION = '[a-z0-9-]{1,32}';
const ACCOUNT = String.raw`\d{12}`;
const NAME = '[A-Za-z0-9_-]{1,64}';
const QUALIFIER = String.raw`(?:\$LATEST|${NAME})`;

const ARN = new RegExp(
  `^arn:${PARTITION}:lambda:(?<region>${REGION}):(?<account>${ACCOUNT}):function:(?<name>${NAME})` +
    `(?::(?<qualifier>${QUALIFIER}))?$`,
);

/** A name, which may follow an account or the start of an ARN, and may end in `*`. */
const PATTERN = new RegExp(
  `^(?:(?:arn:${PARTITION}:lambda:${REGION}:)?${ACCOUNT}:function:)?(?:\\*|${NAME}\\*?)` +
    `(?::${QUALIFIER})?$`,
);

/** The parts of the ARN of a function, or of a version or an alias of it. */
export interface FunctionArn {
  readonly region: string;
  readonly account: string;
  readonly name: string;
  /** The version or the alias. */
  readonly qualifier?: string;
}

/** Parses the ARN of a function. Returns `undefined` for any other text. */
export function parseFunctionArn(text: string): FunctionArn | undefined {
  return ARN.exec(text)?.groups as FunctionArn | undefined;
}

/** Returns whether `TOOL_FUNCTIONS` accepts an item, which is a name or an ARN. */
export function isFunctionPattern(item: string): boolean {
  return PATTERN.test(item);
}
