// Draws the layout of a CloudWatch dashboard as SVG. The graphs are sketches: only the titles, the
// positions, the kinds, the axes and the legends are those of the dashboard.
// @ts-check

/**
 * @typedef {object} Widget A widget in the body of a dashboard.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 * @property {string} type
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {Record<string, any>} properties
 */

/** @typedef {{ x: number, y: number, width: number, height: number }} Box */

/** The size of a cell of the dashboard's grid, in pixels. */
const CELL = { width: 40, height: 27 };
const COLUMNS = 24;
const GAP = 4;
const PADDING = 10;
const COLORS = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b'];
/** The same colors for areas. */
const TINTS = ['#a5c8e1', '#ffcc9e', '#abd9ab', '#eeaaaa', '#d3c2e4', '#d0bbb7'];
/** The estimated width of a character, relative to the size of the font. */
const CHARACTER = 0.56;

/** Heights of sketched curves, from 0 to 1. */
const CURVE = [0.3, 0.42, 0.36, 0.55, 0.48, 0.62, 0.5, 0.58, 0.44, 0.52];

/**
 * Returns the bodies of the dashboards in a CloudFormation template. A value that is known only at
 * deployment is replaced with the name of its resource.
 *
 * @param {{ Resources: Record<string, { Type: string, Properties?: any }> }} template
 * @returns {{ widgets: Widget[] }[]}
 */
export function dashboardsOf(template) {
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === 'AWS::CloudWatch::Dashboard')
    .map(({ Properties }) => JSON.parse(textOf(Properties.DashboardBody)));
}

/** @param {any} value @returns {string} */
function textOf(value) {
  if (typeof value === 'string') return value;
  if (value['Fn::Join']) {
    const [separator, parts] = value['Fn::Join'];
    return parts.map(textOf).join(separator);
  }
  if (value['Ref']) return value['Ref'];
  if (value['Fn::GetAtt']) return value['Fn::GetAtt'].join('.');
  throw new Error(`unexpected value in the body of a dashboard: ${JSON.stringify(value)}`);
}

/**
 * Draws a dashboard as SVG.
 *
 * @param {{ widgets: Widget[] }} body
 * @returns {string}
 */
export function dashboardPicture({ widgets }) {
  const rows = Math.max(0, ...widgets.map(({ y, height }) => y + height));
  const width = COLUMNS * CELL.width + 2 * PADDING;
  const height = rows * CELL.height + 2 * PADDING;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
      `height="${height}" font-family="Helvetica, Arial, sans-serif" role="img">`,
    '<title>The layout of the CloudWatch dashboard</title>',
    '<desc>Written by scripts/update from the template. The curves are sketches.</desc>',
    `<rect width="${width}" height="${height}" fill="#f2f3f3"/>`,
    ...widgets.flatMap(drawWidget),
    '</svg>',
    '',
  ].join('\n');
}

