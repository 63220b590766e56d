import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { formatLabels } from '@nines/model/labels.ts';
import { startTarget } from '../../../../test/harness/peers.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { startPrometheus } from '../../../../test/harness/prometheus.ts';
import { scraping } from '../testing/scraping.ts';

/**
 * One target, one prometheus.yml, two scrapers: a real Prometheus and ours. The target answers the n-th scrape of each with
 * the n-th text of its script; afterwards both must hold the same samples and the same ends of series, scrape by scrape.
 */
type Step = string | { readonly status: number };
type Case = { readonly lines?: string; readonly steps: readonly Step[] };

const CASES: Readonly<Record<string, Case>> = {
  'series come, go and come again': {
    steps: ['a 1\nb{x="1"} 1\n', 'a 2\n', 'a 3\nb{x="1"} 3\nc 3\n', 'b{x="1"} 4\n', 'a 5\n', 'a 6\nb{ x="1" , } 6\n', 'a 7\nb{x="1"} 7\n'],
  },
  'a target that fails and recovers': {
    steps: ['a 1\nb 1\n', { status: 500 }, 'a 3\nb 3\nc 3\n', { status: 404 }, { status: 503 }, 'a 6\n', 'a 7\n'],
  },
  'a broken line': { steps: ['a 1\n', '7&-\n', 'a 3\nd 3\n', '7&-\n', 'd 5\n'] },
  'too many samples': { lines: 'sample_limit: 2', steps: ['a 1\nb 1\n', 'a 2\nb 2\nc 2\nd 2\n', 'a 3\nc 3\n', 'a 4\n'] },
  'labels over a limit in bytes': {
    lines: 'label_value_length_limit: 40',
    steps: [`a{x="${'é'.repeat(20)}"} 1\n`, `a{x="${'é'.repeat(21)}"} 2\n`, 'a 3\n'],
  },
  'too many labels': { lines: 'label_limit: 6', steps: ['a{x="1"} 1\n', 'a{x="1",y="2"} 2\n', 'a 3\n'] },
  'a body over its limit': { lines: 'body_size_limit: 60B', steps: ['a 1\n', `a 2\n# ${'x'.repeat(80)}\n`, 'a 3\n'] },
  'labels of the target push those of the sample aside': { steps: ['a{job="own",instance="i",exported_job="e"} 1\nb{job=""} 1\n'] },
  'labels of the sample stay': { lines: 'honor_labels: true', steps: ['a{job="own",instance=""} 1\nb{instance="i"} 1\nc{zone=""} 1\n'] },
  'timestamps of the target': { steps: ['a 1 {t}\nb 1\n', 'b 2\n', 'a 3 {t}\nb 3\n', 'a 4\n', 'b 5\n'] },
  'timestamps of the target left out': { lines: 'honor_timestamps: false', steps: ['a 1 {t}\n', 'b 2\n', 'a 3 {t}\n'] },
  'a series that stands there twice': { steps: ['a 1\na 9\n', 'a{x="1"} 2\na{x="1"} 2\n', 'b 3\n'] },
  'relabelled samples': {
    lines:
      "metric_relabel_configs: [{ action: drop, source_labels: [__name__], regex: 'go_.*' }, { source_labels: [__name__], regex: 'old_(.*)', target_label: __name__, replacement: 'new_$1' }, { action: labeldrop, regex: tmp }]",
    steps: ['go_a 1\nold_b 1\nc{tmp="1"} 1\n', 'go_a 2\nold_b 2\n', 'go_a 3\nnew_b 3\n'],
  },
  'special values': { steps: ['a +Inf\nb -Inf\nc 1e-300\n', 'a -0\nb 1.7976931348623157e308\nc 5e-324\n'] },
};
/** Scrapes after the last step of the longest script, which all see the last text. */
const ROUNDS = 9;
const STAMP_MS = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const NAMES = Object.keys(CASES);

const textOf = (step: Step, round: number): string =>
  typeof step === 'string' ? step.replaceAll('{t}', String(STAMP_MS + round * 1000)) : '';

/** What both scrapers hold: series with their values by scrape, and instants that no scrape has as they are. */
type Held = ReadonlyMap<string, readonly string[]>;

