import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { DashboardView } from '../api/dashboards.ts';
import {
  type DeliveryView,
  deliveriesQuery,
  useEnableDelivery,
  useMakeDelivery,
  useRemoveDelivery,
  useSendDelivery,
} from '../api/deliveries.ts';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import type { DashboardSearch } from '../dashboards/search.ts';
import { timeZone } from '../figures/instant.ts';
import { t } from '../language/t.ts';
import { type Often, WEEKDAYS, cronOf, whenOf } from './often.ts';

type Props = { readonly of: DashboardView; readonly search: DashboardSearch };

/** The dashboard as PDF in people's mail, again and again. */
export function Deliveries({ of, search }: Props) {
  const query = useQuery(deliveriesQuery(of.id));
  const { items = [], channels = [] } = query.data ?? {};
  return (
    <section aria-label={t('Sent by mail')}>
      <h2>{t('By mail')}</h2>
      <p className="soft">
        {t('Those you name get it as PDF with a link, showing what you may see when it is sent. Values of variables stay as chosen now.')}
      </p>
      {query.data !== undefined && channels.length === 0 ? (
        <p className="faint">{t('No channel of kind email is configured: an administrator adds one to the section channels.')}</p>
      ) : (
        <DeliveryForm of={of} search={search} channels={channels} />
      )}
      <Waiting query={query} what={t('the deliveries')} />
      {items.length === 0 ? null : (
        <ul className="plain-list" aria-label={t('Deliveries of this dashboard')}>
          {items.map((one) => (
            <Row key={one.id} one={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** What each shows: as much as lies between two of them. */
const RANGES = { day: '24h', week: '7d', month: '30d' } as const;

function DeliveryForm({ of, search, channels }: Props & { readonly channels: readonly string[] }) {
  const make = useMakeDelivery(of.id);
  const [often, setOften] = useState<Often>('week');
  const [weekday, setWeekday] = useState('1');
  const [time, setTime] = useState('07:00');
  const [to, setTo] = useState('');
  const [channel, setChannel] = useState('');
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate({
      cron: cronOf({ often, weekday: Number(weekday), time }),
      zone: timeZone,
      to: to.split(/[\s,;]+/).filter((one) => one !== ''),
      range: RANGES[often],
      values: search.vars ?? {},
      ...(channel === '' ? {} : { channel }),
    });
  };
  return (
    <form className="time-exact" onSubmit={onSubmit}>
      <TextInput
        label={t('Recipients')}
        description={t('Addresses, with a comma between them')}
        type="text"
        required
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <NativeSelect
        label={t('How often')}
        data={[
          { value: 'day', label: t('Every day: the last 24 hours') },
          { value: 'week', label: t('Every week: the last 7 days') },
          { value: 'month', label: t('On the first of the month: the last 30 days') },
        ]}
        value={often}
        onChange={(event) => setOften(event.currentTarget.value as Often)}
      />
      {often === 'week' ? (
        <NativeSelect
          label={t('Weekday')}
          data={WEEKDAYS.map((label, at) => ({ value: String(at), label }))}
          value={weekday}
          onChange={(event) => setWeekday(event.currentTarget.value)}
        />
      ) : null}
      <TextInput
        label={t('At||time')}
        description={timeZone}
        type="time"
        required
        value={time}
        onChange={(event) => setTime(event.currentTarget.value)}
      />
      {channels.length < 2 ? null : (
        <NativeSelect
          label={t('Channel')}
          data={[{ value: '', label: channels[0] ?? '' }, ...channels.slice(1).map((one) => ({ value: one, label: one }))]}
          value={channel}
          onChange={(event) => setChannel(event.currentTarget.value)}
        />
      )}
      {make.isError ? <RefusedNotice error={make.error} /> : null}
      <Button type="submit" loading={make.isPending}>
        {t('Send it regularly')}
      </Button>
    </form>
  );
}

function Row({ one }: { readonly one: DeliveryView }) {
  const enable = useEnableDelivery(one);
  const send = useSendDelivery(one);
  const remove = useRemoveDelivery(one);
  const name = one.to.join(', ');
  const refused = [enable, send, remove].find(({ isError }) => isError)?.error;
  return (
    <li>
      <p className="row-wrap">
        <b className="wrap">{name}</b>
        <span>{whenOf(one.cron)}</span>
        <span className="faint small">{one.zone}</span>
      </p>
      <p className="small">
        {one.next_at_ms === null ? (
          t('Rests||delivery')
        ) : (
          <>
            {t('Next||delivery')} <Instant atMs={one.next_at_ms} />
          </>
        )}
        {' · '}
        <Last last={one.last} />
        {' · '}
        <span className="faint">{t('asked for by {who}', { who: one.made_by })}</span>
      </p>
      <p className="row-wrap">
        <Button
          size="xs"
          variant="default"
          loading={send.isPending}
          aria-label={t('Send now to {who}', { who: name })}
          onClick={() => send.mutate(undefined)}
        >
          {t('Send now')}
        </Button>
        <Button
          size="xs"
          variant="default"
          loading={enable.isPending}
          aria-label={one.enabled ? t('Let it rest: {who}', { who: name }) : t('Go on: {who}', { who: name })}
          onClick={() => enable.mutate(!one.enabled)}
        >
          {one.enabled ? t('Let it rest||delivery') : t('Go on||delivery')}
        </Button>
        <Button
          size="xs"
          variant="default"
          loading={remove.isPending}
          aria-label={t('Remove the delivery to {who}', { who: name })}
          onClick={() => remove.mutate(undefined)}
        >
          {t('Remove')}
        </Button>
      </p>
      {refused === undefined || refused === null ? null : <RefusedNotice error={refused} />}
    </li>
  );
}

function Last({ last }: Pick<DeliveryView, 'last'>) {
  if (last === null) return <span className="faint">{t('Never sent yet')}</span>;
  if (last.state === 'sending') return <span>{last.note === '' ? t('Being sent') : t('Tried again: {why}', { why: last.note })}</span>;
  return (
    <span>
      {last.state === 'sent' ? t('Sent||delivery') : t('Not sent||delivery')} <Instant atMs={last.at_ms} />
      {last.note === '' ? null : `: ${last.note}`}
    </span>
  );
}