/** @param {Widget} widget @returns {string[]} */
function drawWidget({ type, x, y, width, height, properties }) {
  const box = {
    x: PADDING + x * CELL.width + GAP,
    y: PADDING + y * CELL.height + GAP,
    width: width * CELL.width - 2 * GAP,
    height: height * CELL.height - 2 * GAP,
  };
  const frame = `<rect ${attributes(box)} rx="4" fill="#ffffff" stroke="#d5dbdb"/>`;
  if (type === 'text') {
    const lines = wrap(String(properties['markdown']).replaceAll('`', ''), box.width - 24, 12);
    return [
      '<g>',
      frame,
      ...lines.map((line, index) => text(line, box.x + 12, box.y + 19 + 15 * index, 12)),
      '</g>',
    ];
  }
  const { kind, legend, left, right } = contentOf(type, properties);
  const legendRows = kind === 'table' ? [] : layOut(legend, box.width - 24);
  const plot = {
    x: box.x + 16,
    y: box.y + 44,
    width: box.width - 32,
    height: box.height - 58 - 15 * legendRows.length,
  };
  const titleEnd = box.x + box.width - 12;
  const series = Math.max(1, Math.min(legend.length, COLORS.length));
  return [
    '<g>',
    frame,
    text(properties['title'] ?? '', box.x + 12, box.y + 19, 13, 'font-weight="bold"'),
    text(kind, titleEnd, box.y + 19, 11, 'text-anchor="end" fill="#687078"'),
    ...(left ? [text(left, box.x + 12, box.y + 36, 11, 'fill="#687078"')] : []),
    ...(right ? [text(right, titleEnd, box.y + 36, 11, 'text-anchor="end" fill="#687078"')] : []),
    ...sketch(kind, plot, series, legend),
    ...legendRows.flatMap((row, index) =>
      row.flatMap(({ label, offset, color }) => {
        const baseline = box.y + box.height - 8 - 15 * (legendRows.length - 1 - index);
        const at = box.x + 12 + offset;
        return [
          `<rect x="${at}" y="${baseline - 9}" width="10" height="10" fill="${color}"/>`,
          text(label, at + 14, baseline, 11),
        ];
      }),
    ),
    '</g>',
  ];
}

/**
 * Returns the kind of a widget, the names in its legend, and the labels of its axes.
 *
 * @param {string} type
 * @param {Record<string, any>} properties
 * @returns {{ kind: string, legend: string[], left?: string, right?: string }}
 */
function contentOf(type, properties) {
  const isStacked = Boolean(properties['stacked']);
  if (type === 'metric') {
    const kinds = { timeSeries: isStacked ? 'stacked areas' : 'lines', singleValue: 'numbers' };
    const view = /** @type {keyof typeof kinds} */ (properties['view']);
    return {
      kind: kinds[view] ?? view,
      legend: properties['metrics'].map(labelOf),
      left: properties['yAxis']?.left?.label,
      right: properties['yAxis']?.right?.label,
    };
  }
  if (type === 'log') {
    const view = properties['view'] ?? 'table';
    const kind = view === 'timeSeries' ? (isStacked ? 'stacked areas' : 'lines') : view;
    const { values, groups } = columnsOf(properties['query']);
    if (kind === 'table') return { kind, legend: [...groups, ...values] };
    return {
      kind: kind === 'bar' ? 'bars' : kind,
      legend: values,
      left: `by ${groups.join(', ')}`,
    };
  }
  return { kind: type, legend: [] };
}

/**
 * Returns the label of a metric. Dynamic labels, such as `${PROP('Dim.model')}`, are replaced with the
 * name of the dimension.
 *
 * @param {any[]} metric
 * @returns {string}
 */
function labelOf(metric) {
  const options = metric.find((part) => typeof part === 'object') ?? {};
  const label = options.label ?? options.expression ?? metric[1];
  return label.replaceAll(/\$\{PROP\('(?:Dim\.)?(\w+)'\)\}/g, '$1');
}

/**
 * Returns the columns of a query's result.
 *
 * @param {string} query
 * @returns {{ values: string[], groups: string[] }}
 */
function columnsOf(query) {
  const [, stats = '', by = ''] = /\bstats ([^|]*?) by ([^|\n]*)/.exec(query) ?? [];
  return {
    values: [...stats.matchAll(/ as (\w+)/g)].map(([, name = '']) => name),
    groups: by.split(',').map((name) => name.trim()),
  };
}

