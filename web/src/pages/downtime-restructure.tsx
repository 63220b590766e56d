import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useRestructureDowntime } from '../api/actions.ts';
import { downtimeQuery } from '../api/queries.ts';
import type { DowntimeView } from '../api/wire.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { localTime } from '../figures/local-time.ts';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';

/** Where one outage was two, or two were one: the ledger's time stays, outages are counted anew, and all of it can be undone. */
export function Restructure({ downtime }: { readonly downtime: DowntimeView }) {
  const all = useQuery(downtimeQuery(downtime.service));
  const act = useRestructureDowntime();
  const ordered = [...(all.data?.items ?? [])].sort((a, b) => a.from_at_ms - b.from_at_ms);
  const at = ordered.findIndex((one) => one.id === downtime.id);
  const neighbours = [
    { word: t('Merge with the one before'), one: ordered[at - 1] },
    { word: t('Merge with the one after'), one: at < 0 ? undefined : ordered[at + 1] },
  ];
  return (
    <section className="section">
      <h3>{t('One outage or several')}</h3>
      {downtime.merged.length > 0 ? (
        <p className="soft">
          {t('Merged of {count, plural, one {# stretch} other {# stretches}} of down time; undo that to split it.', {
            count: downtime.spans.length,
          })}
        </p>
      ) : (
        <Split downtime={downtime} act={act} />
      )}
      <div className="row-wrap">
        {neighbours.map(({ word, one }) =>
          one === undefined ? null : (
            <Button
              key={word}
              variant="default"
              size="xs"
              loading={act.isPending}
              title={t('From {instant}', { instant: preciseInstant(one.from_at_ms) })}
              onClick={() => act.mutate({ kind: 'merge', id: downtime.id, with: one.id })}
            >
              {word}
            </Button>
          ),
        )}
      </div>
      {act.isError ? <RefusedNotice error={act.error} /> : null}
    </section>
  );
}

type SplitProps = { readonly downtime: DowntimeView; readonly act: ReturnType<typeof useRestructureDowntime> };

function Split({ downtime, act }: SplitProps) {
  const now = useNow();
  const [at, setAt] = useState(() => localTime((downtime.from_at_ms + (downtime.to_at_ms ?? now)) / 2, 'millisecond'));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate({ kind: 'split', id: downtime.id, at: new Date(at).toISOString(), revision: downtime.revision });
  };
  return (
    <form className="row-wrap" onSubmit={submit}>
      <TextInput
        type="datetime-local"
        step="0.001"
        size="xs"
        label={t('Split at')}
        description={t('The second part begins here and gets a reason and a note of its own.')}
        required
        value={at}
        onChange={(event) => setAt(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" size="xs" loading={act.isPending} disabled={Number.isNaN(new Date(at).getTime())}>
        {t('Split')}
      </Button>
    </form>
  );
}
