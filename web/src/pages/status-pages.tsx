import { useQuery } from '@tanstack/react-query';
import { type AnnouncementView, type StatusPageView, announcementsQuery, statusPagesQuery } from '../api/status-pages.ts';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { AnnouncementCard } from './announcement-card.tsx';
import { Announce } from './announce.tsx';
import { MakeStatusPage } from './make-status-page.tsx';
import { StatusPagesTable } from './status-pages-table.tsx';
import { useTitle } from './use-title.ts';

/** Announcements that are over and shown; the rest is what the API is for. */
const PAST_SHOWN = 10;

const SNIPPET = `status_pages:
  - id: public
    title: Shop status
    services: [shop]`;

/** What customers see, and what they are told. */
export function StatusPagesPage() {
  useTitle(t('Status pages'));
  const pages = useQuery(statusPagesQuery());
  const announcements = useQuery(announcementsQuery());
  const all = pages.data?.items ?? [];
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Status pages')}</h1>
          <p className="page-lead">{t('What customers see, and what they are told.')}</p>
        </div>
        {all.length === 0 ? null : (
          <div className="row-wrap">
            <MakeStatusPage primary={false} />
            <Announce pages={all} />
          </div>
        )}
      </header>
      <Waiting query={pages} what={t('status pages')} />
      {pages.data !== undefined && all.length === 0 ? (
        <EmptyState action={<MakeStatusPage primary />} command={SNIPPET}>
          {t('There is no status page yet. Make one here, or say in the configuration file which services an audience sees.')}
        </EmptyState>
      ) : null}
      {all.length === 0 ? null : (
        <div className="panel">
          <StatusPagesTable pages={all} />
        </div>
      )}
      <Waiting query={announcements} what={t('announcements')} />
      {all.length === 0 ? null : <Matters announcements={announcements.data?.items ?? []} pages={all} />}
    </div>
  );
}

type Props = { readonly announcements: readonly AnnouncementView[]; readonly pages: readonly StatusPageView[] };

function Matters({ announcements, pages }: Props) {
  const open = announcements.filter((one) => one.resolved_at_ms === null);
  const past = announcements.filter((one) => one.resolved_at_ms !== null);
  const titles = new Map(pages.map(({ id, title }) => [id, title]));
  return (
    <>
      <Section title={t('Open announcements')}>
        {open.length === 0 ? <p className="soft">{t('Nothing is announced.')}</p> : null}
        {open.map((one) => (
          <AnnouncementCard key={one.id} announcement={one} titles={titles} />
        ))}
      </Section>
      {past.length === 0 ? null : (
        <Section
          title={t('Resolved')}
          aside={past.length > PAST_SHOWN ? t('the newest {shown} of {count}', { shown: PAST_SHOWN, count: past.length }) : undefined}
        >
          {past.slice(0, PAST_SHOWN).map((one) => (
            <AnnouncementCard key={one.id} announcement={one} titles={titles} />
          ))}
        </Section>
      )}
    </>
  );
}
