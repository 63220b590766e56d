import type { Alerting } from './contract.ts';
import { type AlertRecord, decide } from './evaluate.ts';
import { newestFirst, viewOf } from './view.ts';

/** Alerting that is decided as always, remembered nowhere and told to nobody: for unit tests of rules. */
export function createMemoryAlerting(): Alerting {
  const openByRule = new Map<string, Map<string, AlertRecord>>();
  let ids = 0;
  const views = (records: Iterable<AlertRecord>) => Array.from(records, (record) => viewOf(record, record.createdAtMs));
  return {
    async apply(evaluation) {
      const open = openByRule.get(evaluation.rule.id) ?? new Map<string, AlertRecord>();
      openByRule.set(evaluation.rule.id, open);
      const { transitions, refreshed } = decide(open, evaluation, () => String(++ids));
      for (const { kind, after } of transitions) {
        if (kind === 'dropped' || kind === 'resolved') open.delete(after.fingerprint);
        else open.set(after.fingerprint, after);
      }
      for (const record of refreshed) open.set(record.fingerprint, record);
    },
    openOf: (ruleId) => views(openByRule.get(ruleId)?.values() ?? []),
    awaiting: () => [],
    open: () => [...openByRule.values()].flatMap((open) => views(open.values())).sort(newestFirst),
  };
}
