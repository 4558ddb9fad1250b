// Draws the dashboard of a template as SVG, for example of a stack with other queues:
//
//     npm run --silent synth -- --json -c dashboardEnabled=true > template.json
//     node scripts/dashboard-picture.mjs template.json > dashboard.svg
//
// docs/dashboard.svg is written by scripts/update.
// @ts-check

import { readFileSync } from 'node:fs';

import { dashboardPicture, dashboardsOf } from './lib/dashboard-picture.mjs';

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: node scripts/dashboard-picture.mjs TEMPLATE.json > PICTURE.svg');
  process.exit(2);
}
const [body] = dashboardsOf(JSON.parse(readFileSync(path, 'utf8')));
if (body === undefined) {
  console.error(`${path}: the template has no dashboard; set dashboardEnabled`);
  process.exit(1);
}
process.stdout.write(dashboardPicture(body));
