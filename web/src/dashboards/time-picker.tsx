import { Button, NativeSelect, Popover } from '@mantine/core';
import { useState } from 'react';
import type { Refresh } from '../api/dashboards.ts';
import { windowText } from '../figures/length.ts';
import { exactInstant } from '../figures/instant.ts';
import { instantOf, localTime } from '../figures/local-time.ts';
import type { View } from '../timeline/view.ts';
import { REFRESHES } from './search.ts';
import { LASTS, lengthOf } from './time.ts';
import { t } from '../language/t.ts';

type Props = {
  readonly view: View;
  readonly moves: boolean;
  /** The stretch up to now, as the address or the dashboard writes it. */
  readonly last: string;
  readonly refresh: Refresh;
  readonly onLast: (last: string) => void;
  readonly onView: (view: View) => void;
  readonly onRefresh: (refresh: Refresh) => void;
};

const REFRESH_WORDS: Readonly<Record<Refresh, string>> = {
  live: t('Live'),
  '5s': t('Every 5 s'),
  '30s': t('Every 30 s'),
  '1m': t('Every minute'),
  off: t('Not by itself'),
};

/** Which stretch of time all panels show, and how often they look again. */
export function TimePicker({ view, moves, last, refresh, onLast, onView, onRefresh }: Props) {
  const spanMs = view.toMs - view.fromMs;
  const pan = (share: number) => onView({ fromMs: view.fromMs + spanMs * share, toMs: view.toMs + spanMs * share });
  const known = LASTS.some((one) => one === last) ? LASTS : [last, ...LASTS];
  return (
    <div className="row-wrap time-picker no-print">
      <button type="button" className="step-button" aria-label={t('Half a stretch back')} onClick={() => pan(-0.5)}>
        ‹
      </button>
      <NativeSelect
        size="xs"
        aria-label={t('Stretch of time')}
        data={[
          ...(moves ? [] : [{ value: '', label: `${exactInstant(view.fromMs, view.toMs)} – ${exactInstant(view.toMs, view.toMs)}` }]),
          ...known.map((one) => ({ value: one, label: t('Last {length}', { length: windowText(lengthOf(one)) }) })),
        ]}
        value={moves ? last : ''}
        onChange={(event) => {
          if (event.currentTarget.value !== '') onLast(event.currentTarget.value);
        }}
      />
      <button type="button" className="step-button" aria-label={t('Half a stretch on')} disabled={moves} onClick={() => pan(0.5)}>
        ›
      </button>
      <button
        type="button"
        className="step-button"
        aria-label={t('Twice as long')}
        onClick={() => onView({ fromMs: view.fromMs - spanMs / 2, toMs: moves ? view.toMs : Math.min(Date.now(), view.toMs + spanMs / 2) })}
      >
        −
      </button>
      <Exact view={view} onView={onView} />
      <NativeSelect
        size="xs"
        aria-label={t('How often panels look again')}
        data={REFRESHES.map((one) => ({ value: one, label: REFRESH_WORDS[one] }))}
        value={refresh}
        onChange={(event) => onRefresh(REFRESHES.find((one) => one === event.currentTarget.value) ?? 'live')}
      />
    </div>
  );
}

function Exact({ view, onView }: Pick<Props, 'view' | 'onView'>) {
  const [opened, setOpened] = useState(false);
  const [ends, setEnds] = useState<readonly [string, string]>(['', '']);
  const [from, to] = [instantOf(ends[0]), instantOf(ends[1])];
  const possible = from !== undefined && to !== undefined && from < to && from >= 0;
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" trapFocus withinPortal>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            setEnds([localTime(view.fromMs), localTime(view.toMs)]);
            setOpened(!opened);
          }}
        >
          {t('From – to')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          className="time-exact"
          onSubmit={(event) => {
            event.preventDefault();
            if (!possible) return;
            onView({ fromMs: from, toMs: to });
            setOpened(false);
          }}
        >
          {[t('From'), t('To')].map((word, at) => (
            <label key={word} className="label">
              {word}
              <input
                type="datetime-local"
                step="1"
                value={ends[at] ?? ''}
                onChange={(event) => setEnds(at === 0 ? [event.currentTarget.value, ends[1]] : [ends[0], event.currentTarget.value])}
              />
            </label>
          ))}
          {possible ? null : <p className="faint small">{t('The end lies after the beginning.')}</p>}
          <Button type="submit" size="xs" disabled={!possible}>
            {t('Show it')}
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
