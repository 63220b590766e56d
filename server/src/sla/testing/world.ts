import assert from 'node:assert/strict';
import { type EpochMs, epochMs, ms } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { TestContext } from 'node:test';
import { countingIds } from '../../../../test/harness/ids.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import { type ManualClock, manualClock } from '../../../../test/harness/manual-clock.ts';
import type { Evaluation } from '../../alerting/contract.ts';
import { Availability } from '../../availability/service.ts';
import type { CheckTiming, Outcome } from '../../checks/contract.ts';
import { type Fact, createBus } from '../../platform/bus.ts';
import type { Db } from '../../platform/db/open.ts';
import type { ServiceEntry } from '../../services/contract.ts';
import { slaDeclaration } from '../config.ts';
import type { SlaView } from '../contract.ts';
import { SlaContracts } from '../contracts.ts';
import type { FigureSample } from '../figures.ts';
import { MaintenanceService } from '../../maintenance/service.ts';
import { SlaService } from '../service.ts';
import { type Signer, createKeyPair, createSigner } from '../../platform/signing/signer.ts';
import { Reports } from '../reports/service.ts';
import { ReportTemplates } from '../reports/templates.ts';
import { Exclusions } from '../statements/exclusion-service.ts';
import { Statements } from '../statements/service.ts';
import type { Question } from '../statements/gather.ts';
import type { SignedStatement } from '../statements/statement.ts';

/** Half past a minute, so that nothing is aligned by accident. */
export const START_MS = 1_760_000_010_000;
const DOWN: Outcome = { kind: 'down', code: 'connection_refused', detail: 'connection refused by 127.0.0.1:1' };

const shopTiming: CheckTiming = {
  check: 'shop-http',
  service: 'shop',
  intervalMs: ms(1000),
  timeoutMs: ms(500),
  impact: 'down',
  confirm: { n: 1, of: 1 },
};
const SHOP: ServiceEntry = {
  entityId: 'e',
  id: 'shop',
  name: 'Web shop',
  owner: '',
  labels: {},
  teamId: 'default',
  tier: '',
  description: '',
  runbook: '',
  tags: [],
  dependsOn: [],
  suppressWhenParentDown: false,
  checks: ['shop-http'],
  origin: { kind: 'file', place: 'nines.yml:3' },
};

/** A whole SLA domain on a real ledger and a real database, with time moved by hand. */
export class SlaWorld {
  readonly clock: ManualClock;
  readonly ledger: Availability;
  readonly maintenance: MaintenanceService;
  readonly slas: SlaService;
  readonly contracts: SlaContracts;
  readonly statements: Statements;
  readonly exclusions: Exclusions;
  readonly reports: Reports;
  readonly templates: ReportTemplates;
  /** What statements are signed with. */
  signer: () => Signer;
  readonly facts: Fact[] = [];
  /** What alerting was told. */
  readonly told: Evaluation[] = [];
  /** Response times in seconds, by instant; what the threshold indicator reads. */
  readonly samples: { atMs: number; value: number }[];
  /** Samples of counters, by selector. */
  readonly counters = new Map<string, { atMs: number; value: number }[]>();
  reads = 0;
  readonly #timing: CheckTiming;
  /** Figures that became samples. */
  readonly recorded: FigureSample[] = [];
  /** How long each read of samples takes. */
  readCostMs = 0;
  readFails = false;

