import { Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { DashboardView } from '../api/dashboards.ts';
import { type EmbedView, embedsQuery, useRevokeEmbed } from '../api/embeds.ts';
import { Instant } from '../components/instant.tsx';
import { Command, RefusedNotice, Waiting } from '../components/notices.tsx';
import type { DashboardSearch } from '../dashboards/search.ts';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { Deliveries } from './deliveries.tsx';
import { EmbedForm } from './embed-form.tsx';

type Props = { readonly of: DashboardView; readonly search: DashboardSearch };

/** The dashboard as a file, and as part of other pages. */
export function Share({ of, search }: Props) {
  const [opened, setOpened] = useState(false);
  const mayShare = useCan('operate', 'dashboards');
  return (
    <>
      <Button size="xs" variant="default" className="no-print" onClick={() => setOpened(true)}>
        {t('Share||dashboard')}
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('Share {title}', { title: of.title })}
        size="lg"
        closeButtonProps={{ 'aria-label': t('Close||share') }}
      >
        <div className="stack">
          <p>
            <a href={pdfAddress(of.id, search)} download>
              {t('Download as PDF')}
            </a>{' '}
            <span className="faint small">{t('What it shows now, on A4: charts as drawings, times in UTC')}</span>
          </p>
          <p>
            <a href={`/api/dashboards/${encodeURIComponent(of.id)}?format=grafana`} download={`${of.id}.json`}>
              {t('Download for Grafana')}
            </a>{' '}
            <span className="faint small">{t('Imported here again, it is the same dashboard')}</span>
          </p>
          {mayShare ? <Deliveries of={of} search={search} /> : null}
          {mayShare ? <Embeds of={of} search={search} /> : null}
        </div>
      </Modal>
    </>
  );
}

/** What the page shows, as the server is asked for it. */
function pdfAddress(id: string, { vars, last, from, to }: DashboardSearch): string {
  const asked = new URLSearchParams({ format: 'pdf' });
  if (vars !== undefined) asked.set('vars', JSON.stringify(vars));
  if (last !== undefined) asked.set('last', last);
  if (from !== undefined && to !== undefined) {
    asked.set('from', new Date(from).toISOString());
    asked.set('to', new Date(to).toISOString());
  }
  return `/api/dashboards/${encodeURIComponent(id)}?${asked}`;
}

function Embeds({ of, search }: Props) {
  const query = useQuery(embedsQuery(of.id));
  const items = query.data?.items ?? [];
  return (
    <section aria-label={t('Links for other sites')}>
      <h2>{t('In another site')}</h2>
      <p className="soft">
        {t(
          'Whoever has a link sees what you see of this dashboard, without signing in, until it ends or is revoked. They can ask for nothing else.',
        )}
      </p>
      <EmbedForm of={of} search={search} />
      <Waiting query={query} what={t('the links')} />
      {items.length === 0 ? null : (
        <ul className="plain-list" aria-label={t('Links to this dashboard')}>
          {items.map((one) => (
            <Row key={one.id} link={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

const STATES: Readonly<Record<EmbedView['state'], string>> = {
  open: t('Open||link'),
  expired: t('Expired||link'),
  revoked: t('Revoked||link'),
};

function Row({ link }: { readonly link: EmbedView }) {
  const revoke = useRevokeEmbed(link.dashboard);
  const name = link.title ?? link.panel ?? t('Whole dashboard||link');
  return (
    <li>
      <p className="row-wrap">
        <b>{name}</b> <span>{STATES[link.state]}</span>
        <span className="soft small">
          {t('made by {who}, ends', { who: link.made_by })} <Instant atMs={link.expires_at_ms} relative={false} />
        </span>
        {link.state === 'open' ? (
          <Button
            size="xs"
            variant="default"
            loading={revoke.isPending}
            aria-label={t('Revoke the link {name}', { name })}
            onClick={() => revoke.mutate(link.id)}
          >
            {t('Revoke')}
          </Button>
        ) : null}
      </p>
      {link.sites.length === 0 ? null : <p className="faint small">{link.sites.join(', ')}</p>}
      {link.state === 'open' ? <Command text={link.url} /> : null}
      {revoke.isError ? <RefusedNotice error={revoke.error} /> : null}
    </li>
  );
}
