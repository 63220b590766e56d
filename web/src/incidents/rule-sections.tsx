import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { channelsQuery } from '../api/queries.ts';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { Choices } from '../pages/choices.tsx';
import { SEVERITY_CHOICES, phrase } from '../states/words.ts';
import { type Audience, type Category, type RulesDraft, type Severity, type StepDraft, freshId } from './draft.ts';
import { RuleList, RuledFields } from './rule-list.tsx';

const CATEGORIES = (['infrastructure', 'application', 'data', 'model', 'security', 'business', 'third_party'] as const).map((value) => ({
  value,
  label: phrase(value),
}));
const AUDIENCES: readonly { readonly value: Audience; readonly label: string }[] = [
  { value: 'technical', label: t('Technical people: alerts and the probable cause') },
  { value: 'operations', label: t('Operations: what is affected and who commands') },
  { value: 'business', label: t('Business: what customers may notice') },
  { value: 'executive', label: t('Executives: one sentence') },
];

type Props = { readonly draft: RulesDraft; readonly set: (change: Partial<RulesDraft>) => void };

function SeverityChoices({
  chosen,
  onChange,
}: {
  readonly chosen: readonly Severity[];
  readonly onChange: (next: readonly Severity[]) => void;
}) {
  const all = SEVERITY_CHOICES.map(({ value, label }) => ({ id: value, name: label }));
  return <Choices label={t('Of severity')} all={all} chosen={chosen} onChange={(next) => onChange(next as readonly Severity[])} />;
}

/** Which alerts open an incident. */
export function OpenRules({ draft: { open }, set }: Props) {
  return (
    <Section title={t('What opens an incident')}>
      <p className="soft">{t('The first that matches an alert decides. Where none does, no incident opens.')}</p>
      <RuleList
        label={t('What opens an incident')}
        items={open}
        onChange={(next) => set({ open: next })}
        fresh={() => ({ id: freshId(open), match: '', why: '', severities: ['critical', 'emergency'] as readonly Severity[], opens: true })}
        add={t('Add a rule that opens')}
      >
        {(rule, change) => (
          <>
            <RuledFields rule={rule} set={change} />
            <SeverityChoices chosen={rule.severities} onChange={(severities) => change({ severities })} />
            <NativeSelect
              label={t('Then')}
              data={[
                { value: 'yes', label: t('an incident opens') },
                { value: 'no', label: t('none opens') },
              ]}
              value={rule.opens ? 'yes' : 'no'}
              onChange={(event) => change({ opens: event.currentTarget.value === 'yes' })}
            />
          </>
        )}
      </RuleList>
    </Section>
  );
}

export function SeverityRules({ draft: { severities }, set }: Props) {
  return (
    <Section title={t('How severe it is')}>
      <p className="soft">{t('As the worst of its alerts, unless one of these matches; the first decides.')}</p>
      <RuleList
        label={t('How severe it is')}
        items={severities}
        onChange={(next) => set({ severities: next })}
        fresh={() => ({ id: freshId(severities), match: '', why: '', services: '5', severity: 'emergency' as const })}
        add={t('Add a rule of severity')}
      >
        {(rule, change) => (
          <>
            <RuledFields rule={rule} set={change} />
            <TextInput
              label={t('Services affected, at least')}
              inputMode="numeric"
              value={rule.services}
              onChange={(event) => change({ services: event.currentTarget.value })}
            />
            <NativeSelect
              label={t('Then it is')}
              data={SEVERITY_CHOICES}
              value={rule.severity}
              onChange={(event) => change({ severity: event.currentTarget.value as Severity })}
            />
          </>
        )}
      </RuleList>
    </Section>
  );
}

