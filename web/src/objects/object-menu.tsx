import { Menu } from '@mantine/core';
import { Suspense, lazy, useEffect, useRef, useState } from 'react';
import { HistoryLink } from '../components/history-link.tsx';
import { t } from '../language/t.ts';
import { addressOf, anchorOf } from './address.ts';

const ObjectDialog = lazy(() => import('./object-dialog.tsx').then(({ ObjectDialog: component }) => ({ default: component })));

type Props = {
  /** As the audit log calls it, the path of its address in the API: `oncall/schedules`. */
  readonly kind: string;
  readonly id: string;
  /** What it is called, to tell the menus of a list apart. */
  readonly name?: string;
  /** Where it is, for what has no address by its id alone. */
  readonly address?: string;
  /** The id by which others name it, where that is another. */
  readonly namedAs?: string;
  /** Whether the audit log knows it under this kind. */
  readonly history?: boolean;
};

/** Kinds of which the server knows what names them. */
const NAMED: ReadonlySet<string> = new Set([
  'agents',
  'channels',
  'checks',
  'dashboards',
  'escalation/policies',
  'oncall/people',
  'oncall/schedules',
  'people',
  'roles',
  'rules',
  'services',
  'slas',
]);
/** Kinds that neither a configuration nor a record of the API shows whole. */
const TEXTLESS: ReadonlySet<string> = new Set(['slas/exclusions']);

/** What can be done with any object: its link, its YAML, what names it, and what the audit log knows of it. */
export function ObjectMenu({ kind, id, name, address = addressOf(kind, id), namedAs = id, history = true }: Props) {
  const [open, setOpen] = useState<'yaml' | 'used-by' | undefined>(undefined);
  const [copied, setCopied] = useState(false);
  const mark = useRef<HTMLSpanElement>(null);
  const anchor = anchorOf(kind, id);
  useEffect(() => {
    if (window.location.hash !== `#${anchor}`) return;
    const line = mark.current?.closest('tr, article, li, .panel');
    line?.setAttribute('data-linked', '');
    line?.scrollIntoView({ block: 'center' });
  }, [anchor]);
  const copy = (): void => {
    if (address === undefined) return;
    void navigator.clipboard.writeText(new URL(address, window.location.origin).href).then(() => setCopied(true));
  };
  return (
    <span ref={mark} {...(address?.includes('#') === true ? { id: anchor } : {})} className="object-menu no-print">
      <Menu position="bottom-end" withinPortal onOpen={() => setCopied(false)} closeOnItemClick={false}>
        <Menu.Target>
          <button type="button" className="plain-button" aria-label={t('Link, YAML and uses of {name}', { name: name ?? id })}>
            ⋯
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {address === undefined ? null : <Menu.Item onClick={copy}>{copied ? t('Copied') : t('Copy link')}</Menu.Item>}
          {TEXTLESS.has(kind) ? null : (
            <Menu.Item closeMenuOnClick onClick={() => setOpen('yaml')}>
              {t('View as YAML')}
            </Menu.Item>
          )}
          {NAMED.has(kind) ? (
            <Menu.Item closeMenuOnClick onClick={() => setOpen('used-by')}>
              {t('Used by')}
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      {history ? <HistoryLink kind={kind} id={id} {...(name === undefined ? {} : { name })} /> : null}
      {open === undefined ? null : (
        <Suspense fallback={null}>
          <ObjectDialog
            kind={kind}
            id={open === 'used-by' ? namedAs : id}
            name={name ?? id}
            show={open}
            onClose={() => setOpen(undefined)}
          />
        </Suspense>
      )}
    </span>
  );
}
