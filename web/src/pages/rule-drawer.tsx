import { Button, Drawer, NativeSelect } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type RuleView, backtestRule } from '../api/rules.ts';
import { HistoryLink } from '../components/history-link.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { lengthText } from '../figures/length.ts';
import { SeverityMark, StateMark } from '../states/state-mark.tsx';
import { BacktestReport } from '../rules/backtest-report.tsx';
import { EditRule, RuleTools } from '../rules/change-rule.tsx';
import { groupOf, kindWord, ruleMark } from './rule-words.ts';
import { t } from '../language/t.ts';

type Props = {
  readonly rule: RuleView | undefined;
  /** Its form is open. */
  readonly editing: boolean;
  readonly onEditing: (editing: boolean) => void;
  readonly onSaved: (id: string) => void;
  readonly onClose: () => void;
};

/** One rule whole: what it reads, how it fares, and what it would have done; or its form. Closed when there is none. */
export function RuleDrawer({ rule, editing, onEditing, onSaved, onClose }: Props) {
  return (
    <Drawer
      opened={rule !== undefined}
      onClose={onClose}
      title={editing ? (rule?.origin === 'ui' ? t('Edit the rule') : t('A new rule')) : t('Rule')}
      size={editing ? 'xl' : 'lg'}
      closeButtonProps={{ 'aria-label': t('Close the rule') }}
    >
      {rule === undefined ? null : editing ? (
        <EditRule key={rule.id} rule={rule} onSaved={onSaved} />
      ) : (
        <Details key={rule.id} rule={rule} onEdit={() => onEditing(true)} onRemoved={onClose} />
      )}
    </Drawer>
  );
}

/** Kinds that are evaluated over samples and so can be tried over those that are stored. */
const canBeTried = ({ kind }: RuleView): boolean => !['recording', 'sla', 'service'].includes(kind);

type DetailsProps = { readonly rule: RuleView; readonly onEdit: () => void; readonly onRemoved: () => void };

function Details({ rule, onEdit, onRemoved }: DetailsProps) {
  const { mark, word } = ruleMark(rule);
  return (
    <div className="drawer-body">
      <div>
        <h2>{rule.name}</h2>
        <p>
          <StateMark state={mark} word={word} />
        </p>
        <p className="mono faint">{rule.id}</p>
        <p className="faint">{`${kindWord(rule.kind)}, ${groupOf(rule)}.`}</p>
        <ObjectMenu kind="rules" id={rule.id} name={rule.name} history={rule.origin === 'ui'} />{' '}
        {rule.origin === 'ui' ? null : <HistoryLink kind="config" name={t('the configuration')} />}
        <RuleTools rule={rule} onEdit={onEdit} onRemoved={onRemoved} />
      </div>
      {rule.last_error === '' ? null : (
        <section className="section">
          <h3>{t('Why it does not work')}</h3>
          <div className="command">
            <pre>{rule.last_error}</pre>
          </div>
          <p className="faint">{t('Its alerts stay as they are until it works again.')}</p>
        </section>
      )}
      {rule.undecided === null || rule.undecided === undefined ? null : (
        <section className="section">
          <h3>{t('What it cannot tell yet')}</h3>
          <p>{rule.undecided}</p>
        </section>
      )}
      {rule.query === '' ? null : (
        <section className="section">
          <h3>{t('What it reads')}</h3>
          <div className="command">
            <pre>{rule.query}</pre>
          </div>
          <Link to="/explore" search={{ panels: [{ q: rule.query }] }}>
            {t('Explore it')}
          </Link>
          <Limits spec={rule.spec} />
        </section>
      )}
      {canBeTried(rule) ? <Backtest id={rule.id} /> : null}
    </div>
  );
}

type Level = {
  readonly severity: 'info' | 'warning' | 'critical' | 'emergency';
  readonly condition: string;
  readonly threshold: number;
  readonly clear: number;
};

function Limits({ spec }: Pick<RuleView, 'spec'>) {
  const levels = (Array.isArray(spec['levels']) ? spec['levels'] : []) as readonly Level[];
  const forMs = typeof spec['for_ms'] === 'number' ? spec['for_ms'] : 0;
  return (
    <ul className="plain-list">
      {levels.map(({ severity, condition, threshold, clear }) => (
        <li key={severity} className="row-wrap">
          <SeverityMark severity={severity} />
          <span>
            {clear === threshold
              ? `${condition} ${threshold}`
              : t('{condition}, clear at {clear}', { condition: `${condition} ${threshold}`, clear })}
          </span>
        </li>
      ))}
      {forMs === 0 ? null : <li className="faint">{t('for {length}', { length: lengthText(forMs) })}</li>}
    </ul>
  );
}

const DAY_MS = 86_400_000;
const SPANS = [
  { value: String(DAY_MS), label: t('the last day') },
  { value: String(7 * DAY_MS), label: t('the last 7 days') },
  { value: String(30 * DAY_MS), label: t('the last 30 days') },
];

function Backtest({ id }: { readonly id: string }) {
  const [length, setLength] = useState(String(DAY_MS));
  const test = useMutation({ mutationFn: () => backtestRule(id, { nowMs: Date.now(), lengthMs: Number(length) }) });
  return (
    <section className="section">
      <h3>{t('What it would have done')}</h3>
      <div className="row-wrap">
        <NativeSelect
          size="xs"
          aria-label={t('Span')}
          data={SPANS}
          value={length}
          onChange={(event) => setLength(event.currentTarget.value)}
        />
        <Button size="xs" variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          {t('Back-test')}
        </Button>
      </div>
      {test.isError ? <ErrorNotice error={test.error} /> : null}
      {test.data === undefined ? (
        <p className="faint">{t('The rule is tried over the stored samples, exactly as it runs now, and tells nobody.')}</p>
      ) : (
        <BacktestReport report={test.data} />
      )}
    </section>
  );
}
