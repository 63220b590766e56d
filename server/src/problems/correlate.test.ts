import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Correlator, type Signal, type Topology } from './correlate.ts';
import { judgeOutage, totals } from './testing/judge.ts';
import { type Shape, makeOutage } from './testing/outages.ts';

const START_MS = 1_760_000_000_000;
const topologyOf = (below: Readonly<Record<string, readonly string[]>>): Topology => ({
  dependenciesOf: (id) => below[id] ?? [],
  dependentsOf: (id) => Object.keys(below).filter((other) => below[other]?.includes(id)),
});
const alone = topologyOf({});

let made = 0;
const signal = (service: string | null, seconds: number, given: Partial<Signal> = {}): Signal => {
  const atMs = START_MS + seconds * 1_000;
  return { alertId: `a${++made}`, service, alertname: 'Down', severity: 'critical', labels: {}, atMs, seenAtMs: atMs, ...given };
};
/** The problems of the signals, as small numbers in order of appearance. */
function problemsOf(topology: Topology, signals: readonly Signal[]): readonly number[] {
  const correlator = new Correlator(topology);
  let ids = 0;
  const joined = signals.map((one) => correlator.add(one, () => `p${++ids}`).problem);
  const names = [...new Set(joined.map((id) => correlator.rootOf(id)))];
  return joined.map((id) => names.indexOf(correlator.rootOf(id)));
}

describe('which alerts are one problem', () => {
  it('alerts of one service within the window are one; hours later they are another', () => {
    assert.deepEqual(problemsOf(alone, [signal('shop', 0), signal('shop', 60), signal('shop', 7_200)]), [0, 0, 1]);
  });

  it('what is close in time alone is not linked', () => {
    assert.deepEqual(problemsOf(alone, [signal('shop', 0), signal('mail', 1)]), [0, 1]);
  });

  it('a failure and what depends on it are one, whichever is seen first', () => {
    const topology = topologyOf({ web: ['api'], api: ['db'] });
    assert.deepEqual(problemsOf(topology, [signal('db', 0), signal('api', 20), signal('web', 40)]), [0, 0, 0]);
    assert.deepEqual(problemsOf(topology, [signal('web', 0), signal('db', 20)]), [0, 0]);
  });

  it('a cause that is seen late makes its victims one problem', () => {
    const topology = topologyOf({ shop: ['db'], mail: ['db'], other: ['x'] });
    assert.deepEqual(problemsOf(topology, [signal('shop', 0), signal('mail', 5), signal('other', 6), signal('db', 30)]), [0, 0, 1, 0]);
  });

  it('a victim of two causes joins one and does not make them one', () => {
    const topology = topologyOf({ shop: ['db', 'queue'] });
    assert.equal(new Set(problemsOf(topology, [signal('db', 0), signal('queue', 5), signal('shop', 30)])).size, 2);
  });

  it('a dependency that says nothing is the likely cause when most of what depends on it fails', () => {
    const topology = topologyOf({ a: ['db'], b: ['db'], c: ['db'], d: ['db'] });
    assert.deepEqual(problemsOf(topology, [signal('a', 0), signal('b', 5)]), [0, 1]);
    assert.deepEqual(problemsOf(topology, [signal('a', 0), signal('b', 5), signal('c', 9)]), [0, 0, 0]);
  });

  it('alerts about one host are one; what shares only an environment is not', () => {
    const on = (instance: string): Partial<Signal> => ({ labels: { instance, env: 'production', job: 'node' } });
    assert.deepEqual(
      problemsOf(alone, [signal(null, 0, on('h1:9100')), signal(null, 9, on('h1:9200')), signal(null, 9, on('h2:9100'))]),
      [0, 0, 1],
    );
  });

  it('an alert with a long `for` comes late and belongs to when its condition began', () => {
    const late = signal('web', 20, { seenAtMs: START_MS + 900_000 });
    assert.deepEqual(problemsOf(topologyOf({ web: ['api'] }), [signal('api', 0), late]), [0, 0]);
  });

  it('says why', () => {
    const correlator = new Correlator(topologyOf({ web: ['api'] }));
    correlator.add(signal('api', 0), () => 'p1');
    const joined = correlator.add(signal('web', 10), () => 'p2');
    assert.deepEqual(joined, { problem: 'p1', isNew: false, because: 'web depends on api', absorbed: [] });
  });
});

describe('a labelled corpus of outages that nothing was tuned on', () => {
  /** Topologies, sizes, delays and seeds differ from those that the weights were found with. */
  const HELD_OUT = { services: 90, hosts: 45, spread: 0.7, stepMs: 55_000, silent: 0.15, late: 0.15, noise: 25 } as const;
  const SHAPES: readonly Shape[] = ['diamonds', 'layers', 'tree', 'hubs', 'mesh', 'chains'];
  const scoresOf = (shape: Shape) =>
    Array.from({ length: 60 }, (_, i) =>
      judgeOutage(makeOutage({ ...HELD_OUT, seed: 7_000_000 + i * 13, shape, coincident: (i + 1) % 4 })),
    );

  it('pairs of alerts are judged with F1 of 0.9 or more, and the cause is among the first three in 90 %', (t) => {
    const all = SHAPES.flatMap((shape) => {
      const scores = scoresOf(shape);
      t.diagnostic(`${shape}: ${JSON.stringify(totals(scores))}`);
      assert.ok(totals(scores).f1 >= 0.9, `${shape}: ${JSON.stringify(totals(scores))}`);
      return scores;
    });
    const { f1, named } = totals(all);
    t.diagnostic(`all: ${JSON.stringify(totals(all))}`);
    assert.ok(f1 >= 0.9, `F1 ${f1}`);
    assert.ok(named >= 0.9, `causes named ${named}`);
  });
});

describe('a storm', () => {
  it('asks the graph for each alert a bounded number of times, however many are open', (t) => {
    const asked = (count: number): number => {
      let questions = 0;
      const ask = (list: readonly string[]): readonly string[] => {
        questions++;
        return list;
      };
      const services = 2_000;
      const correlator = new Correlator({
        dependenciesOf: (id) => ask(id === 's0' ? [] : [`s${Math.floor(Number(id.slice(1)) / 40)}`]),
        dependentsOf: (id) => ask(Array.from({ length: 40 }, (_, i) => `s${Number(id.slice(1)) * 40 + i}`)),
      });
      let ids = 0;
      const startedMs = performance.now();
      for (let i = 0; i < count; i++) {
        correlator.add(signal(`s${i % services}`, i / 1_000, { labels: { instance: `h${i}:9100`, pod: `p${i}` } }), () => `p${++ids}`);
      }
      t.diagnostic(`${count} alerts in ${Math.round(performance.now() - startedMs)} ms, ${questions} questions`);
      return questions / count;
    };
    const [small, large] = [asked(10_000), asked(100_000)];
    assert.ok(large <= Math.max(10, small * 1.5), `${small} questions per alert became ${large}`);
  });
});
