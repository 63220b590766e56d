import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTestChannel } from '../api/actions.ts';
import { type FirstRunView, firstRunQuery, preferencesQuery, useChangePreferences, useScrapeLocal } from '../api/home.ts';
import { mayIn } from '../api/permits.ts';
import { Instant } from '../components/instant.tsx';
import { Command, RefusedNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { MakeStatusPage } from '../pages/make-status-page.tsx';
import { useSession } from '../shell/session.tsx';
import { MakeChannel } from '../channels/make-channel.tsx';
import { MakeSla } from './make-sla.tsx';
import { PasteServices } from './paste-services.tsx';

type Step = FirstRunView['steps'][number];

/** What a new installation lacks, where it is shown: to those who can add it, until all is there, or somebody puts it away. */
export function useChecklist(): FirstRunView | undefined {
  const session = useSession();
  const may = session.scope === '' && mayIn(session, 'operate', 'services') && mayIn(session, 'read', 'system');
  const preferences = useQuery({ ...preferencesQuery(), enabled: may });
  const shown = may && preferences.data?.checklist_hidden === false;
  const { data } = useQuery({ ...firstRunQuery(), enabled: shown });
  return !shown || data === undefined || data.steps.every(({ done }) => done) ? undefined : data;
}

export function Checklist() {
  const data = useChecklist();
  const change = useChangePreferences();
  if (data === undefined) return null;
  const done = data.steps.filter((step) => step.done).length;
  return (
    <Section
      title={t('Getting started')}
      aside={
        <>
          <span role="status">{t('{done} of {all} done', { done, all: data.steps.length })}</span>
          {' · '}
          <button type="button" className="plain-button" onClick={() => change.mutate({ checklist_hidden: true })}>
            {t('Put away')}
          </button>
        </>
      }
    >
      <ol className="panel checklist">
        {data.steps.map((step) => (
          <Line key={step.id} step={step} view={data} />
        ))}
      </ol>
    </Section>
  );
}

const words = (): Readonly<Record<Step['id'], readonly [title: string, done: string]>> => ({
  service: [t('Add a service'), t('Services are watched')],
  metrics: [t('Send metrics'), t('Metrics arrive')],
  channel: [t('Say where alerts go'), t('A channel delivers')],
  sla: [t('Promise something'), t('An SLA is kept an eye on')],
  status_page: [t('Publish a status page'), t('A status page is published')],
});

const PLACES = {
  service: '/services',
  metrics: '/targets',
  channel: '/settings/channels',
  sla: '/slas',
  status_page: '/status-pages',
} as const;

function Line({ step, view }: { readonly step: Step; readonly view: FirstRunView }) {
  const [todo, finished] = words()[step.id];
  return (
    <li data-done={step.done}>
      <Tick done={step.done} />
      <div className="checklist-body">
        <div className="checklist-head">
          <h3>
            {step.done ? finished : todo}
            <span className="sr-only">{step.done ? ` (${t('done')})` : ` (${t('to do')})`}</span>
          </h3>
          <Link to={PLACES[step.id]}>{t('Go there')}</Link>
        </div>
        {step.id === 'metrics' ? <Arrivals view={view} /> : null}
        {step.id === 'service' ? <PasteServices done={step.done} /> : null}
        {step.done ? null : <Help step={step} view={view} />}
      </div>
    </li>
  );
}

function Tick({ done }: { readonly done: boolean }) {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
      <circle cx="8" cy="8" r="6.5" />
      {done ? <path d="M5 8.3 7.2 10.5 11 6" /> : null}
    </svg>
  );
}

function Help({ step, view }: { readonly step: Step; readonly view: FirstRunView }): ReactNode {
  if (step.id === 'service') return null;
  if (step.id === 'metrics') return <Ways />;
  if (step.id === 'channel') return <Channel example={step.example} />;
  if (step.id === 'sla') {
    const none = view.steps.some(({ id, done }) => id === 'service' && !done);
    return none ? <p className="soft">{t('It is about a service: add one first.')}</p> : <Act>{<MakeSla primary={false} />}</Act>;
  }
  return (
    <Act>
      <MakeStatusPage primary={false} />
    </Act>
  );
}

