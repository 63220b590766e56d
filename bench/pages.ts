/**
 * How long pages take in Debian's Chromium, beside Prometheus' own: `node bench/pages.ts [--checks 10000] [--alerts 50000] [--targets 10000]
 * [--runs 3] [--part overview,dashboard,chart,lists,prometheus] [--profiles FOLDER]`. Every opening has a browser context of its own, so nothing
 * is cached; a figure is the median of its runs, from the start of the navigation until what is named stands in a frame. Beside it stand the
 * processor time of the page's main thread and of the server. `--profiles` writes a processor profile of one more opening of each page. Needs a
 * build, `apt-get install chromium prometheus`; about three minutes.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
    runs: { type: 'string', default: '3' },
    part: { type: 'string', default: 'overview,dashboard,chart,lists,prometheus' },
    profiles: { type: 'string' },
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

/** What a page is measured on. */
type Peer = { readonly browser: Browser; readonly base: string; readonly pid: number };
/** Milliseconds: until it stood, of the page's main thread, of the server. */
type Figure = { readonly standsMs: number; readonly pageMs: number; readonly serverMs: number };
/** A line of the table: what was measured, what it should be, and the line of Prometheus that it stands beside. */
type Line = { readonly what: string; readonly goalMs?: number; readonly beside?: string; readonly figure: Figure };

const lines: Line[] = [];
function record(line: Line): void {
  lines.push(line);
  const { what, figure } = line;
  console.log(
    `${what}: ${shown(figure.standsMs)} ms, page ${shown(figure.pageMs)} ms, server ${shown(figure.serverMs)} ms of processor time`,
  );
}

