import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Logger } from '@nines/base/logger.ts';
import { z } from 'zod';
import { startTarget } from '../../../test/harness/peers.ts';
import { poll } from '../../../test/harness/poll.ts';
import { realClock } from '../platform/clock.ts';
import { createOutbound } from '../platform/fetch/outbound.ts';
import { type DiscoveryConfig, type TargetGroup, discoveriesOf, discoveryFields } from './contract.ts';
import { candidatesOf, parseResolvConf } from './dns.ts';
import { discoveryHealth } from './health.ts';
import { createDiscover } from './service.ts';
import { startNameServer } from './testing/name-server.ts';

const schema = z.strictObject(discoveryFields);
type Stage = AsyncDisposable & {
  readonly folder: string;
  readonly warnings: readonly string[];
  readonly discover: ReturnType<typeof createDiscover>;
  config(written: z.input<typeof schema>): DiscoveryConfig;
  /** Watches, and waits for groups that satisfy the condition. */
  until(what: string, config: DiscoveryConfig, right: (groups: readonly TargetGroup[]) => boolean): Promise<readonly TargetGroup[]>;
  fault(): string | undefined;
};

function stage(dnsServers?: readonly string[]): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'nines-discover-'));
  const outbound = createOutbound({ clock: realClock });
  const warnings: string[] = [];
  const warn = (message: string, fields?: Record<string, unknown>): void => void warnings.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: () => undefined, info: () => undefined, warn, error: warn, child: () => logger };
  const discover = createDiscover({ clock: realClock, logger, outbound, ...(dnsServers === undefined ? {} : { dnsServers }) });
  const watched = new Map<string, { groups: readonly TargetGroup[] | undefined; end: Disposable }>();
  return {
    folder,
    warnings,
    discover,
    config: (written) => discoveriesOf(schema.parse(written), folder)[0] ?? assert.fail('nothing to discover'),
    until: async (what, config, right) => {
      const one = watched.get(config.key) ?? { groups: undefined, end: { [Symbol.dispose]: () => undefined } };
      if (!watched.has(config.key)) {
        watched.set(config.key, one);
        one.end = discover.watch(config, (groups) => {
          one.groups = groups;
        });
      }
      return poll(what, () => (one.groups !== undefined && right(one.groups) ? one.groups : undefined));
    },
    fault: () => discover.status().find(({ lastError }) => lastError !== '')?.lastError,
    [Symbol.asyncDispose]: async () => {
      await discover[Symbol.asyncDispose]();
      await outbound[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const addresses = (groups: readonly TargetGroup[]): readonly string[] =>
  groups.flatMap(({ targets }) => targets.map((one) => one['__address__'] ?? '')).sort();

test('lists in files are taken as they change; a broken file keeps its targets and says so; a file that is gone has none', async () => {
  await using on = stage();
  mkdirSync(join(on.folder, 'targets'));
  const file = (name: string): string => join(on.folder, 'targets', name);
  writeFileSync(file('a.json'), '[\n\t{"targets": ["a:1", "a:2"], "labels": {"zone": "eu"}}\n]');
  writeFileSync(file('b.yml'), '- targets: [b:1]\n- targets: [b:2]\n');
  const config = on.config({ file_sd_configs: [{ files: ['targets/*.json', 'targets/*.yml'] }] });
  const first = await on.until('both files', config, (groups) => addresses(groups).length === 4);
  assert.deepEqual(
    first.find(({ source }) => source.endsWith('a.json:0')),
    {
      source: `${file('a.json')}:0`,
      labels: { zone: 'eu', __meta_filepath: file('a.json') },
      targets: [{ __address__: 'a:1' }, { __address__: 'a:2' }],
    },
  );
  writeFileSync(file('next'), '[{"targets": ["a:3"]}]');
  renameSync(file('next'), file('a.json'));
  await on.until('the replaced file', config, (groups) => addresses(groups).join() === 'a:3,b:1,b:2');
  writeFileSync(file('a.json'), '[{"targets": ["a:3"], "lables": {}}]');
  await poll('the fault', on.fault);
  assert.match(on.fault() ?? '', /a\.json: \[0\]: .*lables/);
  assert.equal(discoveryHealth(on.discover.status()).status, 'degraded');
  writeFileSync(file('b.yml'), '- targets: [b:9]\n');
  await on.until('the other file to go on', config, (groups) => addresses(groups).join() === 'a:3,b:9');
  unlinkSync(file('a.json'));
  await on.until('the file to be gone', config, (groups) => addresses(groups).join() === 'b:9');
  await poll('the end of the fault', () => (on.fault() === undefined ? true : undefined));
});

test('each way a list can be wrong is named', async () => {
  await using on = stage();
  const cases: readonly (readonly [text: string, reason: RegExp])[] = [
    ['[{"targets": "a:1"}]', /\[0\]\.targets: .*expected array/],
    ['{"targets": []}', /the list: .*expected array/],
    ['[{"targets": ["a:1"', /JSON/],
    ['[{"targets": ["a:1", ["b:1"]]}]', /\[0\]\.targets\[1\]: /],
    ['[{"labels": {"a": {}}}]', /\[0\]\.labels\.a: /],
  ];
  for (const [index, [text, reason]] of cases.entries()) {
    writeFileSync(join(on.folder, `${index}.json`), text);
    using _watch = on.discover.watch(on.config({ file_sd_configs: [{ files: [`${index}.json`] }] }), () => undefined);
    assert.match(await poll(`fault ${index}`, on.fault), reason);
  }
});

test('a list behind an address is asked for again; whatever is wrong with it keeps the last one', async () => {
  await using on = stage();
  await using peer = await startTarget();
  const json = { 'content-type': 'application/json; charset=utf-8' };
  let answer: readonly [status: number, headers: Record<string, string>, body: string] = [
    200,
    json,
    '[{"targets":["a:1"],"labels":{"x":"y"}}]',
  ];
  const asked: (string | undefined)[] = [];
  peer.answerWith((request, response) => {
    asked.push(request.headers['x-prometheus-refresh-interval-seconds']?.toString(), request.headers.authorization);
    response.writeHead(answer[0], answer[1]).end(answer[2]);
  });
  const written = { url: `${peer.url}/sd`, refresh_interval: '1s', authorization: { credentials: 'hush' } };
  const config = on.config({ http_sd_configs: [written] });
  const first = await on.until('the list', config, (groups) => groups.length === 1);
  assert.deepEqual(first[0]?.labels, { x: 'y', __meta_url: `${peer.url}/sd` });
  assert.deepEqual(asked.slice(0, 2), ['1', 'Bearer hush']);
  for (const [broken, reason] of [
    [[503, json, ''], /status 503/],
    [[200, { 'content-type': 'text/html' }, '[]'], /unsupported content type "text\/html"/],
    [[200, json, '{"a":'], /JSON/],
  ] as const) {
    answer = broken;
    await poll(String(reason), () => (reason.test(on.fault() ?? '') ? true : undefined));
  }
  assert.deepEqual(addresses(await on.until('the last list', config, () => true)), ['a:1']);
  answer = [200, json, '[]'];
  await on.until('the empty list', config, (groups) => groups.length === 0);
});

test('one source serves all who ask for the same, and ends with the last of them', async () => {
  await using on = stage();
  await using peer = await startTarget();
  let asked = 0;
  peer.answerWith((_request, response) => {
    asked++;
    response.writeHead(200, { 'content-type': 'application/json' }).end('[{"targets":["a:1"]}]');
  });
  const config = on.config({ http_sd_configs: [{ url: peer.url, refresh_interval: '1h' }] });
  const seen: string[] = [];
  const first = on.discover.watch(config, (groups) => void seen.push(`first ${addresses(groups).join()}`));
  await poll('the first', () => (seen.length === 1 ? true : undefined));
  const second = on.discover.watch({ ...config }, (groups) => void seen.push(`second ${addresses(groups).join()}`));
  assert.deepEqual([seen, asked], [['first a:1', 'second a:1'], 1]);
  first[Symbol.dispose]();
  assert.equal(on.discover.status().length, 1);
  second[Symbol.dispose]();
  assert.equal(on.discover.status().length, 0);
});

test('records of the DNS become targets with the labels of their type', async () => {
  await using names = await startNameServer({
    'SRV _http._tcp.shop.test': [
      { port: 8080, target: 'web-1.shop.test' },
      { port: 8081, target: 'web-2.shop.test' },
    ],
    'A shop.test': ['10.0.0.1', '10.0.0.2'],
    'AAAA shop.test': ['fd00::1'],
    'MX shop.test': ['mail.shop.test'],
    'NS shop.test': ['ns.shop.test'],
  });
  await using on = stage([names.address]);
  const found = async (written: z.input<typeof schema>['dns_sd_configs'], count: number): Promise<readonly unknown[]> => {
    const groups = await on.until('records', on.config({ dns_sd_configs: written }), (all) => addresses(all).length === count);
    return groups.flatMap(({ targets }) => targets).sort((a, b) => ((a['__address__'] ?? '') < (b['__address__'] ?? '') ? -1 : 1));
  };
  const srv = (n: number, port: string) => ({
    __address__: `web-${n}.shop.test:${port}`,
    __meta_dns_name: '_http._tcp.shop.test',
    __meta_dns_srv_record_target: `web-${n}.shop.test.`,
    __meta_dns_srv_record_port: port,
  });
  assert.deepEqual(await found([{ names: ['_http._tcp.shop.test'] }], 2), [srv(1, '8080'), srv(2, '8081')]);
  const name = { __meta_dns_name: 'shop.test' };
  const other = (type: 'A' | 'AAAA' | 'MX' | 'NS', count: number) => found([{ names: ['shop.test'], type, port: 9100 }], count);
  assert.deepEqual(await other('A', 2), [
    { __address__: '10.0.0.1:9100', ...name },
    { __address__: '10.0.0.2:9100', ...name },
  ]);
  assert.deepEqual(await other('AAAA', 1), [{ __address__: '[fd00::1]:9100', ...name }]);
  assert.deepEqual(await other('MX', 1), [{ __address__: 'mail.shop.test:9100', __meta_dns_mx_record_target: 'mail.shop.test.', ...name }]);
  assert.deepEqual(await other('NS', 1), [{ __address__: 'ns.shop.test:9100', __meta_dns_ns_record_target: 'ns.shop.test.', ...name }]);
});

test('a name that ceases to exist loses its targets; a name server that fails does not take them away', async () => {
  const records: Record<string, readonly string[]> = { 'A shop.test': ['10.0.0.1'], 'A other.test': ['10.0.0.9'] };
  await using names = await startNameServer(records);
  await using on = stage([names.address]);
  const config = on.config({ dns_sd_configs: [{ names: ['shop.test', 'other.test'], type: 'A', port: 1, refresh_interval: '1s' }] });
  await on.until('both', config, (groups) => addresses(groups).length === 2);
  delete records['A other.test'];
  await on.until('one', config, (groups) => addresses(groups).join() === '10.0.0.1:1');
  names.fail(true);
  await poll('the fault', on.fault);
  assert.match(on.fault() ?? '', /shop\.test: .*ESERVFAIL/);
  assert.deepEqual(addresses(await on.until('still one', config, () => true)), ['10.0.0.1:1']);
  names.fail(false);
  await poll('the end of the fault', () => (on.fault() === undefined ? true : undefined));
});

test('names are completed as the system does it', () => {
  const list = parseResolvConf('# x\nnameserver 1.1.1.1\nsearch shop.svc svc\noptions timeout:1 ndots:2\n');
  assert.deepEqual(candidatesOf('web', list), ['web.shop.svc', 'web.svc', 'web']);
  assert.deepEqual(candidatesOf('a.b.c', list), ['a.b.c', 'a.b.c.shop.svc', 'a.b.c.svc']);
  assert.deepEqual(candidatesOf('a.b.c.', list), ['a.b.c']);
  assert.deepEqual(candidatesOf('web', parseResolvConf('')), ['web']);
});
