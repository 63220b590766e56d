import { Button, NativeSelect, NumberInput, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { routingTestQuery } from '../api/routing.ts';
import { type RuleDetailView, backtestDraft } from '../api/rules.ts';
import { Command, RefusedNotice } from '../components/notices.tsx';
import { PromqlEditor } from '../explore/promql-editor.tsx';
import { rich, t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { BacktestReport } from './backtest-report.tsx';
import { FORM_KINDS, type FormKind, type RuleDraft, SEVERITIES, labelsOf, ruleOf, ruleYaml } from './draft.ts';
import { SaveRule } from './save-rule.tsx';
import '../styles/explore.css';

const CONDITIONS = ['>', '>=', '<', '<=', '==', '!='];
const DAY_MS = 86_400_000;

type Set = (change: Partial<RuleDraft>) => void;
type PartProps = { readonly draft: RuleDraft; readonly set: Set };

type FormProps = {
  readonly initial: RuleDraft;
  /** The saved rule that is changed. */
  readonly of?: RuleDetailView;
  /** Told of what was saved; without it the form says so itself. */
  readonly onSaved?: (saved: RuleDetailView) => void;
};

/** A rule being written: what it would have done, where its alerts would go, and the two ways to make it a rule. */
export function RuleForm({ initial, of, onSaved }: FormProps) {
  const [draft, setDraft] = useState(initial);
  const set: Set = (change) => setDraft((before) => ({ ...before, ...change }));
  const alerts = draft.kind !== 'recording';
  return (
    <div className="drawer-body">
      <Kind draft={draft} set={set} />
      <PromqlEditor label={t('Query')} value={draft.expr} onChange={(expr) => set({ expr })} onRun={(expr) => set({ expr })} />
      <Condition draft={draft} set={set} isNew={of === undefined} />
      <Words draft={draft} set={set} />
      {alerts ? <WouldHave draft={draft} /> : null}
      {alerts ? <WouldGo draft={draft} /> : null}
      <section className="section">
        <h3>{t('The rule')}</h3>
        <SaveRule rule={ruleOf(draft)} yaml={ruleYaml(draft)} disabled={!isWhole(draft)} of={of} onSaved={onSaved} />
        <details>
          <summary>{t('As text, for version control')}</summary>
          <Command text={ruleYaml(draft)} />
          <p className="soft">
            {draft.kind === 'threshold'
              ? rich('In <code>nines.yml</code> it is read with the next reload, and changed there.', {
                  code: (inner) => <code>{inner}</code>,
                })
              : rich('In a file that <code>rules.files</code> names it is read with the next reload, and changed there.', {
                  code: (inner) => <code>{inner}</code>,
                })}
          </p>
        </details>
      </section>
    </div>
  );
}

const isWhole = ({ id, expr, labels }: RuleDraft): boolean => id.trim() !== '' && expr.trim() !== '' && labelsOf(labels) !== undefined;

const KINDS: Readonly<Record<FormKind, string>> = {
  threshold: t('Alert when a value crosses a limit'),
  alerting: t('Alert while a query finds something'),
  recording: t('Record what a query finds as a series'),
};

function Kind({ draft, set }: PartProps) {
  return (
    <NativeSelect
      size="xs"
      label={t('What it does')}
      data={FORM_KINDS.map((value) => ({ value, label: KINDS[value] }))}
      value={draft.kind}
      onChange={({ currentTarget: { value } }) => {
        const kind = FORM_KINDS.find((one) => one === value) ?? 'threshold';
        set({ kind, severity: draft.severity === '' && kind !== 'recording' ? 'warning' : draft.severity });
      }}
    />
  );
}

function Condition({ draft, set, isNew }: PartProps & { readonly isNew: boolean }) {
  const { kind } = draft;
  return (
    <div className="builder-row">
      <TextInput
        size="xs"
        label={t('Id')}
        value={draft.id}
        // Alerts and silences name it.
        readOnly={!isNew}
        onChange={({ currentTarget: { value } }) => set({ id: value })}
      />
      <TextInput
        size="xs"
        label={kind === 'recording' ? t('Name of the series') : t('Name of the alert')}
        placeholder={draft.id}
        value={draft.name}
        onChange={({ currentTarget: { value } }) => set({ name: value })}
      />
      {kind === 'threshold' ? <Limit draft={draft} set={set} /> : null}
      {kind === 'threshold' ? null : (
        <TextInput
          size="xs"
          label={t('Evaluated every')}
          placeholder="1m"
          value={draft.interval}
          onChange={({ currentTarget: { value } }) => set({ interval: value })}
        />
      )}
      {kind === 'recording' ? null : <Lasting draft={draft} set={set} />}
    </div>
  );
}

function Limit({ draft, set }: PartProps) {
  return (
    <>
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
    </>
  );
}

function Lasting({ draft, set }: PartProps) {
  return (
    <>
      <TextInput
        size="xs"
        label={t('For')}
        placeholder="0s"
        value={draft.forText}
        onChange={({ currentTarget: { value } }) => set({ forText: value })}
      />
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
        data={draft.severity === '' ? ['', ...SEVERITIES] : SEVERITIES}
        value={draft.severity}
        onChange={({ currentTarget: { value } }) => set({ severity: value })}
      />
    </>
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
      {draft.kind === 'recording' ? null : <Annotations draft={draft} set={set} />}
    </>
  );
}

function Annotations({ draft, set }: PartProps) {
  return (
    <>
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
  const labels = { alertname: draft.name === '' ? draft.id : draft.name, severity: draft.severity, ...labelsOf(draft.labels) };
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
