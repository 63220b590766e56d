import type { AuditEntry } from '@nines/server/audit/contract.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Parts } from '@nines/server/parts.ts';
import { createTurns } from '@nines/server/platform/turns.ts';
import { ruleViews } from '@nines/server/rules/views.ts';
import { silenceSchema } from '@nines/server/silences/contract.ts';
import { PROGRAM } from './actor.ts';
import { type Added, NOTHING_ADDED, configured, judgeRule } from './configured.ts';
import type { Metrics, OpenOptions, Rule, RuleView, Silence, Suppression, Target, TargetView } from './contract.ts';
import { checked, lengthMs } from './given.ts';

/** Rules, targets and silences of the program. Each change is in the audit log before it is made. */
export class Changing {
  readonly #options: OpenOptions;
  readonly #parts: Parts;
  readonly #alone = createTurns();
  #added: Added = NOTHING_ADDED;

  constructor(options: OpenOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
  }

  readonly rules: Metrics['rules'] = {
    list: (): readonly RuleView[] => ruleViews(this.#parts.rules, this.#parts.alerting),
    add: async (rule: Rule) => {
      judgeRule(rule);
      await this.#configure('library.rule.added', { kind: 'rules', id: rule.id, asked: rule }, (added) => ({
        ...added,
        rules: new Map([...added.rules, [rule.id, rule]]),
      }));
    },
    remove: (id: string) =>
      this.#configure('library.rule.removed', { kind: 'rules', id }, (added) => ({ ...added, rules: without(added.rules, id, 'rule') })),
  };

  readonly targets: Metrics['targets'] = {
    list: (): readonly TargetView[] => this.#parts.scrapes.list().items,
    add: (target: Target) =>
      this.#configure('library.target.added', { kind: 'targets', id: target.job, asked: target }, (added) => ({
        ...added,
        targets: new Map([...added.targets, [target.job, target]]),
      })),
    remove: (job: string) =>
      this.#configure('library.target.removed', { kind: 'targets', id: job }, (added) => ({
        ...added,
        targets: without(added.targets, job, 'target'),
      })),
  };

  async suppress({ labels, for: length, comment }: Suppression): Promise<Silence> {
    const { silences, shared } = this.#parts;
    const startsAtMs = shared.clock.now();
    const matchers = Object.entries(labels).map(([name, value]) => ({ name, op: '=', value }));
    const written = { matchers, comment, ends_at_ms: startsAtMs + lengthMs(length, 'for') };
    const { ends_at_ms: endsAtMs, ...draft } = checked(silenceSchema, written, 'bad_suppression');
    const { starts_at_ms: _now, ...said } = draft;
    const silence = await this.#recorded('library.silence.made', { kind: 'silences', id: null, asked: written }, () =>
      silences.put({ id: undefined, ...said, startsAtMs, endsAtMs, createdBy: PROGRAM.name }, PROGRAM),
    );
    return silences.viewOf(silence);
  }

  async unsuppress(id: string): Promise<void> {
    await this.#parts.silences.get(id);
    await this.#recorded('library.silence.ended', { kind: 'silences', id }, () => this.#parts.silences.expire(id, PROGRAM));
  }

  suppressions(): readonly Silence[] {
    const { silences } = this.#parts;
    return silences.list().map((silence) => silences.viewOf(silence));
  }

  #configure(action: string, about: About, change: (added: Added) => Added): Promise<void> {
    return this.#alone(async () => {
      const next = change(this.#added);
      const configuration = configured(this.#options, next);
      await this.#recorded(action, about, () => this.#parts.apply(configuration));
      this.#added = next;
    });
  }

  /** What cannot be recorded is not done. */
  async #recorded<T>(action: string, { asked, ...object }: About, change: () => Promise<T>): Promise<T> {
    const entry: Omit<AuditEntry, 'phase'> = { actor: PROGRAM, action, object };
    await this.#parts.audit.append({ ...entry, phase: 'asked', ...(asked !== undefined && { asked }) });
    return change();
  }
}

type About = AuditEntry['object'] & { readonly asked?: unknown };

function without<T>(all: ReadonlyMap<string, T>, key: string, what: string): ReadonlyMap<string, T> {
  if (!all.has(key))
    throw new AppError(
      'not_found',
      `${what}_not_added`,
      `no ${what} "${key}" was added here; what stands in the configuration is changed there`,
    );
  return new Map([...all].filter(([name]) => name !== key));
}