export function CategoryRules({ draft: { categories }, set }: Props) {
  return (
    <Section title={t('What it is about')}>
      <p className="soft">{t('The first that matches gives the category; where none does it is the application.')}</p>
      <RuleList
        label={t('What it is about')}
        items={categories}
        onChange={(next) => set({ categories: next })}
        fresh={() => ({ id: freshId(categories), match: '', why: '', category: 'application' as const })}
        add={t('Add a rule of category')}
      >
        {(rule, change) => (
          <>
            <RuledFields rule={rule} set={change} />
            <NativeSelect
              label={t('Then it is about')}
              data={CATEGORIES}
              value={rule.category}
              onChange={(event) => change({ category: event.currentTarget.value as Category })}
            />
          </>
        )}
      </RuleList>
    </Section>
  );
}

/** Who is told of an incident, and when. */
export function Steps({ draft: { escalation, resolveAfter }, set }: Props) {
  const fresh = (): StepDraft => ({
    id: freshId(escalation),
    audience: 'operations',
    severities: ['critical', 'emergency'],
    after: '5m',
    until: 'mitigated',
    contacts: [{ channel: '', to: '' }],
  });
  return (
    <Section title={t('Who is told of it, and how it ends')}>
      <p className="soft">{t('Alerts page people already; nobody is told of the incident until a channel is named here.')}</p>
      <RuleList
        label={t('Who is told')}
        items={escalation}
        onChange={(next) => set({ escalation: next })}
        fresh={fresh}
        add={t('Tell somebody else')}
      >
        {(step, change) => <StepFields step={step} change={change} />}
      </RuleList>
      <TextInput
        className="rule-end"
        label={t('Quiet for so long ends it')}
        description={t('Since its last alert ended; empty: people end it.')}
        placeholder="10m"
        value={resolveAfter}
        onChange={(event) => set({ resolveAfter: event.currentTarget.value })}
      />
    </Section>
  );
}

function StepFields({ step, change }: { readonly step: StepDraft; readonly change: (change: Partial<StepDraft>) => void }) {
  const channels = useQuery(channelsQuery()).data?.items ?? [];
  const known = [...new Set([...channels.map(({ id }) => id), ...step.contacts.map(({ channel }) => channel)])].filter((id) => id !== '');
  const contact = (index: number, next: Partial<StepDraft['contacts'][number]>): void =>
    change({ contacts: step.contacts.map((one, at) => (at === index ? { ...one, ...next } : one)) });
  return (
    <>
      <TextInput
        label={t('Name')}
        required
        maxLength={63}
        value={step.id}
        onChange={(event) => change({ id: event.currentTarget.value })}
      />
      <NativeSelect
        label={t('In words for')}
        data={[...AUDIENCES]}
        value={step.audience}
        onChange={(event) => change({ audience: event.currentTarget.value as Audience })}
      />
      <TextInput
        label={t('Due after')}
        description={t('Since the incident opened: 0s is at once.')}
        value={step.after}
        onChange={(event) => change({ after: event.currentTarget.value })}
      />
      <NativeSelect
        label={t('Unless before that it is')}
        data={[
          { value: 'acknowledged', label: t('acknowledged') },
          { value: 'mitigated', label: t('mitigated') },
        ]}
        value={step.until}
        onChange={(event) => change({ until: event.currentTarget.value as StepDraft['until'] })}
      />
      <SeverityChoices chosen={step.severities} onChange={(severities) => change({ severities })} />
      <div>
        {step.contacts.map(({ channel, to }, index) => (
          <div key={index} className="row-wrap">
            <NativeSelect
              label={t('Through')}
              data={[{ value: '', label: t('Choose a channel …') }, ...known.map((id) => ({ value: id, label: id }))]}
              value={channel}
              onChange={(event) => contact(index, { channel: event.currentTarget.value })}
            />
            <TextInput
              label={t('To')}
              placeholder={t('its own recipients')}
              maxLength={500}
              value={to}
              onChange={(event) => contact(index, { to: event.currentTarget.value })}
            />
          </div>
        ))}
        <button type="button" className="plain-button" onClick={() => change({ contacts: [...step.contacts, { channel: '', to: '' }] })}>
          {t('Add a channel')}
        </button>
      </div>
    </>
  );
}
