import { Modal, NativeSelect, NumberInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { rangeWithCost } from '../api/explore.ts';
import { Command } from '../components/notices.tsx';
import { lengthText } from '../figures/length.ts';
import type { View } from '../timeline/view.ts';
import { rangeAsk } from './graph-tab.tsx';
import { type RuleDraft, isMet, ruleId, ruleSnippet, splitCondition } from './rule-snippet.ts';

type Props = { readonly query: string; readonly view: View; readonly onClose: () => void };

const CONDITIONS = ['>', '>=', '<', '<=', '==', '!='];
const SEVERITIES = ['info', 'warning', 'critical', 'emergency'];

/** The query as a rule of the configuration, with how often it would have been met. */
export function AlertDialog({ query, view, onClose }: Props) {
  const [draft, setDraft] = useState<RuleDraft>(() => ({
    id: ruleId(query),
    ...splitCondition(query),
    forText: '5m',
    severity: 'warning',
  }));
  const set = (change: Partial<RuleDraft>) => setDraft((before) => ({ ...before, ...change }));
  return (
    <Modal opened onClose={onClose} title="An alert from this query" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      <div className="drawer-body">
        <div className="builder-row">
          <TextInput size="xs" label="Id" value={draft.id} onChange={({ currentTarget: { value } }) => set({ id: value })} />
          <NativeSelect
            size="xs"
            label="When it is"
            data={CONDITIONS}
            value={draft.condition}
            onChange={({ currentTarget: { value } }) => set({ condition: value })}
          />
          <NumberInput size="xs" label="Threshold" value={draft.threshold} onChange={(value) => set({ threshold: Number(value) })} />
          <TextInput size="xs" label="For" value={draft.forText} onChange={({ currentTarget: { value } }) => set({ forText: value })} />
          <NativeSelect
            size="xs"
            label="Severity"
            data={SEVERITIES}
            value={draft.severity}
            onChange={({ currentTarget: { value } }) => set({ severity: value })}
          />
        </div>
        <HowOften draft={draft} view={view} />
        <Command text={ruleSnippet(draft)} />
        <p className="soft">
          Put it into <code>nines.yml</code> and reload; <Link to="/rules">Rules</Link> then shows it, and what it would have done.
        </p>
      </div>
    </Modal>
  );
}

function HowOften({ draft, view }: { readonly draft: RuleDraft; readonly view: View }) {
  const found = useQuery(rangeWithCost(rangeAsk(draft.expr, view)));
  if (found.data === undefined) return <p className="faint">{found.error === null ? 'Reading the range …' : found.error.message}</p>;
  const { series } = found.data;
  const meeting = series.filter(({ points }) => points.some(([, value]) => isMet(draft.condition, value, draft.threshold)));
  return (
    <p role="status">
      {`In the ${lengthText(view.toMs - view.fromMs)} shown, ${meeting.length} of ${series.length} series ${meeting.length === 1 ? 'is' : 'are'} ${draft.condition} ${draft.threshold} at some time.`}
    </p>
  );
}
