import { Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { rangeWithCost } from '../api/explore.ts';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { EMPTY_DRAFT, type RuleDraft } from '../rules/draft.ts';
import { RuleForm } from '../rules/rule-form.tsx';
import type { View } from '../timeline/view.ts';
import { rangeAsk } from './graph-tab.tsx';
import { isMet, ruleId, splitCondition } from './rule-snippet.ts';

type Props = { readonly query: string; readonly view: View; readonly onClose: () => void };

/** The query as a rule, with how often it would have been met in what is shown. */
export function AlertDialog({ query, view, onClose }: Props) {
  const draft: RuleDraft = { ...EMPTY_DRAFT, id: ruleId(query), ...splitCondition(query) };
  return (
    <Modal opened onClose={onClose} title={t('An alert from this query')} size="xl" closeButtonProps={{ 'aria-label': t('Close') }}>
      <HowOften draft={draft} view={view} />
      <RuleForm initial={draft} />
    </Modal>
  );
}

function HowOften({ draft, view }: { readonly draft: RuleDraft; readonly view: View }) {
  const found = useQuery(rangeWithCost(rangeAsk(draft.expr, view)));
  if (found.data === undefined) return <p className="faint">{found.error === null ? t('Reading the range …') : found.error.message}</p>;
  const { series } = found.data;
  const meeting = series.filter(({ points }) => points.some(([, value]) => isMet(draft.condition, value, draft.threshold)));
  return (
    <p role="status">
      {t('In the {length} shown, {met} of {count} series {met, plural, one {is} other {are}} {condition} {threshold} at some time.', {
        length: lengthText(view.toMs - view.fromMs),
        met: meeting.length,
        count: series.length,
        condition: draft.condition,
        threshold: draft.threshold,
      })}
    </p>
  );
}
