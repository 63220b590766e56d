import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { whatIfQuery } from '../api/sla-queries.ts';
import type { SlaView } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { timeZone } from '../figures/instant.ts';
import { instantOf } from '../figures/local-time.ts';
import { plainTarget } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { CompareFigures } from '../sla/compare-figures.tsx';
import { recentPeriods, statedBy } from '../sla/periods.ts';
import { SlaHead, WithSla, nameOf } from '../sla/sla-head.tsx';
import { type Span, type WhatIfSearch, asksSomething, bodyOf, spansOf, spansText, weeklyOf, whatIfSearch } from '../sla/what-if-search.ts';
import { useTitle } from './use-title.ts';

/** A past window under other terms, beside what it was. The address is the question. */
export function SlaWhatIfPage() {
  const { id } = useParams({ from: '/shell/slas/$id/what-if' });
  return <WithSla id={id}>{(sla) => <Loaded sla={sla} />}</WithSla>;
}

function Loaded({ sla }: { readonly sla: SlaView }) {
  useTitle(t('What if: {nameOf}', { nameOf: nameOf(sla) }));
  const search = useSearch({ from: '/shell/slas/$id/what-if' });
  return (
    <>
      <SlaHead
        sla={sla}
        lead={t('What the verdict about a past window would be under other terms. Nothing is kept; the address holds the question.')}
      />
      <div className="columns columns-form">
        <Section title={t('Terms')}>
          <Form key={JSON.stringify(search)} sla={sla} search={search} />
        </Section>
        <Answer sla={sla} search={search} />
      </div>
    </>
  );
}

function Answer({ sla, search }: { readonly sla: SlaView; readonly search: WhatIfSearch }) {
  const answer = useQuery(whatIfQuery(sla.id, bodyOf(search, statedBy(sla).zone)));
  const asked = asksSomething(search);
  return (
    <Section
      title={asked ? t('Result') : t('As it is')}
      aside={
        answer.data === undefined ? undefined : (
          <span>
            <Instant atMs={answer.data.period.from_at_ms} relative={false} />
            {' – '}
            <Instant atMs={answer.data.period.to_at_ms} relative={false} />
            {answer.data.finality === 'final' ? '' : t(' · not over yet')}
          </span>
        )
      }
    >
      {answer.isError ? <RefusedNotice error={answer.error} /> : null}
      {answer.isPending ? <p className="loading">{t('Reckoning …')}</p> : null}
      {answer.data === undefined || answer.isError ? null : <CompareFigures view={answer.data} names={[t('As it is'), t('What if')]} />}
      {asked ? null : <p className="soft">{t('Both columns are alike until a term is changed.')}</p>}
    </Section>
  );
}

/** Periods to choose from. */
const PERIODS = 13;

/** What the form holds before it becomes the address; texts as they were typed. */
type Draft = {
  readonly period: string;
  readonly target: string;
  readonly unknown: string;
  readonly maintenance: string;
  readonly hours: string;
  readonly keep: boolean;
  readonly spans: readonly Span[];
  readonly from: string;
  readonly to: string;
};

const draftOf = (search: WhatIfSearch): Draft => ({
  period: search.period ?? '',
  target: search.target ?? '',
  unknown: search.unknown ?? '',
  maintenance: search.maintenance ?? '',
  hours: search.hours ?? '',
  keep: search.keep !== 0,
  spans: spansOf(search.exclude),
  from: '',
  to: '',
});

/** The address of a draft; `search` keeps a window that has no name. */
function searchOf(draft: Draft, search: WhatIfSearch, zone: string): WhatIfSearch {
  const drafted = spanOf(draft);
  const spans = drafted === undefined ? draft.spans : [...draft.spans, drafted];
  return whatIfSearch({
    ...(draft.period === '' ? fromTo(search) : { period: draft.period, zone }),
    target: draft.target,
    unknown: draft.unknown,
    maintenance: draft.maintenance,
    hours: draft.hours,
    ...(draft.keep ? {} : { keep: 0 }),
    exclude: spansText(spans),
  });
}

