/**
 * How long pages take in Debian's Chromium, beside Prometheus' own: `node bench/pages.ts [--checks 10000] [--alerts 50000] [--targets 10000]
 * [--runs 5] [--part overview,dashboard,chart,lists,prometheus]`. Every opening has a browser context of its own, so nothing is cached; a figure
 * is the median of its runs, from the start of the navigation until what is named stands in a frame. Needs a build, `apt-get install chromium
 * prometheus`.
 */
import { parseArgs } from 'node:util';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { type Nines, startNines } from '../test/harness/nines.ts';
import { poll } from '../test/harness/poll.ts';
import { startPrometheus } from '../test/harness/prometheus.ts';
import { WRITE_HEADERS } from '../test/harness/remote-write.ts';
import { launch, openPage } from '../test/pages/browser.ts';
import { labelBytes, snappy, timeSeries } from './remote-write.mjs';

const { values: flags } = parseArgs({
  options: {
    checks: { type: 'string', default: '10000' },
    alerts: { type: 'string', default: '50000' },
    targets: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '5' },
    part: { type: 'string', default: 'overview,dashboard,chart,lists,prometheus' },
  },
});
const [CHECKS, ALERTS, TARGETS, RUNS] = [flags.checks, flags.alerts, flags.targets, flags.runs].map(Number) as [
  number,
  number,
  number,
  number,
];
const parts = new Set(flags.part.split(','));

/** 100 series with 1 000 values each. */
const SERIES = 100;
const VALUES = 1_000;
const STEP_MS = 15_000;
const CHECKS_PER_SERVICE = 10;
const ALERTS_PER_REQUEST = 1_000;
const PANELS = 20;

/** When a state first stood in a frame, and every task of the page that held it for 50 ms and more. */
const WATCH = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((one) => one.duration))).observe({ type: 'longtask', buffered: true });
  globalThis.whenStands = (holds) => new Promise((resolve) => {
    const look = () => (holds() ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look));
    look();
  });
