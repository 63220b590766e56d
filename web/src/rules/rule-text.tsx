import { Textarea } from '@mantine/core';
import { useState } from 'react';
import type { RuleDetailView } from '../api/rules.ts';
import { t } from '../language/t.ts';
import type { Written } from './draft.ts';
import { SaveRule } from './save-rule.tsx';

type Props = { readonly of: RuleDetailView; readonly written: Written; readonly onSaved: () => void };

/** A saved rule of a kind that the form does not know, as the text that was sent. */
export function RuleText({ of, written, onSaved }: Props) {
  const [text, setText] = useState(() => JSON.stringify(written, null, 2));
  const rule = parsed(text);
  return (
    <div className="drawer-body">
      <Textarea
        label={t('The rule as JSON')}
        autosize
        minRows={8}
        maxRows={30}
        classNames={{ input: 'mono' }}
        value={text}
        error={rule === undefined ? t('This is not JSON yet.') : undefined}
        onChange={({ currentTarget: { value } }) => setText(value)}
      />
      <SaveRule rule={rule ?? {}} disabled={rule === undefined} of={of} onSaved={onSaved} />
    </div>
  );
}

function parsed(text: string): Written | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Written) : undefined;
  } catch {
    return undefined;
  }
}
