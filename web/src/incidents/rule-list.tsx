import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { t } from '../language/t.ts';
import { moved } from './draft.ts';

type Item = { readonly id: string };
type Props<T extends Item> = {
  readonly label: string;
  readonly items: readonly T[];
  readonly onChange: (items: readonly T[]) => void;
  readonly fresh: () => T;
  /** What stands on the button that adds one. */
  readonly add: string;
  readonly children: (item: T, set: (change: Partial<T>) => void) => ReactNode;
};

/** Rules of which the first that matches decides: their order is part of what they say. */
export function RuleList<T extends Item>({ label, items, onChange, fresh, add, children }: Props<T>) {
  const set = (index: number, change: Partial<T>): void =>
    onChange(items.map((item, at) => (at === index ? { ...item, ...change } : item)));
  const button = (word: string, id: string, run: () => void, disabled = false) => (
    <button type="button" className="plain-button" aria-label={`${word}: ${id}`} disabled={disabled} onClick={run}>
      {word}
    </button>
  );
  return (
    <>
      <ol className="rule-list" aria-label={label}>
        {items.map((item, index) => (
          <li key={index} className="form-group">
            <div className="rule-fields">{children(item, (change) => set(index, change))}</div>
            <div className="row-wrap row-actions">
              {button(t('Earlier'), item.id, () => onChange(moved(items, index, -1)), index === 0)}
              {button(t('Later'), item.id, () => onChange(moved(items, index, 1)), index === items.length - 1)}
              {button(t('Remove'), item.id, () => onChange(items.filter((_, at) => at !== index)))}
            </div>
          </li>
        ))}
      </ol>
      <div>
        <button type="button" className="plain-button" onClick={() => onChange([...items, fresh()])}>
          {add}
        </button>
      </div>
    </>
  );
}

type Ruled = { readonly id: string; readonly match: string; readonly why: string };

/** What every rule has: a name, the labels it looks for, and why it is there. */
export function RuledFields({ rule, set }: { readonly rule: Ruled; readonly set: (change: Partial<Ruled>) => void }) {
  return (
    <>
      <TextInput label={t('Name')} required maxLength={63} value={rule.id} onChange={(event) => set({ id: event.currentTarget.value })} />
      <TextInput
        label={t('When')}
        description={t('Labels of the alert, tier and owner of its service; empty: always.')}
        placeholder='alertname="HighCpu", tier=~"1|2"'
        maxLength={2_000}
        value={rule.match}
        onChange={(event) => set({ match: event.currentTarget.value })}
      />
      <TextInput
        label={t('Why')}
        description={t('Stays with the incident.')}
        maxLength={500}
        value={rule.why}
        onChange={(event) => set({ why: event.currentTarget.value })}
      />
    </>
  );
}