`;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const shown = (ms: number): string => (ms < 10 ? ms.toFixed(1) : ms.toFixed(0));
const say = (what: string, figures: string): void => console.log(`${what}: ${figures}`);

/** Opens a page `RUNS` times, each with nothing cached, and gives the median of when `holds` (JavaScript) first stood in a frame. */
async function opening(browser: Browser, url: string, holds: string): Promise<string> {
  const took: number[] = [];
  const busy: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const page = await watched(browser, url);
    took.push(await page.evaluate<number>(`whenStands(() => ${holds})`));
    busy.push(await processorMs(page));
    await page.context().close();
  }
  return `${shown(median(took))} ms (${took.map(shown).join(', ')}), ${shown(median(busy))} ms of them processor time of its main thread`;
}

/** Processor time that the page's main thread has spent on tasks since its metrics were switched on, before the navigation. */
async function processorMs(page: Page): Promise<number> {
  const session = sessions.get(page);
  if (session === undefined) throw new Error('a page without metrics');
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1000;
}
const sessions = new WeakMap<Page, CDPSession>();

async function watched(browser: Browser, url: string, prepare?: (context: BrowserContext) => Promise<void>): Promise<Page> {
  const { page } = await openPage(browser, new URL(url).origin);
  await page.context().addInitScript(WATCH);
  await prepare?.(page.context());
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  sessions.set(page, session);
  await page.goto(url, { waitUntil: 'commit' });
  return page;
}

/** Two hundred frames, a hundred pixels further with each; how evenly they came, and what held the page in between. */
async function scrolling(page: Page): Promise<string> {
  const { frames, tasks, top } = await page.evaluate<{ frames: number[]; tasks: number[]; top: number }>(`new Promise((resolve) => {
    longTasks.length = 0;
    const frames = [];
    let last = performance.now();
    const beat = (at) => {
      frames.push(at - last);
      last = at;
      scrollBy(0, 100);
      if (frames.length <= 200) requestAnimationFrame(beat);
      else setTimeout(() => resolve({ frames, tasks: longTasks, top: scrollY }), 100);
    };
    requestAnimationFrame(beat);
  })`);
  const sorted = frames.slice(1).sort((a, b) => a - b);
  const at = (share: number): string => shown(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return `frames p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, worst ${at(1)} ms; ${tasks.length} tasks of 50 ms and more${
    tasks.length === 0 ? '' : ` (worst ${shown(Math.max(...tasks))})`
  }; ${Math.round(top)} pixels`;
}

/** The same values for whoever takes remote write. */
async function writeSeries(base: string): Promise<void> {
  const toMs = Math.floor(Date.now() / STEP_MS) * STEP_MS;
  const labels = Array.from({ length: SERIES }, (_, at) =>
    labelBytes({ __name__: 'bench_value', instance: `host-${at}:9100`, job: 'bench' }),
  );
  for (let value = 0; value < VALUES; value += 20) {
    const body = Array.from({ length: 20 }, (_, more) => value + more).flatMap((round) =>
      labels.map((encoded, at) => timeSeries(encoded, at + Math.sin(round / 40 + at) * 8, toMs - (VALUES - round) * STEP_MS)),
    );
    const answer = await fetch(`${base}/api/v1/write`, {
      method: 'POST',
      headers: WRITE_HEADERS,
      body: new Uint8Array(snappy(Buffer.concat(body))),
    });
    if (!answer.ok) throw new Error(`${base} takes no samples: ${answer.status} ${await answer.text()}`);
  }
}

/** Passive checks: nothing is asked while pages are timed. */
function configOf(): string {
  const services = Array.from({ length: CHECKS / CHECKS_PER_SERVICE }, (_, service) => ({
    id: `service-${service}`,
    name: `Service ${service}`,
    checks: Array.from({ length: CHECKS_PER_SERVICE }, (__, check) => ({
      id: `check-${service}-${check}`,
      kind: 'heartbeat',
      period: '1h',
      grace: '1h',
    })),
  }));
  return JSON.stringify({ services });
}

async function sendAlerts(nines: Nines): Promise<void> {
  for (let first = 0; first < ALERTS; first += ALERTS_PER_REQUEST) {
    const alerts = Array.from({ length: ALERTS_PER_REQUEST }, (_, at) => ({
      labels: { alertname: 'QueueIsLong', severity: at % 3 === 0 ? 'critical' : 'warning', queue: `q${first + at}`, team: `t${at % 20}` },
      annotations: { summary: `Queue q${first + at} has ${at} entries` },
    }));
    const { status, text } = await nines.send('POST', '/api/v2/alerts', alerts);
    if (status !== 200) throw new Error(`alerts are refused: ${status} ${text}`);
  }
  await poll('all alerts to be open', async () => (await nines.get<{ total: number }>('/api/alerts/counts')).json.total >= ALERTS, 600_000);
}

const panelOf = (at: number) => {
  const expr = `bench_value{instance=~"host-${at}.*"}`;
  return { kind: ['line', 'card', 'bar', 'gauge'][at % 4], title: `Panel ${at}`, source: { from: 'promql', queries: [{ expr }] } };
};

async function makeDashboards(nines: Nines): Promise<void> {
  const panels = Object.fromEntries(Array.from({ length: PANELS }, (_, at) => [`p${at}`, panelOf(at)]));
  const one = { kind: 'line', title: 'All', source: { from: 'promql', queries: [{ expr: 'bench_value' }] } };
  for (const [id, shownPanels] of [
    ['twenty', panels],
    ['points', { one }],
  ] as const) {
    const layout = { kind: 'three_columns', sections: [{ panels: Object.keys(shownPanels) }] };
    const made = await nines.send('POST', '/api/dashboards', { id, title: id, panels: shownPanels, layout, range: '4h' });
    if (made.status !== 201) throw new Error(made.text);
  }
}

/** Nothing is being read any more. */
const READ = `document.querySelector('.loading') === null && ![...document.querySelectorAll('.chart-empty')].some((one) => one.textContent.startsWith('Reading'))`;

/**
 * A chart of 100 000 points on our page: the answer of the range query is given here, as many values as a panel would never ask for; from the
 * moment it was received until the last line was drawn.
 */
async function chart(browser: Browser, base: string): Promise<string> {
  const took: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const page = await watched(browser, `${base}/dashboards/points?refresh=off`, async (context) => {
      await context.addInitScript(`{ const text = Response.prototype.text;
        Response.prototype.text = async function () { const read = await text.call(this); if (read.length > 1e6) globalThis.received ??= performance.now(); return read; };
        const stroke = CanvasRenderingContext2D.prototype.stroke;
        CanvasRenderingContext2D.prototype.stroke = function (...given) { globalThis.strokes = (globalThis.strokes ?? 0) + 1; globalThis.lastStroke = performance.now(); return stroke.apply(this, given); }; }`);
      await context.route('**/api/v1/query_range*', async (route) => {
        const url = new URL(route.request().url());
        const form = new URLSearchParams(route.request().postData() ?? url.search);
        const [from, to] = [Number(form.get('start')), Number(form.get('end'))];
        const result = Array.from({ length: SERIES }, (_, at) => ({
          metric: { __name__: 'bench_value', instance: `host-${at}:9100` },
          values: Array.from({ length: VALUES }, (__, i) => [from + ((to - from) * i) / VALUES, String(at + Math.sin(i / 40 + at) * 8)]),
        }));
        await route.fulfill({ json: { status: 'success', data: { resultType: 'matrix', result } } });
      });
    });
    await page.evaluate(`whenStands(() => (globalThis.strokes ?? 0) >= ${SERIES})`);
    took.push(await page.evaluate<number>('whenStands(() => performance.now() - lastStroke > 300).then(() => lastStroke - received)'));
    await page.context().close();
  }
  return `${shown(median(took))} ms (${took.map(shown).join(', ')}) from the answer to the last line`;
}

async function lists(browser: Browser, base: string): Promise<void> {
  for (const [path, holds, what] of [
    ['/checks', `document.querySelectorAll('main tbody tr').length > 10`, `${CHECKS} checks`],
    ['/alerts-dashboard', `document.querySelectorAll('.inbox-row').length > 5`, `${ALERTS} alerts`],
    ['/services', `document.querySelectorAll('main tbody tr').length > 10`, `${CHECKS / CHECKS_PER_SERVICE} services`],
  ] as const) {
    say(`Nines, list of ${what}`, await opening(browser, base + path, `${holds} && ${READ}`));
    const page = await watched(browser, base + path);
    await page.evaluate(`whenStands(() => ${holds})`);
    say(`Nines, list of ${what}, scrolled`, await scrolling(page));
    await page.context().close();
  }
}

async function ours(browser: Browser): Promise<void> {
  await using nines = await startNines({ config: configOf() });
  await writeSeries(nines.base);
  await makeDashboards(nines);
  if (parts.has('overview'))
    say('Nines, overview interactive', await opening(browser, nines.base, `document.querySelector('main h1') !== null && ${READ}`));
  if (parts.has('dashboard')) {
    const drawn = `document.querySelectorAll('.dash-panel').length >= ${PANELS} && ${READ}`;
    say(`Nines, dashboard of ${PANELS} panels`, await opening(browser, `${nines.base}/dashboards/twenty`, drawn));
  }
  if (parts.has('chart')) say(`Nines, a chart of ${SERIES * VALUES} points`, await chart(browser, nines.base));
  if (!parts.has('lists')) return;
  await sendAlerts(nines);
  await lists(browser, nines.base);
}

/** Debian's own page of Prometheus: the same series in its graph, a list of as many targets, of as many alerts as checks. */
async function theirs(browser: Browser): Promise<void> {
  const targets = Array.from({ length: TARGETS }, (_, at) => `127.1.${at >> 8}.${at & 255}:1`);
  const config = JSON.stringify({
    global: { scrape_interval: '1h', evaluation_interval: '5s' },
    scrape_configs: [{ job_name: 'many', static_configs: [{ targets }] }],
    // What it scrapes meanwhile is newer than what is written to it here.
    storage: { tsdb: { out_of_order_time_window: '6h' } },
  });
  await using prometheus = await startPrometheus({ config });
  await writeSeries(prometheus.base);
  await poll('Prometheus to know its targets', async () => {
    const { data } = (await (await fetch(`${prometheus.base}/api/v1/targets`)).json()) as { data: { activeTargets: readonly unknown[] } };
    return data.activeTargets.length >= TARGETS;
  });
  const graph = `/classic/graph?g0.expr=bench_value&g0.tab=0&g0.range_input=15000s&g0.step_input=15`;
  const lines = `document.querySelectorAll('svg path').length >= ${SERIES}`;
  say('Prometheus, a graph of the same series, page and all', await opening(browser, prometheus.base + graph, lines));
  const rows = `document.querySelectorAll('tbody tr').length >= ${TARGETS}`;
  say(`Prometheus, list of ${TARGETS} targets`, await opening(browser, `${prometheus.base}/classic/targets`, rows));
  const page = await watched(browser, `${prometheus.base}/classic/targets`);
  await page.evaluate(`whenStands(() => ${rows})`);
  say(`Prometheus, list of ${TARGETS} targets, scrolled`, await scrolling(page));
  await page.context().close();
}

const browser = await launch();
try {
  if (['overview', 'dashboard', 'chart', 'lists'].some((part) => parts.has(part))) await ours(browser);
  if (parts.has('prometheus')) await theirs(browser);
} finally {
  await browser.close();
}
