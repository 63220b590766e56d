import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readConfig } from './config.ts';
import { formatProblem } from './platform/config/load.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'nines-refused-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** What is said of a configuration, one line each, places relative to its folder. */
function said(text: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  writeFileSync(join(dir, 'nines.yml'), text);
  const read = readConfig({ file: join(dir, 'nines.yml') });
  const told = read.ok ? read.warnings.map((each) => `warning: ${formatProblem(each)}`) : read.problems.map(formatProblem);
  return told.map((line) => line.replaceAll(`${dir}/`, ''));
}

const SHOP = 'services: [{ id: shop }]\n';
/** One SLA in lines of their own, so that each fault has a line. Lines 2 to 8. */
const sla = (over: Readonly<Record<string, string>> = {}, more = ''): string => {
  const fields = { indicator: '{ kind: availability }', target: '99.9%', window: '{ rolling: 30d }', ...over };
  const lines = Object.entries(fields).map(([name, value]) => `    ${name}: ${value}\n`);
  return `${SHOP}slas:\n  - id: shop-sla\n    service: shop\n${lines.join('')}${more}`;
};
const window = (id: string, from: string, to: string): string => `  - { id: ${id}, services: [shop], from: '${from}', to: '${to}' }\n`;
const SLO = `apiVersion: openslo/v1
kind: SLO
metadata: { name: requests }
spec:
  service: shop
  indicator:
    metadata: { name: good }
    spec: { ratioMetric: { good: { metricSource: { spec: { query: a_total } } }, total: { metricSource: { spec: { query: b_total } } } } }
  timeWindow: [{ duration: 4w, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.99 }]
`;
const PYRRA = `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: { name: http-errors, namespace: shop }
spec:
  target: '99'
  window: 4w
  indicator: { ratio: { errors: { metric: 'r_total{code="500"}' }, total: { metric: r_total } } }
`;
const SLOTH = `version: prometheus/v1
service: shop
slos:
  - name: requests
    objective: 99.9
    sli: { events: { error_query: 'sum(rate(e_total[{{.window}}]))', total_query: 'sum(rate(t_total[{{.window}}]))' } }
    alerting: { name: ShopErrors }
`;
const defined = (text: string): readonly [string, Readonly<Record<string, string>>] => [`slo_files: [slo.yml]\n`, { 'slo.yml': text }];

