import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { incidentsOfAlertQuery } from '../api/incidents.ts';
import { type ProblemView, problemQuery } from '../api/problems.ts';
import type { AlertView } from '../api/wire.ts';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { IncidentMark } from '../pages/incident-state.tsx';
import { plainText } from './plain-text.ts';

const MAX_TITLE_CHARS = 200;
const MAX_REASON_CHARS = 500;

/** What an alert is part of: the problem with its probable causes, and the incidents that people made of it. */
export function PartOf({ alert }: { readonly alert: AlertView }) {
  const incidents = useQuery(incidentsOfAlertQuery(alert.id));
  const items = incidents.data?.items ?? [];
  return (
    <>
      {alert.problem === null ? null : <ProblemOfAlert id={alert.problem} alert={alert.id} />}
      {items.length === 0 ? null : (
        <Section title={t('Incident')}>
          <ul className="plain-list">
            {items.map((one) => (
              <li key={one.id}>
                <IncidentMark state={one.state} />{' '}
                <Link to="/incidents/$id" params={{ id: String(one.number) }}>
                  {plainText(`INC-${one.number} ${one.title}`, MAX_TITLE_CHARS)}
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

function ProblemOfAlert({ id, alert }: { readonly id: string; readonly alert: string }) {
  const query = useQuery(problemQuery(id));
  const { data } = query;
  const because = data?.members.find((member) => member.alert === alert)?.because;
  return (
    <Section title={t('Problem')} aside={data === undefined ? '' : sizeOf(data)}>
      <Waiting query={query} what={t('the problem')} />
      {data === undefined ? null : data.alerts === 1 ? (
        <p className="faint">{t('No other alert belongs to it.')}</p>
      ) : (
        <>
          <p>
            <Link to="/alerts-dashboard" search={{ problem: data.id }}>
              {plainText(data.title, MAX_TITLE_CHARS)}
            </Link>
          </p>
          {because === undefined ? null : (
            <p className="soft">{t('This alert is in it: {because}.', { because: plainText(because, MAX_REASON_CHARS) })}</p>
          )}
          <Causes problem={data} />
        </>
      )}
    </Section>
  );
}

/** The problem that a list is about, above it. */
export function ProblemNote({ id }: { readonly id: string }) {
  const query = useQuery(problemQuery(id));
  const { data } = query;
  return (
    <section className="panel panel-pad" aria-label={t('Problem')}>
      <Waiting query={query} what={t('the problem')} />
      {data === undefined ? null : (
        <>
          <p>
            <strong>{plainText(fromServer(data.title), MAX_TITLE_CHARS)}</strong>
            <span className="faint">{` ${sizeOf(data)}`}</span>{' '}
            <ObjectMenu kind="problems" id={data.id} name={plainText(fromServer(data.title), MAX_TITLE_CHARS)} history={false} />
          </p>
          <Causes problem={data} />
        </>
      )}
    </section>
  );
}

const sizeOf = ({ alerts, alerts_open: open }: ProblemView): string =>
  t('{alerts, plural, one {# alert} other {# alerts}}, {open} open', { alerts, open });

/** What is suspected, the most probable first, each with its reasons. */
function Causes({ problem: { causes } }: { readonly problem: ProblemView }) {
  if (causes.length === 0) return <p className="faint">{t('Nothing stands out as its cause.')}</p>;
  return (
    <>
      <p className="soft">{t('Probably caused by (a suggestion, it holds nothing back)')}</p>
      <ol className="plain-list" aria-label={t('Probable causes')}>
        {causes.map(({ kind, subject, reasons }) => (
          <li key={`${kind} ${subject}`} className="wrap-anywhere">
            {kind === 'service' ? (
              <Link to="/services/$id" params={{ id: subject }}>
                {plainText(subject, MAX_TITLE_CHARS)}
              </Link>
            ) : (
              <b>{plainText(subject, MAX_TITLE_CHARS)}</b>
            )}
            {reasons.length === 0 ? null : <div className="soft">{plainText(reasons.map(fromServer).join('; '), MAX_REASON_CHARS)}</div>}
          </li>
        ))}
      </ol>
    </>
  );
}

/** The first suspicion in one line. */
export function causeText({ causes: [first] }: ProblemView): string {
  if (first === undefined) return '';
  const reasons = first.reasons.length === 0 ? '' : `: ${first.reasons.map(fromServer).join('; ')}`;
  return plainText(`${t('Probably caused by {subject}', { subject: first.subject })}${reasons}`, MAX_REASON_CHARS);
}