function Form({ sla, search }: { readonly sla: SlaView; readonly search: WhatIfSearch }) {
  const navigate = useNavigate({ from: '/slas/$id/what-if' });
  const [draft, setDraft] = useState(() => draftOf(search));
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void navigate({ search: searchOf(draft, search, statedBy(sla).zone), resetScroll: false });
  };
  return (
    <form className="panel panel-pad drawer-body" onSubmit={submit}>
      <Terms sla={sla} search={search} draft={draft} change={change} />
      <FurtherExclusions draft={draft} change={change} />
      <div className="row-wrap">
        <Button type="submit" disabled={hoursFault(draft.hours) !== null}>
          {t('Reckon')}
        </Button>
        <Button variant="default" onClick={() => void navigate({ search: {} })}>
          {t('Back to what is agreed')}
        </Button>
      </div>
    </form>
  );
}

const hoursFault = (hours: string): string | null =>
  hours === '' || hours === 'always' || weeklyOf(hours) !== undefined ? null : t('Write it like mon-fri 09:00-17:00, or always.');

type DraftProps = { readonly draft: Draft; readonly change: (part: Partial<Draft>) => void };

function Terms({ sla, search, draft, change }: DraftProps & { readonly sla: SlaView; readonly search: WhatIfSearch }) {
  const now = useNowStep(3_600_000);
  const periods = recentPeriods(sla, now, PERIODS).map(({ name, zone }) => ({
    value: name,
    label: zone === 'UTC' ? name : `${name} (${zone})`,
  }));
  return (
    <>
      <NativeSelect
        label={t('Window')}
        data={[
          { value: '', label: search.from === undefined ? t('The window that ends now') : t('The window of the address') },
          ...periods,
        ]}
        value={draft.period}
        onChange={(event) => change({ period: event.currentTarget.value })}
      />
      <TextInput
        label={t('Target in percent')}
        placeholder={plainTarget(sla.target)}
        inputMode="decimal"
        value={draft.target}
        onChange={(event) => change({ target: event.currentTarget.value })}
      />
      <NativeSelect
        label={t('Unknown time')}
        data={UNKNOWN}
        value={draft.unknown}
        onChange={(event) => change({ unknown: event.currentTarget.value })}
      />
      <NativeSelect
        label={t('Announced maintenance')}
        data={MAINTENANCE}
        value={draft.maintenance}
        onChange={(event) => change({ maintenance: event.currentTarget.value })}
      />
      <TextInput
        label={t('Service hours')}
        placeholder={t('as agreed; or mon-fri 09:00-17:00, or always')}
        error={hoursFault(draft.hours)}
        value={draft.hours}
        onChange={(event) => change({ hours: event.currentTarget.value })}
      />
      <Checkbox
        label={t('Keep the approved exclusions')}
        checked={draft.keep}
        onChange={(event) => change({ keep: event.currentTarget.checked })}
      />
    </>
  );
}

function FurtherExclusions({ draft, change }: DraftProps) {
  const time = (field: 'from' | 'to', label: string) => (
    <TextInput
      label={label}
      type="datetime-local"
      step={1}
      value={draft[field]}
      onChange={(event) => change({ [field]: event.currentTarget.value })}
    />
  );
  return (
    <fieldset className="fieldset">
      <legend>{t('Further exclusions')}</legend>
      {draft.spans.map((span) => (
        <p key={`${span.fromMs}~${span.toMs}`} className="row-wrap">
          <span>
            <Instant atMs={span.fromMs} relative={false} />
            {' – '}
            <Instant atMs={span.toMs} relative={false} />
          </span>
          <button type="button" className="plain-button" onClick={() => change({ spans: draft.spans.filter((one) => one !== span) })}>
            {t('Remove')}
          </button>
        </p>
      ))}
      <div className="row-wrap fields">
        {time('from', t('From'))}
        {time('to', t('To'))}
      </div>
      <p className="faint">{t('Times in {timeZone}.', { timeZone })}</p>
    </fieldset>
  );
}

const UNKNOWN = [
  { value: '', label: t('as agreed') },
  { value: 'exclude', label: t('is not counted') },
  { value: 'down', label: t('counts as bad') },
  { value: 'up', label: t('counts as good') },
];
const MAINTENANCE = [
  { value: '', label: t('as agreed') },
  { value: 'exclude', label: t('is taken out') },
  { value: 'none', label: t('counts as any other time') },
];

const fromTo = ({ from, to }: WhatIfSearch) => (from === undefined || to === undefined ? {} : { from, to });

function spanOf({ from, to }: Pick<Draft, 'from' | 'to'>): Span | undefined {
  const [fromMs, toMs] = [instantOf(from), instantOf(to)];
  return fromMs === undefined || toMs === undefined || fromMs >= toMs ? undefined : { fromMs, toMs };
}