type Refused = readonly [what: string, text: string | readonly [string, Readonly<Record<string, string>>], told: RegExp];
const REFUSED: readonly Refused[] = [
  [
    'services that depend on each other in a circle',
    'services:\n  - { id: a, depends_on: [b] }\n  - { id: b, depends_on: [c] }\n  - { id: c, depends_on: [a] }\n',
    /^nines\.yml:2:\d+: services\[0\]\.depends_on: .*circle: a → b → c → a$/,
  ],
  [
    'a service that depends on itself',
    'services:\n  - { id: a, depends_on: [a] }\n',
    /^nines\.yml:2:\d+: services\[0\]\.depends_on: .*circle: a → a$/,
  ],
  [
    'a maintenance window that ends before it begins',
    `${SHOP}maintenance:\n${window('night', '2026-12-01T04:00:00Z', '2026-12-01T02:00:00Z')}`,
    /^nines\.yml:3:\d+: maintenance\[0\]\.to: the maintenance "night" ends before it begins$/,
  ],
  [
    'two maintenance windows of a service at the same time',
    `${SHOP}maintenance:\n${window('a', '2026-12-01T02:00:00Z', '2026-12-01T04:00:00Z')}${window('b', '2026-12-01T03:00:00Z', '2026-12-01T05:00:00Z')}`,
    /^nines\.yml:4:\d+: maintenance\[1\]: the maintenance "b" overlaps "a" for the service "shop"$/,
  ],
  [
    'a maintenance that is not over when it comes again',
    `${SHOP}maintenance:\n  - { id: nightly, services: [shop], cron: '0 2 * * *', duration: 25h }\n`,
    /^nines\.yml:3:\d+: maintenance\[0\]\.duration: the windows of the maintenance "nightly" overlap/,
  ],
  [
    'business hours that overlap',
    sla({ hours: "{ zone: UTC, weekly: { mon: ['09:00-12:00', '11:00-17:00'] } }" }),
    /^nines\.yml:8:\d+: slas\[0\]\.hours\.weekly\.mon\[1\]: the hours "11:00-17:00" overlap others of the day$/,
  ],
  [
    'business hours that end before they begin',
    sla({ hours: "{ zone: UTC, weekly: { mon: ['17:00-09:00'] } }" }),
    /^nines\.yml:8:\d+: slas\[0\]\.hours\.weekly\.mon\[0\]: not hours: "17:00-09:00"/,
  ],
  [
    'an unknown zone of a window',
    sla({ window: '{ calendar: month, zone: Europe/Atlantis }' }),
    /^nines\.yml:7:\d+: slas\[0\]\.window\.zone: there is no time zone "Europe\/Atlantis"/,
  ],
  [
    'an unknown zone of business hours',
    sla({ hours: "{ zone: Mars/Olympus, weekly: { mon: ['09:00-12:00'] } }" }),
    /^nines\.yml:8:\d+: slas\[0\]\.hours\.zone: there is no time zone "Mars\/Olympus"/,
  ],
  [
    'an unknown zone of a maintenance',
    `${SHOP}maintenance:\n  - { id: nightly, services: [shop], cron: '0 2 * * *', duration: 1h, zone: Nowhere }\n`,
    /^nines\.yml:3:\d+: maintenance\[0\]\.zone: there is no time zone "Nowhere"/,
  ],
  [
    'an unknown zone of an allowance',
    sla({ maintenance: '{ notice: 3d, allowance: 4h, zone: Nowhere }' }),
    /^nines\.yml:8:\d+: slas\[0\]\.maintenance(\.zone)?: /,
  ],
  [
    'an unknown zone of a schedule of statements',
    sla(
      {},
      'channels: [{ id: log, kind: log }]\nstatements:\n  - { id: m, every: month, zone: Nowhere, slas: [shop-sla], channel: log }\n',
    ),
    /^nines\.yml:10:\d+: statements\[0\]\.zone: there is no time zone "Nowhere"/,
  ],
  [
    'a target of 100 %',
    sla({ target: '100%' }),
    /^nines\.yml:6:\d+: slas\[0\]\.target: the SLA "shop-sla": a target of 100% leaves no budget/,
  ],
  ['a target above 100 %', sla({ target: '100.1%' }), /^nines\.yml:6:\d+: slas\[0\]\.target: .*at most 100%/],
  [
    'a target that forgot its sign',
    sla({ target: '99.9' }),
    /^nines\.yml:6:\d+: slas\[0\]\.target: a ratio is at most 100%: "99\.9" \(a percentage is written with its sign: 99\.9%\)$/,
  ],
  [
    'a burn factor that a total outage cannot exceed',
    sla({ target: '90%', burn: '[{ long: 1h, short: 5m, factor: 14.4 }]' }),
    /^nines\.yml:8:\d+: slas\[0\]\.burn\[0\]\.factor: the SLA "shop-sla": a total outage burns at 10 times the allowed rate, so 14\.4 can never be exceeded$/,
  ],
  [
    'a slice longer than the window',
    sla({ indicator: "{ kind: threshold, query: x, condition: '<', threshold: 1, slice: 2h }", window: '{ rolling: 1h }' }),
    /^nines\.yml:5:\d+: slas\[0\]\.indicator\.slice: the SLA "shop-sla": a slice is longer than the window$/,
  ],
  [
    'a query that gives several series where one is needed',
    sla({ indicator: "{ kind: threshold, query: 'max by (instance) (x)', condition: '<', threshold: 1 }" }),
    /^nines\.yml:5:\d+: slas\[0\]\.indicator\.query: "max by \(instance\) \(x\)" gives several series where one is needed/,
  ],
  [
    'counters that give several series where one is needed',
    sla({ indicator: "{ kind: ratio, bad: 'sum by (path) (rate(e_total[5m]))', total: t_total }" }),
    /^nines\.yml:5:\d+: slas\[0\]\.indicator\.bad: .*gives several series where one is needed/,
  ],
  ['OpenSLO: a target of 100 %', defined(SLO.replace('0.99', '1')), /^slo\.yml:11:\d+: spec\.objectives\.0\.target: a target is below 1/],
  [
    'OpenSLO: an unknown zone',
    defined(
      SLO.replace('duration: 4w, isRolling: true', "duration: 1M, calendar: { startTime: '2026-01-01 00:00:00', timeZone: Nowhere }"),
    ),
    /^slo\.yml:1:1: the SLA "requests": .*there is no time zone "Nowhere"/,
  ],
  [
    'OpenSLO: an impossible burn factor',
    defined(
      `${SLO}  alertPolicies:\n    - kind: AlertPolicy\n      metadata: { name: p }\n      spec: { alertWhenBreaching: true, conditions: [{ kind: AlertCondition, metadata: { name: c }, spec: { severity: page, condition: { kind: burnrate, op: gt, threshold: 500, lookbackWindow: 1h } } }] }\n`,
    ),
    /^slo\.yml:1:1: the SLA "requests": a total outage burns at 100 times the allowed rate, so 500 can never be exceeded/,
  ],
  [
    'OpenSLO: a slice longer than the window',
    defined(SLO.replace('Occurrences', 'Timeslices').replace('target: 0.99', 'target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5w')),
    /^slo\.yml:1:1: the SLA "requests": a slice is longer than the window/,
  ],
  ['Pyrra: a target of 100 %', defined(PYRRA.replace("'99'", "'100'")), /^slo\.yml:5:\d+: spec\.target: .*below 100/],
  [
    'Sloth: a target of 100 %',
    defined(SLOTH.replace('99.9', '100')),
    /^slo\.yml:5:\d+: slos\.0\.objective: an objective is a percentage below 100/,
  ],
];