/** What is not compared, and why. */
const DEPARTURES: readonly (readonly [series: RegExp, reason: string])[] = [
  [/^scrape_duration_seconds/, 'nobody can foresee how long a scrape takes'],
  [/^[abd]\{case="too many samples"/, 'a scrape that fails ends every series; Prometheus leaves those that it had read before it failed'],
  [
    /^scrape_series_added\{case="(?:relabelled samples|series come, go and come again)"/,
    'a series is new by its labels; Prometheus counts another spelling of the same labels as new',
  ],
];

function byScrape(samples: ReadonlyMap<string, readonly (readonly [atMs: number, value: string])[]>): Held {
  const held = new Map<string, readonly string[]>();
  for (const job of NAMES) {
    const of = `case="${job}"`;
    const ups = [...samples].find(([series]) => series.startsWith('up{') && series.includes(of))?.[1] ?? [];
    const scrapes = ups.map(([atMs]) => atMs).sort((a, b) => a - b);
    for (const [series, points] of samples) {
      if (!series.includes(of) || DEPARTURES.some(([pattern]) => pattern.test(series))) continue;
      const told = points.map(([atMs, value]) => {
        const at = scrapes.indexOf(atMs);
        return [at < 0 ? `at ${atMs - STAMP_MS}` : String(at).padStart(3, '0'), value] as const;
      });
      const compared = told.filter(([at]) => at.startsWith('at') || Number(at) < ROUNDS);
      held.set(series, compared.map(([at, value]) => `${at}: ${value}`).sort());
    }
  }
  return held;
}

function configOf(port: number, names: readonly string[] = NAMES): string {
  const jobs = names.map((name) => {
    const { lines } = CASES[name] ?? { lines: undefined };
    return `  - job_name: '${name}'\n${lines === undefined ? '' : `    ${lines}\n`}    params: { case: ['${name}'] }\n    static_configs: [{ targets: ['127.0.0.1:${port}'], labels: { case: '${name}', zone: eu } }]\n`;
  });
  return `global: { scrape_interval: 2s, scrape_timeout: 2s }\nscrape_configs:\n${jobs.join('')}`;
}

test('a real Prometheus and we make the same series of the same target', { timeout: 240_000 }, async () => {
  await using target = await startTarget();
  const rounds = new Map<string, number>();
  target.answerWith((request, response) => {
    const name = new URL(request.url ?? '/', target.url).searchParams.get('case') ?? '';
    const who = String(request.headers['user-agent']).startsWith('Prometheus') ? 'theirs' : 'ours';
    const round = rounds.get(`${who} ${name}`) ?? 0;
    rounds.set(`${who} ${name}`, round + 1);
    const steps = CASES[name]?.steps ?? [];
    const step = steps[Math.min(round, steps.length - 1)] ?? '';
    if (typeof step !== 'string') response.writeHead(step.status).end();
    else response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(textOf(step, Math.min(round, steps.length - 1)));
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'nines-side-'));
  await using theirs = await startPrometheus({ config: configOf(target.port), dataDir });
  await using ours = await scraping(() => configOf(target.port));
  await poll('enough scrapes by both', () =>
    NAMES.every((name) => ['ours', 'theirs'].every((who) => (rounds.get(`${who} ${name}`) ?? 0) > ROUNDS)) ? true : undefined,
  );
  await theirs.stop();
  const dumped = execFileSync('/usr/bin/promtool', ['tsdb', 'dump', dataDir], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const there = new Map<string, [number, string][]>();
  for (const line of dumped.split('\n').filter((each) => each.startsWith('{'))) {
    const end = line.lastIndexOf('}') + 1;
    const name = /__name__="([^"]*)"(?:, )?/.exec(line);
    const labels = line.slice(0, end).replace(name?.[0] ?? '', '');
    const [value = '', atMs = ''] = line.slice(end).trim().split(' ');
    const key = `${name?.[1]}${labels}`;
    there.set(key, [
      ...(there.get(key) ?? []),
      [Number(atMs), value === 'NaN' ? 'ends' : String(Number(value.replace('Inf', 'Infinity')))],
    ]);
  }
  const here = new Map<string, [number, string][]>();
  const range = { fromMs: STAMP_MS - 60_000, toMs: Date.now() + 60_000 };
  for (const { labels, times, values } of await ours.world.store.select([mustMatcher('__name__', '!=', '')], range)) {
    const points = Array.from(times, (atMs, i): [number, string] => [atMs, Number.isNaN(values[i] ?? 0) ? 'ends' : String(values[i])]);
    here.set(formatLabels(labels), points);
  }
  const [mine, other] = [byScrape(here), byScrape(there)];
  assert.ok(mine.size > NAMES.length * 4, `${mine.size} series`);
  const names = [...new Set([...mine.keys(), ...other.keys()])].sort((a, b) => (a < b ? -1 : 1));
  const differences = names.filter((series) => JSON.stringify(mine.get(series)) !== JSON.stringify(other.get(series)));
  assert.deepEqual(
    Object.fromEntries(differences.map((series) => [series, mine.get(series)])),
    Object.fromEntries(differences.map((series) => [series, other.get(series)])),
  );
  rmSync(dataDir, { recursive: true, force: true });
});

test('a job that changes leaves no hole in its series, and one that goes ends them under its next tick', { timeout: 120_000 }, async () => {
  await using target = await startTarget();
  let scrapes = 0;
  target.answerWith((_request, response) => {
    scrapes++;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('a 1\n');
  });
  const config = (timeout: string): string =>
    `scrape_configs: [{ job_name: j, scrape_interval: 1s, scrape_timeout: ${timeout}, static_configs: [{ targets: ['127.0.0.1:${target.port}'] }] }]\n`;
  await using ours = await scraping(() => config('1s'));
  const further = async (count: number): Promise<void> => {
    const until = scrapes + count;
    await poll(`${count} more scrapes`, () => (scrapes >= until ? true : undefined));
  };
  const ends = async (metric: string): Promise<readonly string[]> =>
    (await ours.world.samplesOf(metric)).filter((line) => line.includes(' stale@'));
  await further(2);
  await ours.reconfigure(config('900ms'));
  await further(5);
  assert.deepEqual([await ends('a'), await ends('up')], [[], []]);
  await ours.reconfigure('scrape_configs: []\n');
  await poll('the end of the series', async () => ((await ends('up')).length === 1 ? true : undefined));
  const newest = Math.max(
    ...(await ours.world.samplesOf('a')).map((line) => (line.includes(' stale@') ? 0 : Number(line.replace(/.*@/, '')))),
  );
  const [end = ''] = await ends('a');
  const afterMs = Number(end.replace(/.*@/, '')) - newest;
  assert.ok(afterMs > 0 && afterMs <= 1_500, `${afterMs} ms after the last sample`);
});
