// `npm run synth`: prints the template without calling AWS. Other arguments are passed to `cdk
// synth`.
// @ts-check

import { cdk, run } from './lib/command.mjs';

await run((command) => cdk(command, ['synth', ...command.rest]));