for (const [what, text, told] of REFUSED) {
  test(`refused by name and place: ${what}`, () => {
    const lines = typeof text === 'string' ? said(text) : said(...text);
    assert.ok(
      lines.some((line) => told.test(line)),
      `${String(told)} in\n${lines.join('\n')}`,
    );
    assert.ok(!lines[0]?.startsWith('warning'), 'a refusal, not a warning');
  });
}

test('a burn pair that the window and the target give and a total outage cannot exceed is left out, by name', () => {
  const found = said(sla({ target: '90%' }));
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(
    found[0] ?? '',
    /^warning: nines\.yml:6:\d+: the SLA "shop-sla" has no burn alert over 1 h 4 min 17\.142 s at 14 times the allowed rate: a total outage burns at 10 times$/,
  );
  assert.deepEqual(said(sla()), []);
});

test('alerts of Sloth and Pyrra that a total outage cannot raise are named', () => {
  const sloth = said(...defined(SLOTH.replace('99.9', '90')));
  assert.match(
    sloth.join('\n'),
    /^warning: slo\.yml:1:1: the alert "ShopErrors" of "shop-requests" cannot be raised by its pair of 5m and 1h: a total outage burns at 10 times the allowed rate, which is not above 14\.4$/m,
  );
  const pyrra = said(...defined(PYRRA.replace("'99'", "'90'")));
  assert.match(
    pyrra.join('\n'),
    /^warning: slo\.yml:1:1: the alert "ErrorBudgetBurn" of "http-errors" cannot be raised by its pair of 5m and 1h: .* which is not above 14$/m,
  );
  assert.deepEqual(said(...defined(SLOTH)), []);
});

test('recovery actions that could not run, or not where they are meant to, are refused by name and place', () => {
  const written = (action: string, commands = '[/usr/bin/systemctl]'): readonly string[] =>
    said(`services: [{ id: shop, checks: [{ id: shop-http, kind: tcp, address: 'h:1' }] }]
data: /srv/nines
recovery:
  commands: ${commands}
  actions:
    - { id: act, check: shop-http, ${action} }
`);
  const restart = 'kind: restart_service, unit: nginx.service';
  assert.deepEqual(written(restart), []);
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [written(restart, '[]'), /^nines\.yml:6:\d+: \/usr\/bin\/systemctl is not listed under recovery\.commands$/],
    [written('kind: command, command: [/bin/rm, -rf, /]'), /^nines\.yml:6:\d+: \/bin\/rm is not listed under recovery\.commands$/],
    [written('kind: command, command: [rm]'), /^nines\.yml:6:\d+: .*write the absolute path of the program/],
    [written(restart, '[systemctl]'), /^nines\.yml:4:\d+: .*write the absolute path of a program/],
    [written('kind: restart_service, unit: --help'), /^nines\.yml:6:\d+: .*write the name of a systemd unit/],
    [written(`${restart}, user: no-such-user`), /^nines\.yml:6:\d+: there is no user "no-such-user" on this machine$/],
    [written(`${restart}, expect: [{ kind: check, check: ghost }]`), /names the check "ghost", which is not declared$/],
    [written(`${restart}, expect: [{ kind: freed, bytes: 1 }]`), /only clean_files knows how much it freed/],
    [written('kind: clean_files, folder: /etc/nginx, older_than: 1d'), /^nines\.yml:6:\d+: .*\/etc\/nginx belongs to the system/],
    [written('kind: clean_files, folder: /tmp/../etc, older_than: 1d'), /write the folder without "\.\."/],
    [written('kind: clean_files, folder: /srv/nines/store, older_than: 1d'), /\/srv\/nines\/store overlaps the data directory$/],
    [written('kind: clear_caches'), /write which caches: either memory or command/],
    [written('kind: restart_process, process: {}'), /write what to look for: name or command_matches/],
    [written('kind: reboot'), /^nines\.yml:6:\d+: /],
  ];
  for (const [lines, want] of refused) {
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', want);
  }
  const orphan = said(`recovery: { commands: [/bin/true], actions: [{ id: act, check: ghost, kind: command, command: [/bin/true] }] }\n`);
  assert.match(orphan.join('\n'), /^nines\.yml:1:\d+: the recovery action "act" names the check "ghost", which is not declared$/);
});