  constructor(
    db: Db,
    options: {
      readonly clock?: ManualClock;
      readonly samples?: SlaWorld['samples'];
      readonly signer?: Signer;
      readonly timing?: Partial<CheckTiming>;
    } = {},
  ) {
    const signer = options.signer ?? createSigner(createKeyPair());
    this.signer = () => signer;
    this.#timing = { ...shopTiming, ...options.timing };
    this.clock = options.clock ?? manualClock(START_MS);
    this.samples = options.samples ?? [];
    const bus = createBus((thrown) => assert.fail(String(thrown)));
    bus.subscribe((fact) => this.facts.push(fact));
    const base = { db: db.kysely, clock: this.clock, ids: countingUuids(), logger: recordingLogger(), bus };
    this.ledger = new Availability({ ...base, replay: async () => new Map() });
    const services = { get: (id: string) => (id === 'shop' ? SHOP : undefined) };
    this.maintenance = new MaintenanceService({
      ...base,
      services,
      onBoundary: async () => {},
      onPastChanged: (service, span) => this.statements.recheckService(service, span),
    });
    this.slas = new SlaService({
      ...base,
      maintenance: this.maintenance,
      ledger: this.ledger,
      record: async (samples) => this.recorded.push(...samples),
      alert: async (evaluation) => void this.told.push(evaluation),
      onLate: (sla, span) => this.statements.recheck([sla], span),
      readSamples: async (query, { fromMs, toMs }) => {
        this.reads++;
        const counter = this.counters.get(query);
        if (counter !== undefined) {
          const seen = counter.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
          return [{ times: seen.map(({ atMs }) => atMs), values: seen.map(({ value }) => value) }];
        }
        if (this.readCostMs > 0) await this.clock.advance(this.readCostMs);
        if (this.readFails) throw new Error('too many samples');
        const seen = this.samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
        return [{ times: seen.map(({ atMs }) => atMs), values: seen.map(({ value }) => value) }];
      },
    });
    const { book } = this.slas;
    this.statements = new Statements({ ...base, book, maintenance: this.maintenance, ledger: this.ledger, signer: () => this.signer() });
    this.reports = new Reports({
      ...base,
      book,
      statements: this.statements,
      signer: () => this.signer(),
      serviceName: () => 'Web shop',
    });
    this.templates = new ReportTemplates(base);
    this.exclusions = new Exclusions({ ...base, book, onChange: (sla, span) => this.statements.recheck([sla], span) });
    this.contracts = new SlaContracts({
      ...base,
      book: this.slas.book,
      services,
      onChange: () => {},
    });
    // As parts.ts does: a change of state is looked at without waiting for the next step.
    this.ledger.onStateChange((change) => this.slas.wake(change.service));
  }

  /** Starts with these SLAs in the configuration file. */
  async begin(...declared: object[]): Promise<this> {
    await this.ledger.start();
    await this.ledger.configure([{ service: 'shop', checks: [this.#timing] }]);
    await this.maintenance.load();
    await this.exclusions.load();
    await this.slas.load();
    await this.declare(...declared);
    return this;
  }

  async declare(...declared: object[]): Promise<void> {
    await this.contracts.declare(declared.map((each, i) => ({ spec: slaDeclaration.parse(each), place: `nines.yml:${10 + i}` })));
  }

  /** One letter per second: `U` up, `x` down, `.` no result. The step runs each second. `seconds` is the response time. */
  async play(script: string, seconds = 0.05): Promise<void> {
    for (const letter of script) {
      const nowMs = this.clock.now();
      if (letter !== '.') {
        this.samples.push({ atMs: nowMs, value: letter === 'x' ? 0.001 : seconds });
        const outcome: Outcome = letter === 'x' ? DOWN : { kind: 'up' };
        const result = { check: 'shop-http', service: 'shop', checkKind: 'http', target: 't', startedAtMs: nowMs, durationMs: 5 };
        await this.ledger.record({ ...result, outcome, phases: {}, loopDelayMs: 0 });
      }
      await this.clock.advance(1000);
      await this.ledger.step(this.clock.now());
      await this.slas.worker.step(this.clock.now());
    }
  }

  async view(id: string): Promise<SlaView> {
    return (await this.slas.get(id, this.clock.now())) ?? assert.fail(`no SLA ${id}`);
  }

  /** What the routes of statements are made of. */
  parts() {
    const { slas, statements, exclusions, reports, templates, clock } = this;
    return { slas, statements, exclusions, reports, templates, clock, sender: { list: async () => [] } };
  }

  /** The statement of a period of an SLA. */
  async statement(sla: string, period: Span, asked: Partial<Question> = {}): Promise<SignedStatement> {
    return (await this.statements.report({ sla, period, zone: 'UTC', ...asked })).statement;
  }

  /** Labels of the alerts that alerting was last told are active. */
  active(): readonly string[] {
    const found = this.told.at(-1)?.found;
    return found?.kind === 'complete' ? found.active.map(({ labels }) => labels.join(' ')) : [];
  }
}

export const at = (seconds: number): EpochMs => epochMs(START_MS + seconds * 1000);

/** Ids that differ between the worlds of one test, which share a database. */
let worlds = 0;
function countingUuids() {
  const ids = countingIds();
  const world = String(++worlds).padStart(4, '0');
  return { ...ids, uuid: () => ids.uuid().replace('-8000-', `-${world}-`) };
}

export const openWorld = async (
  t: TestContext,
  open: (t: TestContext) => Promise<{ readonly db: Db }>,
  ...declared: object[]
): Promise<SlaWorld> => new SlaWorld((await open(t)).db).begin(...declared);
