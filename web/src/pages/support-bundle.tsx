import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { requestFile } from '../api/client.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { saveFile } from '../components/save-file.ts';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';

const HELD = [
  ['version.json', t('version of Nines and Node.js, operating system, processors, memory')],
  ['configuration.json', t('the configuration in force')],
  ['doctor.json', t('what examining the data directory found')],
  ['sizes.json', t('names and sizes of the files of the data directory')],
  ['health.json', t('the health of every part')],
  ['metrics.txt', t('the figures of Nines about itself')],
] as const;

/** What helps others to help, as a file to look through and pass on. */
export function SupportBundle() {
  const make = useMutation({ mutationFn: () => requestFile('/api/support-bundle', { method: 'POST', body: {} }) });
  const save = () => make.mutate(undefined, { onSuccess: (bundle) => saveFile(bundle, 'nines-support.tar.gz') });
  return (
    <Section title={t('Support bundle')}>
      <p className="soft">
        {t(
          'One file for whoever helps you. Samples, passwords, keys, tokens, logs, and the names and addresses of people are taken out. Names of hosts and services stay in: look through it before you pass it on. That it was made stands in the audit log.',
        )}
      </p>
      <dl className="facts-wide">
        {HELD.map(([name, about]) => (
          <div key={name}>
            <dt className="mono">{name}</dt>
            <dd className="soft">{about}</dd>
          </div>
        ))}
      </dl>
      <div>
        <Button variant="default" loading={make.isPending} onClick={save}>
          {t('Make a support bundle')}
        </Button>
      </div>
      {make.isError ? <RefusedNotice error={make.error} /> : null}
      {make.data === undefined ? null : (
        <p role="status">
          {t('nines-support.tar.gz is saved, {size} KiB. README.txt in it says what it holds.', { size: Math.ceil(make.data.size / 1024) })}
        </p>
      )}
    </Section>
  );
}