const Act = ({ children }: { readonly children: ReactNode }) => <div>{children}</div>;

const wayWord = (way: FirstRunView['arrivals'][number]['way']): string =>
  ({ remote_write: 'remote_write', otlp: 'OTLP', push: 'POST /api/metrics', influx: 'InfluxDB', scrape: t('scraped') })[way];

/** What came, by which way, and the programs of this host that could be scraped. */
function Arrivals({ view }: { readonly view: FirstRunView }) {
  const scrape = useScrapeLocal();
  const offered = view.local.filter(({ scraped }) => !scraped);
  return (
    <>
      {view.arrivals.map(({ way, what, samples, first_at_ms: atMs }) => (
        <p key={`${way} ${what}`} className="soft" role="status">
          <span className="mono">{what}</span>
          {` · ${wayWord(way)} · ${t('{samples, plural, one {# sample} other {# samples}}', { samples })} · `}
          <Instant atMs={atMs} />
        </p>
      ))}
      {offered.map(({ port, program, url }) => (
        <p key={port}>
          {t('{program} seems to listen on this host ({url}).', { program, url })}{' '}
          <button type="button" className="plain-button" disabled={scrape.isPending} onClick={() => scrape.mutate(port)}>
            {t('Scrape it')}
          </button>
        </p>
      ))}
      {scrape.isError ? <RefusedNotice error={scrape.error} /> : null}
    </>
  );
}

/** What to paste where. */
function Ways() {
  const { open } = useSession();
  const { origin } = window.location;
  const bearer = open ? '' : '\n    authorization: { credentials: TOKEN }';
  const header = open ? '' : '\nexport OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer TOKEN"';
  return (
    <>
      <details>
        <summary>Prometheus: remote_write</summary>
        <Command text={`remote_write:\n  - url: ${origin}/api/v1/write${bearer}`} />
      </details>
      <details>
        <summary>OpenTelemetry: OTLP</summary>
        <Command
          text={`export OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=${origin}/api/v1/otlp/v1/metrics\nexport OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/protobuf${header}`}
        />
      </details>
      <details>
        <summary>curl</summary>
        <Command
          text={`curl ${origin}/api/metrics -H 'content-type: application/json'${open ? '' : " -H 'authorization: Bearer TOKEN'"} \\\n  -d '{"metrics":[{"name":"orders_total","type":"counter","value":1}]}'`}
        />
      </details>
      <details>
        <summary>{t('A scrape target')}</summary>
        <Command
          text={
            '# nines.yml\nscrape:\n  files: [prometheus.yml]\n\n# prometheus.yml\nscrape_configs:\n  - job_name: node\n    static_configs: [{ targets: ["10.0.0.7:9100"] }]'
          }
        />
      </details>
      {open ? null : (
        <p className="soft">
          {t('TOKEN is an API token that may send samples:')} <Link to="/settings/tokens">{t('make one')}</Link>
        </p>
      )}
    </>
  );
}

/** The test of a channel that there is; else the form of one. */
function Channel({ example }: { readonly example: string | null }) {
  const test = useTestChannel();
  if (example === null) {
    return (
      <Act>
        <p className="soft">{t('By mail, in Slack, Teams or another chat, to a telephone, to an address of your own.')}</p>
        <MakeChannel primary={false} />
      </Act>
    );
  }
  return (
    <div>
      <Button size="xs" variant="default" loading={test.isPending} onClick={() => test.mutate(example)}>
        {t('Send a test through {channel}', { channel: example })}
      </Button>
      <p role="status" className="soft wrap-anywhere">
        {test.data === undefined || test.data.delivered ? '' : t('Not delivered: {error}', { error: test.data.error ?? '' })}
      </p>
      {test.isError ? <RefusedNotice error={test.error} /> : null}
    </div>
  );
}