/** @param {string} kind @param {Box} plot @param {number} series @param {string[]} legend */
function sketch(kind, plot, series, legend) {
  const bottom = plot.y + plot.height;
  const axis = `<path d="M${plot.x} ${plot.y}V${bottom}H${plot.x + plot.width}" fill="none" stroke="#aab7b8"/>`;
  if (plot.height <= 0) return [];
  if (kind === 'table') return sketchTable(plot, legend);
  if (kind === 'bars') return [axis, ...sketchBars(plot)];
  const indexes = Array.from({ length: series }, (_, index) => index);
  if (kind === 'stacked areas') {
    // A stack of at least two areas shows the kind, even if one search finds all of them.
    const count = Math.max(2, series);
    const layers = Array.from({ length: count }, (_, index) => count - 1 - index);
    return [
      axis,
      ...layers.map((index) => {
        const points = curve(plot, (index + 1) / count, index);
        return `<path d="M${plot.x} ${bottom}L${points}L${plot.x + plot.width} ${bottom}Z" fill="${TINTS[index % TINTS.length]}"/>`;
      }),
    ];
  }
  return [
    axis,
    ...indexes.map((index) => {
      const points = curve(plot, (index + 1.2) / (series + 0.4), index);
      return `<path d="M${points}" fill="none" stroke="${COLORS[index % COLORS.length]}" stroke-width="1.5"/>`;
    }),
  ];
}

/** @param {Box} plot @param {number} scale @param {number} shift @returns {string} */
function curve(plot, scale, shift) {
  return CURVE.map((_, index) => {
    const value = CURVE[(index + 3 * shift) % CURVE.length] ?? 0;
    const x = plot.x + (plot.width * index) / (CURVE.length - 1);
    const y = plot.y + plot.height * (1 - scale * (0.55 + 0.6 * value));
    return `${round(x)} ${round(y)}`;
  }).join('L');
}

/** @param {Box} plot @returns {string[]} */
function sketchBars(plot) {
  const step = plot.width / CURVE.length;
  return CURVE.map((value, index) => {
    const height = plot.height * value;
    const bar = {
      x: plot.x + step * index + step * 0.2,
      y: plot.y + plot.height - height,
      width: step * 0.6,
      height,
    };
    return `<rect ${attributes(bar)} fill="${TINTS[0]}"/>`;
  });
}

/** @param {Box} plot @param {string[]} columns @returns {string[]} */
function sketchTable(plot, columns) {
  const step = plot.width / Math.max(1, columns.length);
  const lines = Math.floor(plot.height / 20);
  return [
    ...columns.map((name, index) =>
      text(name, plot.x + step * index, plot.y, 11, 'font-weight="bold"'),
    ),
    ...Array.from({ length: lines }, (_, index) => {
      const y = plot.y + 8 + 20 * index;
      return `<path d="M${plot.x} ${y}H${plot.x + plot.width}" stroke="#d5dbdb"/>`;
    }),
  ];
}

/**
 * Distributes the entries of a legend to rows.
 *
 * @param {string[]} labels
 * @param {number} width
 */
function layOut(labels, width) {
  /** @type {{ label: string, offset: number, color: string }[][]} */
  const rows = [];
  let offset = width;
  for (const [index, label] of labels.entries()) {
    const needed = 14 + label.length * 11 * CHARACTER + 14;
    if (offset + needed > width + 14 || rows.length === 0) {
      rows.push([]);
      offset = 0;
    }
    const color = COLORS[index % COLORS.length] ?? '';
    rows.at(-1)?.push({ label, offset: round(offset), color });
    offset += needed;
  }
  return rows;
}

/** @param {string} content @param {number} width @param {number} size @returns {string[]} */
function wrap(content, width, size) {
  const limit = Math.floor(width / (size * CHARACTER));
  /** @type {string[]} */
  const lines = [''];
  for (const word of content.split(/\s+/)) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= limit || line === '') lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @param {string} content @param {number} x @param {number} y @param {number} size */
function text(content, x, y, size, more = '') {
  const fill = more.includes('fill=') ? '' : ' fill="#16191f"';
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}"${fill}${more && ` ${more}`}>${escaped}</text>`;
}

/** @param {Box} box @returns {string} */
function attributes({ x, y, width, height }) {
  return `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
}

/** @param {number} value @returns {number} */
function round(value) {
  return Math.round(value * 10) / 10;
}
