import { Button, NativeSelect, NumberInput, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { routingTestQuery } from '../api/routing.ts';
import { backtestDraft } from '../api/rules.ts';
import { Command, RefusedNotice } from '../components/notices.tsx';
import { PromqlEditor } from '../explore/promql-editor.tsx';
import { rich, t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { BacktestReport } from './backtest-report.tsx';
import { type RuleDraft, labelsOf, ruleOf, ruleYaml } from './draft.ts';
import '../styles/explore.css';

const CONDITIONS = ['>', '>=', '<', '<=', '==', '!='];
const SEVERITIES = ['info', 'warning', 'critical', 'emergency'];
const DAY_MS = 86_400_000;

type Set = (change: Partial<RuleDraft>) => void;
type PartProps = { readonly draft: RuleDraft; readonly set: Set };

/** A rule being written: what it would have done, where its alerts would go, and the text that makes it a rule. */
export function RuleForm({ initial }: { readonly initial: RuleDraft }) {
  const [draft, setDraft] = useState(initial);
  const set: Set = (change) => setDraft((before) => ({ ...before, ...change }));
  return (
    <div className="drawer-body">
      <PromqlEditor label={t('Query')} value={draft.expr} onChange={(expr) => set({ expr })} onRun={(expr) => set({ expr })} />
      <Condition draft={draft} set={set} />
      <Words draft={draft} set={set} />
      <WouldHave draft={draft} />
      <WouldGo draft={draft} />
      <section className="section">
        <h3>{t('The rule')}</h3>
        <Command text={ruleYaml(draft)} />
        <p className="soft">
          {rich(
            'Rules stand in <code>nines.yml</code> and in rule files, under version control, and nowhere else: put it there and reload. <rules>Rules</rules> then shows it.',
            {
              code: (inner) => <code>{inner}</code>,
              rules: (inner) => <Link to="/rules">{inner}</Link>,
            },
          )}
        </p>
      </section>
    </div>
  );
}

function Condition({ draft, set }: PartProps) {
  return (
    <div className="builder-row">
      <TextInput size="xs" label={t('Id')} value={draft.id} onChange={({ currentTarget: { value } }) => set({ id: value })} />
      <NativeSelect
        size="xs"
        label={t('When it is')}
        data={CONDITIONS}
        value={draft.condition}
        onChange={({ currentTarget: { value } }) => set({ condition: value })}
      />
      <NumberInput size="xs" label={t('Threshold')} value={draft.threshold} onChange={(value) => set({ threshold: Number(value) })} />
      <TextInput
        size="xs"
        label={t('Ends at')}
        placeholder={String(draft.threshold)}
        value={draft.clear}
        onChange={({ currentTarget: { value } }) => set({ clear: value })}
      />
      <TextInput size="xs" label={t('For')} value={draft.forText} onChange={({ currentTarget: { value } }) => set({ forText: value })} />
      <TextInput
        size="xs"
        label={t('Keeps firing')}
        placeholder="0s"
        value={draft.keepFiring}
        onChange={({ currentTarget: { value } }) => set({ keepFiring: value })}
      />
      <NativeSelect
        size="xs"
        label={t('Severity')}
        data={SEVERITIES}
        value={draft.severity}
        onChange={({ currentTarget: { value } }) => set({ severity: value })}
      />
    </div>
  );
}

function Words({ draft, set }: PartProps) {
  return (
    <>
      <TextInput
        size="xs"
        label={t('Labels')}
        placeholder="team=shop, env=prod"
        value={draft.labels}
        error={labelsOf(draft.labels) === undefined ? t('Write name=value, with commas between.') : undefined}
        onChange={({ currentTarget: { value } }) => set({ labels: value })}
      />
      <TextInput
        size="xs"
        label={t('Summary')}
        placeholder="{{ $labels.instance }}: {{ $value }}"
        value={draft.summary}
        onChange={({ currentTarget: { value } }) => set({ summary: value })}
      />
      <Textarea
        size="xs"
        label={t('Description')}
        autosize
        minRows={2}
        value={draft.description}
        onChange={({ currentTarget: { value } }) => set({ description: value })}
      />
      <TextInput
        size="xs"
        label={t('Runbook')}
        placeholder="https://"
        value={draft.runbook}
        onChange={({ currentTarget: { value } }) => set({ runbook: value })}
      />
    </>
  );
}

const SPANS = [
  { value: '1', label: t('the last day') },
  { value: '7', label: t('the last 7 days') },
  { value: '30', label: t('the last 30 days') },
];

function WouldHave({ draft }: { readonly draft: RuleDraft }) {
  const [days, setDays] = useState('1');
  const test = useMutation({
    mutationFn: (of: RuleDraft) => backtestDraft(ruleOf(of), { nowMs: Date.now(), lengthMs: Number(days) * DAY_MS }),
  });
  const isOld = test.data !== undefined && test.variables !== undefined && ruleYaml(test.variables) !== ruleYaml(draft);
  return (
    <section className="section">
      <h3>{t('What it would have done')}</h3>
      <div className="row-wrap">
        <NativeSelect
          size="xs"
          aria-label={t('Span')}
          data={SPANS}
          value={days}
          onChange={({ currentTarget: { value } }) => setDays(value)}
        />
        <Button size="xs" variant="default" loading={test.isPending} disabled={draft.expr.trim() === ''} onClick={() => test.mutate(draft)}>
          {t('Back-test')}
        </Button>
      </div>
      {test.isError ? <RefusedNotice error={test.error} /> : null}
      {test.data === undefined ? (
        <p className="faint">{t('It is tried over the stored samples, exactly as it would run, and tells nobody.')}</p>
      ) : (
        <>
          {isOld ? <p className="soft">{t('The rule has changed since: try it again.')}</p> : null}
          <BacktestReport report={test.data} />
        </>
      )}
    </section>
  );
}

/** Where its alerts would go by the routes there are; series bring labels of their own. */
function WouldGo({ draft }: { readonly draft: RuleDraft }) {
  const may = useCan('read', 'notifications');
  const labels = { alertname: draft.id, severity: draft.severity, ...labelsOf(draft.labels) };
  const found = useQuery({ ...routingTestQuery(labels), enabled: may });
  if (found.data === undefined) return null;
  const channels = [...new Set(found.data.matches.flatMap((match) => match.channels))];
  const { held } = found.data;
  return (
    <section className="section">
      <h3>{t('Where it would go')}</h3>
      <p>
        {channels.length === 0
          ? t('Nowhere: no route takes an alert with these labels, and there is no default channel.')
          : t('To {channels}, apart from what the labels of the series change.', { channels: channels.join(', ') })}
      </p>
      {held.map(({ kind, cause }) => (
        <p key={`${kind} ${cause}`} className="soft">
          {t('Held back now: {cause}', { cause })}
        </p>
      ))}
    </section>
  );
}
