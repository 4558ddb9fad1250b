// `npm run synth`: prints the template, and asks AWS nothing. Further arguments are for `cdk synth`.
// @ts-check

import { cdk, run } from './lib/command.mjs';

await run((command) => cdk(command, ['synth', ...command.rest]));
