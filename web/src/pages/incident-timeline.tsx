import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { deploymentsQuery } from '../api/deployments.ts';
import { type IncidentDetail, useComment } from '../api/incidents.ts';
import { alertMessagesQuery } from '../api/notifications.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { useCan } from '../shell/session.tsx';
import { STORY_KINDS, type StoryKind, type StoryLine, storyOf } from './incident-story.ts';

type Props = { readonly incident: IncidentDetail };

/** What was changed this long before counts as a suspect. */
const SUSPECT_MS = 6 * 3_600_000;
const MINUTE_MS = 60_000;
/** Alerts whose messages are read; a storm says the same in the first ones. */
const MOST_ALERTS = 20;

const WORDS: Readonly<Record<StoryKind, string>> = {
  note: t('Note'),
  change: t('Change'),
  alert: t('Alert'),
  deployment: t('Deployment'),
  message: t('Message'),
};

/** Everything that happened, in one column: what people did and wrote, alerts, deployments before and during it, and who was told. */
export function IncidentTimeline({ incident }: Props) {
  const [shown, setShown] = useState<StoryKind | 'all'>('all');
  const story = useStory(incident);
  const rows = shown === 'all' ? story : story.filter(({ kind }) => kind === shown);
  const there = STORY_KINDS.filter((kind) => story.some((line) => line.kind === kind));
  return (
    <Section title={t('Time line')} aside={`${rows.length}`}>
      {there.length < 2 ? null : (
        <SegmentedControl
          size="xs"
          aria-label={t('What the time line shows')}
          data={[{ value: 'all', label: t('All') }, ...there.map((kind) => ({ value: kind, label: WORDS[kind] }))]}
          value={shown}
          onChange={(value) => setShown(STORY_KINDS.find((kind) => kind === value) ?? 'all')}
        />
      )}
      <div className="panel">
        <DataTable caption={t('Time line, oldest first')} columns={COLUMNS} rows={rows} rowKey={({ id }) => id} />
      </div>
      <Write incident={incident} />
    </Section>
  );
}

function useStory(incident: IncidentDetail): readonly StoryLine[] {
  const now = useNowStep(MINUTE_MS);
  const { services, alerts } = incident;
  const fromMs = incident.started_at_ms - SUSPECT_MS;
  const toMs = incident.resolved_at_ms ?? Math.ceil(now / MINUTE_MS) * MINUTE_MS;
  const deployments = useQuery({ ...deploymentsQuery({ services, fromMs, toMs }), enabled: services.length > 0 });
  const sent = useQueries({ queries: alerts.slice(0, MOST_ALERTS).map(({ alert }) => alertMessagesQuery(alert)) });
  const stamp = sent.map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  return useMemo(
    () =>
      storyOf(incident, {
        deployments: deployments.data?.items ?? [],
        messages: sent.flatMap(({ data }) => data?.items ?? []),
      }),
    // Results are new objects at every render; the stamp says when their content is.
    [incident, deployments.data, stamp],
  );
}

const COLUMNS: readonly Column<StoryLine>[] = [
  { id: 'at', header: t('When'), cell: ({ atMs }) => <Instant atMs={atMs} relative={false} /> },
  { id: 'kind', header: t('Kind'), label: t('kind'), cell: ({ kind }) => <span className="faint">{WORDS[kind]}</span> },
  {
    id: 'text',
    header: t('What'),
    cell: ({ text, href }) =>
      href === undefined ? (
        <span className="wrap">{text}</span>
      ) : (
        <a href={href} rel="noreferrer" className="wrap">
          {text}
        </a>
      ),
  },
  { id: 'actor', header: t('Who'), label: t('who'), cell: ({ actor }) => actor },
];

function Write({ incident }: Props) {
  const mayAct = useCan('operate', 'incidents');
  const [text, setText] = useState('');
  const comment = useComment(incident.id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    comment.mutate(text, { onSuccess: () => setText('') });
  };
  return (
    <form onSubmit={submit} className="row-wrap">
      <TextInput
        aria-label={t('Write into the time line')}
        placeholder={t('What was seen or done')}
        value={text}
        required
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" disabled={!mayAct} loading={comment.isPending}>
        {t('Write down')}
      </Button>
      {comment.isError ? <ErrorNotice error={comment.error} /> : null}
    </form>
  );
}
