import { Menu } from '@mantine/core';
import type { Panel } from '../api/dashboards.ts';
import { saveFile } from '../components/save-file.ts';
import { t } from '../language/t.ts';
import type { Report } from './context.ts';
import { csvBlob, fileName, jsonBlob } from './export.ts';

type Props = {
  readonly panel: Panel;
  readonly title: string;
  readonly report: Report | undefined;
  readonly root: { readonly current: HTMLElement | null };
  /** Told when a picture cannot be made, and with null when one was. */
  readonly onFault: (fault: Error | null) => void;
};

/** What a panel shows as files; one that cannot be had says why in its place. */
export function SaveItems({ panel, title, report, root, onFault }: Props) {
  const name = fileName(title);
  const rows = report?.rows() ?? [];
  const picture = async (format: 'png' | 'svg'): Promise<void> => {
    const element = root.current;
    if (element === null) return;
    try {
      const { pictureOf } = await import('./picture.ts');
      saveFile(await pictureOf(element, { title, format }), `${name}.${format}`);
      onFault(null);
    } catch {
      onFault(new Error(t('The browser could not draw the picture.')));
    }
  };
  // A frame of no origin cannot be looked into, which is what it is for.
  const closed = panel.kind === 'custom';
  return (
    <>
      {rows.length < 2 ? (
        <Menu.Item disabled>{t('No CSV or JSON: there are no rows to save')}</Menu.Item>
      ) : (
        <>
          <Menu.Item onClick={() => saveFile(csvBlob(rows), `${name}.csv`)}>{t('Save as CSV')}</Menu.Item>
          <Menu.Item onClick={() => saveFile(jsonBlob(rows), `${name}.json`)}>{t('Save as JSON')}</Menu.Item>
        </>
      )}
      {closed ? (
        <Menu.Item disabled>{t('No picture: its script draws where the page cannot look')}</Menu.Item>
      ) : (
        <>
          <Menu.Item onClick={() => void picture('png')}>{t('Save as PNG')}</Menu.Item>
          <Menu.Item onClick={() => void picture('svg')}>{t('Save as SVG')}</Menu.Item>
        </>
      )}
    </>
  );
}