function table(): string {
  const rows = lines.map(({ what, goalMs, beside, figure }) => {
    const other = lines.find((line) => line.what === beside)?.figure;
    const ratio = (name: keyof Figure): string => (other === undefined ? '' : ` (${(figure[name] / other[name]).toFixed(2)})`);
    const cells = (['standsMs', 'pageMs', 'serverMs'] as const).map((name) => `${shown(figure[name])}${ratio(name)}`);
    return `| ${[what, goalMs === undefined ? '' : `< ${goalMs}`, ...cells].join(' | ')} |`;
  });
  return [
    '| ms (of Prometheus) | goal | stands after | page, processor | server, processor |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function processOf(port: string): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`127.0.0.1:${port}`)) return Number(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`no process listens on ${port}`);
}

/** Processor time of a process, of all its threads. */
function spentMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

type Asked = {
  readonly path: string;
  /** JavaScript that gives the milliseconds, since the navigation began or since anything else. */
  readonly took: string;
  readonly prepare?: (context: BrowserContext) => Promise<void>;
};

/** Opens a page `RUNS` times, each with nothing cached. */
async function opening({ browser, base, pid }: Peer, { path, took, prepare }: Asked): Promise<Figure> {
  const runs: Figure[] = [];
  for (let run = 0; run < RUNS; run++) {
    const beforeMs = spentMs(pid);
    const page = await watched(browser, base + path, prepare);
    const standsMs = await page.evaluate<number>(took);
    runs.push({ standsMs, pageMs: await processorMs(page), serverMs: spentMs(pid) - beforeMs });
    await page.context().close();
  }
  if (flags.profiles !== undefined) await profile(browser, { path: base + path, took, ...(prepare && { prepare }) }, flags.profiles);
  const of = (name: keyof Figure): number => median(runs.map((run) => run[name]));
  return { standsMs: of('standsMs'), pageMs: of('pageMs'), serverMs: of('serverMs') };
}

const stands = (holds: string): string => `whenStands(() => ${holds})`;

async function profile(browser: Browser, { path, took, prepare }: Asked, folder: string): Promise<void> {
  const { page } = await openPage(browser, new URL(path).origin);
  await page.context().addInitScript(WATCH);
  await prepare?.(page.context());
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.setSamplingInterval', { interval: 200 });
  await session.send('Profiler.start');
  await page.goto(path, { waitUntil: 'commit' });
  await page.evaluate(took);
  const { profile: taken } = await session.send('Profiler.stop');
  mkdirSync(folder, { recursive: true });
  const { port, pathname } = new URL(path);
  writeFileSync(join(folder, `${port}${pathname.replaceAll('/', '-')}.cpuprofile`), JSON.stringify(taken));
  await page.context().close();
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
async function scrolling(page: Page, blank: string): Promise<string> {
  const beforeMs = await processorMs(page);
  const { frames, tasks, top, bare } = await page.evaluate<{
    frames: number[];
    tasks: number[];
    top: number;
    bare: number;
  }>(`new Promise((resolve) => {
    longTasks.length = 0;
    const frames = [];
    let last = performance.now();
    let bare = 0;
    const inSight = (one) => { const { top, bottom } = one.getBoundingClientRect(); return bottom > 0 && top < innerHeight; };
    const beat = (at) => {
      frames.push(at - last);
      last = at;
      if ([...document.querySelectorAll(${JSON.stringify(blank)})].some(inSight)) bare++;
      scrollBy(0, 100);
      if (frames.length <= 200) requestAnimationFrame(beat);
      else setTimeout(() => resolve({ frames, tasks: longTasks, top: scrollY, bare }), 100);
    };
    requestAnimationFrame(beat);
  })`);
  const sorted = frames.slice(1).sort((a, b) => a - b);
  const at = (share: number): string => shown(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return `frames p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, worst ${at(1)} ms; ${tasks.length} tasks of 50 ms and more${
    tasks.length === 0 ? '' : ` (worst ${shown(Math.max(...tasks))})`
  }; ${bare} frames with a row still to be read; ${Math.round(top)} pixels, ${shown((await processorMs(page)) - beforeMs)} ms of processor time`;
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
  // Without an end they would resolve after five minutes, in the middle of the list.
  const endsAt = new Date(Date.now() + 86_400_000).toISOString();
  for (let first = 0; first < ALERTS; first += ALERTS_PER_REQUEST) {
    const alerts = Array.from({ length: ALERTS_PER_REQUEST }, (_, at) => ({
      labels: { alertname: 'QueueIsLong', severity: at % 3 === 0 ? 'critical' : 'warning', queue: `q${first + at}`, team: `t${at % 20}` },
      annotations: { summary: `Queue q${first + at} has ${at} entries` },
      endsAt,
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

/** The answer of the range query, as many values as a panel would never ask for. */
async function answerPoints(context: BrowserContext): Promise<void> {
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
}

/** When a large answer was received, and the last line drawn on a canvas or put into an SVG. */
const DRAWN = `{
  const text = Response.prototype.text;
  Response.prototype.text = async function () { const read = await text.call(this); if (read.length > 1e6) globalThis.received ??= performance.now(); return read; };
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (...given) {
    this.addEventListener('progress', () => { if (this.readyState === 4 || this.responseText.length > 1e6) globalThis.received = performance.now(); });
    return open.apply(this, given);
  };
  const stroke = CanvasRenderingContext2D.prototype.stroke;
  CanvasRenderingContext2D.prototype.stroke = function (...given) {
    if (globalThis.received !== undefined) { globalThis.strokes = (globalThis.strokes ?? 0) + 1; globalThis.lastStroke = performance.now(); }
    return stroke.apply(this, given);
  };
}`;

/** A chart of 100 000 points: from the moment its answer was received until the last line was drawn. */
async function chart(peer: Peer): Promise<Figure> {
  return opening(peer, {
    path: '/dashboards/points?refresh=off',
    took: `whenStands(() => (globalThis.strokes ?? 0) >= ${SERIES}).then(() => whenStands(() => performance.now() - lastStroke > 300)).then(() => lastStroke - received)`,
    prepare: async (context) => {
      await context.addInitScript(DRAWN);
      await answerPoints(context);
    },
  });
}

type List = { readonly what: string; readonly path: string; readonly holds: string; readonly unread: string; readonly last: string };
const ROWS = `document.querySelectorAll('main tbody tr[data-index]:not(.unread)').length > 10`;
const LISTS: readonly List[] = [
  {
    what: `${CHECKS} checks`,
    path: '/checks',
    holds: ROWS,
    unread: 'main tr.unread',
    last: `document.querySelector('main tr[data-index="${CHECKS - 1}"]:not(.unread)') !== null`,
  },
  {
    what: `${ALERTS} alerts`,
    path: '/alerts-dashboard',
    holds: `document.querySelectorAll('.inbox-row:not([aria-busy])').length > 5`,
    unread: '.inbox-row[aria-busy]',
    last: `document.querySelector('.inbox-row[aria-posinset="${ALERTS}"]:not([aria-busy])') !== null`,
  },
  {
    what: `${CHECKS / CHECKS_PER_SERVICE} services`,
    path: '/services',
    holds: ROWS,
    unread: 'main tr.unread',
    last: `document.querySelector('main tr[data-index="${CHECKS / CHECKS_PER_SERVICE - 1}"]') !== null`,
  },
];

const PEER_LIST = `Prometheus: list of ${TARGETS} targets`;

/** Opened, scrolled, and gone to the end of. */
async function lists(peer: Peer): Promise<void> {
  for (const { what, path, holds, unread, last } of LISTS) {
    const figure = await opening(peer, { path, took: stands(`${holds} && ${READ}`) });
    record({ what: `list of ${what}`, goalMs: 1_000, beside: PEER_LIST, figure });
    const page = await watched(peer.browser, peer.base + path);
    await page.evaluate(stands(holds));
    console.log(`list of ${what}, scrolled: ${await scrolling(page, unread)}`);
    const endMs = await page.evaluate<number>(
      `(() => { const from = performance.now(); scrollTo(0, document.documentElement.scrollHeight); return ${stands(last)}.then((at) => at - from); })()`,
    );
    console.log(`list of ${what}, to its last row: ${shown(endMs)} ms`);
    await page.context().close();
  }
}

async function ours(browser: Browser): Promise<void> {
  await using nines = await startNines({ config: configOf() });
  await writeSeries(nines.base);
  await makeDashboards(nines);
  const peer = { browser, base: nines.base, pid: processOf(String(nines.port)) };
  if (parts.has('overview')) {
    const took = stands(`document.querySelector('main h1') !== null && ${ROWS} && ${READ}`);
    record({ what: 'overview interactive', goalMs: 1_500, figure: await opening(peer, { path: '/', took }) });
  }
  if (parts.has('dashboard')) {
    const took = stands(`document.querySelectorAll('.dash-panel').length >= ${PANELS} && ${READ}`);
    record({ what: `dashboard of ${PANELS} panels`, goalMs: 2_000, figure: await opening(peer, { path: '/dashboards/twenty', took }) });
  }
  if (parts.has('chart')) {
    const what = `chart of ${SERIES * VALUES} points, from its answer to its last line`;
    record({ what, goalMs: 100, beside: `Prometheus: ${what}`, figure: await chart(peer) });
  }
  if (!parts.has('lists')) return;
  await sendAlerts(nines);
  await lists(peer);
}

/** Debian's own page of Prometheus: the same series in its graph, a list of as many targets as checks. */
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
  const peer = { browser, base: prometheus.base, pid: processOf(new URL(prometheus.base).port) };
  if (parts.has('chart')) {
    record({
      what: `Prometheus: chart of ${SERIES * VALUES} points, from its answer to its last line`,
      figure: await opening(peer, {
        path: `/classic/graph?g0.expr=bench_value&g0.tab=0&g0.range_input=15000s&g0.step_input=15`,
        took: `${stands(`document.querySelectorAll('svg path').length >= ${SERIES}`)}.then((at) => at - received)`,
        prepare: async (context) => void (await context.addInitScript(DRAWN)),
      }),
    });
  }
  const rows = `document.querySelectorAll('tbody tr').length >= ${TARGETS}`;
  record({ what: PEER_LIST, figure: await opening(peer, { path: '/classic/targets', took: stands(rows) }) });
  const page = await watched(browser, `${prometheus.base}/classic/targets`);
  await page.evaluate(stands(rows));
  console.log(`Prometheus: list of ${TARGETS} targets, scrolled: ${await scrolling(page, '.none')}`);
  await page.context().close();
}

const browser = await launch();
try {
  if (['overview', 'dashboard', 'chart', 'lists'].some((part) => parts.has(part))) await ours(browser);
  if (parts.has('prometheus')) await theirs(browser);
} finally {
  await browser.close();
}
console.log(`\n${table()}`);
