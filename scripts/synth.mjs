// `npm run synth`: prints the template without calling AWS. Other arguments are passed to `cdk
// synth`.
// @ts-check

import { cdk, run } from './lib/command.mjs';

const help = `npm run synth -- [options]

Prints the CloudFormation template of the stack. It does not call AWS, and it needs no account,
region or profile. Other arguments are passed to \`cdk synth\`, for example --quiet.`;

await run({ help, isPartial: () => true }, (command) => cdk(command, ['synth', ...command.rest]));
