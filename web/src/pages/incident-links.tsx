import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { plainText } from '../alerts/plain-text.ts';
import { alertsOfGroupQuery } from '../api/alerts.ts';
import { type IncidentDetail, useLinkIncident, useUnlinkIncident } from '../api/incidents.ts';
import { servicesQuery, slasQuery } from '../api/queries.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useCan, useRefusal } from '../shell/session.tsx';
import { alertTitle } from './sentences.ts';

const KINDS = ['service', 'alert', 'sla', 'change'] as const;
type Kind = (typeof KINDS)[number];
type LinkOf = IncidentDetail['links'][number];

const WORDS: Readonly<Record<LinkOf['kind'], string>> = {
  problem: t('Problem'),
  alert: t('Alert'),
  service: t('Service'),
  sla: 'SLA',
  change: t('Change'),
};
const MAX_TITLE_CHARS = 120;

/** What the incident is about: alerts, services, SLAs and changes, put in and taken out by people. */
export function IncidentLinks({ incident }: { readonly incident: IncidentDetail }) {
  const mayAct = useCan('operate', 'incidents');
  const mayLink = useRefusal('operate', 'incidents', true) === undefined;
  const unlink = useUnlinkIncident(incident.id);
  const links = [...incident.links].sort((a, b) => (a.kind === b.kind ? a.at_ms - b.at_ms : a.kind < b.kind ? -1 : 1));
  return (
    <Section title={t('What it is about')} aside={t('{links} linked', { links: links.length })}>
      {links.length === 0 ? (
        <p className="faint">{t('Nothing is linked. A service brings its downtime into the figures; a change may be the cause.')}</p>
      ) : null}
      {links.length === 0 ? null : (
        <ul className="plain-list" aria-label={t('Links')}>
          {links.map((link) => (
            <li key={`${link.kind} ${link.ref}`}>
              <span className="faint">{WORDS[link.kind]}</span> <Target link={link} />{' '}
              <span className="soft">{t('by {name}', { name: link.added_by })}</span>{' '}
              {mayAct && link.kind !== 'problem' ? (
                <button
                  type="button"
                  className="plain-button"
                  aria-label={t('Take out {kind} {ref}', { kind: link.kind, ref: link.ref })}
                  disabled={unlink.isPending}
                  onClick={() => unlink.mutate({ kind: link.kind, ref: link.ref })}
                >
                  {t('Take out')}
                </button>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      {unlink.isError ? <RefusedNotice error={unlink.error} /> : null}
      {mayLink ? <LinkForm incident={incident} /> : null}
    </Section>
  );
}

function Target({ link: { kind, ref, text } }: { readonly link: LinkOf }) {
  const words = plainText(text === '' ? ref : text, MAX_TITLE_CHARS);
  switch (kind) {
    case 'service':
      return (
        <Link to="/services/$id" params={{ id: ref }}>
          {ref}
        </Link>
      );
    case 'sla':
      return (
        <Link to="/slas/$id" params={{ id: ref }}>
          {ref}
        </Link>
      );
    case 'alert':
      return (
        <Link to="/alerts-dashboard" search={{ alert: ref, status: 'all' }}>
          {words}
        </Link>
      );
    case 'problem':
      return (
        <Link to="/alerts-dashboard" search={{ problem: ref, status: 'all' }}>
          {words}
        </Link>
      );
    case 'change':
      return (
        <span className="wrap-anywhere">
          <b>{ref}</b>
          {text === '' ? '' : `: ${words}`}
        </span>
      );
  }
}

/** A change is named by whatever names it elsewhere; the rest is chosen from what is there. */
function LinkForm({ incident }: { readonly incident: IncidentDetail }) {
  const [kind, setKind] = useState<Kind>('service');
  const [ref, setRef] = useState('');
  const [text, setText] = useState('');
  const link = useLinkIncident(incident.id);
  const linked = new Set(incident.links.flatMap((one) => (one.kind === kind ? [one.ref] : [])));
  const choices = useChoices(kind).filter(({ value }) => !linked.has(value));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const label = kind === 'alert' ? (choices.find(({ value }) => value === ref)?.label ?? '') : text;
    link.mutate(
      { kind, ref: ref.trim(), text: label },
      {
        onSuccess: () => {
          setRef('');
          setText('');
        },
      },
    );
  };
  return (
    <form onSubmit={submit} className="row-wrap">
      <NativeSelect
        aria-label={t('What to link')}
        data={KINDS.map((value) => ({ value, label: WORDS[value] }))}
        value={kind}
        onChange={(event) => {
          setKind(event.currentTarget.value as Kind);
          setRef('');
        }}
      />
      {kind === 'change' ? (
        <>
          <TextInput
            aria-label={t('Change')}
            placeholder="deploy-77"
            required
            maxLength={200}
            value={ref}
            onChange={(event) => setRef(event.currentTarget.value)}
          />
          <TextInput
            aria-label={t('What changed')}
            placeholder={t('release 2.4')}
            maxLength={1_000}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        </>
      ) : (
        <NativeSelect
          aria-label={t('Which {kind}', { kind: WORDS[kind] })}
          data={[{ value: '', label: choices.length === 0 ? t('none to link') : t('choose …') }, ...choices]}
          value={ref}
          onChange={(event) => setRef(event.currentTarget.value)}
        />
      )}
      <Button type="submit" variant="default" loading={link.isPending} disabled={ref.trim() === ''}>
        {t('Link')}
      </Button>
      {link.isError ? <RefusedNotice error={link.error} /> : null}
    </form>
  );
}

type Choice = { readonly value: string; readonly label: string };

function useChoices(kind: Kind): readonly Choice[] {
  const services = useQuery({ ...servicesQuery(), enabled: kind === 'service' });
  const slas = useQuery({ ...slasQuery(), enabled: kind === 'sla' });
  const alerts = useQuery({ ...alertsOfGroupQuery({}), enabled: kind === 'alert' });
  switch (kind) {
    case 'service':
      return (services.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
    case 'sla':
      return (slas.data?.items ?? []).map(({ id }) => ({ value: id, label: id }));
    case 'alert':
      return (alerts.data?.items ?? []).map((alert) => ({ value: alert.id, label: plainText(alertTitle(alert), MAX_TITLE_CHARS) }));
    case 'change':
      return [];
  }
}
