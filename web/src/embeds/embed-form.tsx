import { Button, FileInput, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { DashboardView } from '../api/dashboards.ts';
import { useMakeEmbed } from '../api/embeds.ts';
import { Command, RefusedNotice } from '../components/notices.tsx';
import type { DashboardSearch } from '../dashboards/search.ts';
import { t } from '../language/t.ts';

const ENDS: readonly { readonly value: string; readonly label: string }[] = [
  { value: '1d', label: t('1 day||link') },
  { value: '30d', label: t('30 days||link') },
  { value: '90d', label: t('90 days||link') },
  { value: '365d', label: t('1 year||link') },
];
const WHOLE = '';

const fileText = (file: File): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(typeof reader.result === 'string' ? reader.result : '');
    reader.onerror = () => reject(reader.error ?? new Error(t('The file cannot be read.')));
    reader.readAsDataURL(file);
  });

const htmlOf = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

type Props = { readonly of: DashboardView; readonly search: DashboardSearch };

/** Makes a link: which part, for how long, on which sites, in whose looks. Variables and the stretch stay as they are chosen now. */
export function EmbedForm({ of, search }: Props) {
  const make = useMakeEmbed(of.id);
  const [panel, setPanel] = useState(search.panel ?? WHOLE);
  const [ends, setEnds] = useState('90d');
  const [sites, setSites] = useState('');
  const [title, setTitle] = useState('');
  const [theme, setTheme] = useState<'light' | 'dark'>('light');
  const [accent, setAccent] = useState('');
  const [logo, setLogo] = useState<File | null>(null);
  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    make.mutate({
      values: search.vars ?? {},
      sites: sites.split(/[\s,]+/).filter((site) => site !== ''),
      theme,
      colours: accent === '' ? {} : { accent },
      expires_in: ends,
      ...(panel === WHOLE ? {} : { panel }),
      ...(search.last === undefined ? {} : { range: search.last }),
      ...(title.trim() === '' ? {} : { title: title.trim() }),
      ...(logo === null ? {} : { logo: await fileText(logo) }),
    });
  };
  const panels = Object.entries(of.spec.panels).map(([value, { title: name }]) => ({ value, label: name === '' ? value : name }));
  return (
    <form className="time-exact" onSubmit={(event) => void onSubmit(event)}>
      <NativeSelect
        label={t('Part||dashboard')}
        data={[{ value: WHOLE, label: t('Whole dashboard||link') }, ...panels]}
        value={panel}
        onChange={(event) => setPanel(event.currentTarget.value)}
      />
      <NativeSelect label={t('Ends after')} data={[...ENDS]} value={ends} onChange={(event) => setEnds(event.currentTarget.value)} />
      <TextInput
        label={t('Sites that may show it')}
        description={t('Such as https://www.example.com; without any it opens only by itself')}
        value={sites}
        onChange={(event) => setSites(event.currentTarget.value)}
      />
      <TextInput
        label={t('Title||link')}
        placeholder={of.title}
        maxLength={200}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
      <NativeSelect
        label={t('Theme')}
        data={[
          { value: 'light', label: t('Light') },
          { value: 'dark', label: t('Dark') },
        ]}
        value={theme}
        onChange={(event) => setTheme(event.currentTarget.value === 'dark' ? 'dark' : 'light')}
      />
      <TextInput label={t('Your colour')} placeholder="#3d5a8a" value={accent} onChange={(event) => setAccent(event.currentTarget.value)} />
      <FileInput label={t('Your logo')} accept="image/svg+xml,image/png,image/jpeg,image/webp" value={logo} onChange={setLogo} clearable />
      {make.isError ? <RefusedNotice error={make.error} /> : null}
      <Button type="submit" loading={make.isPending}>
        {t('Make a link||embed')}
      </Button>
      {make.data === undefined ? null : <Made url={make.data.url} title={make.data.title ?? of.title} />}
    </form>
  );
}

/** What stands in the other page. */
function Made({ url, title }: { readonly url: string; readonly title: string }) {
  const frame = `<iframe src="${url}" title="${htmlOf(title)}" width="100%" height="600" loading="lazy" referrerpolicy="no-referrer"></iframe>`;
  return (
    <div role="status">
      <p className="soft">{t('This shows it in a page:')}</p>
      <Command text={frame} />
    </div>
  );
}
