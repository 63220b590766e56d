import { Modal } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, useDeferredValue, useId, useMemo, useState } from 'react';
import { t } from '../language/t.ts';
import { takeTyped } from '../shell/typed-ahead.ts';
import { best } from './rank.ts';
import { opened as wasOpened, recents } from './recents.ts';
import { type Entry, useEntries } from './use-entries.ts';

/** More than these nobody reads; a further letter is quicker. */
const MOST_SHOWN = 12;

/** Everything by its name: pages, things and actions. `Ctrl K` opens it. */
export function Palette({ onClose }: { readonly onClose: () => void }) {
  return (
    <Modal.Root opened onClose={onClose} centered={false} size={640} lockScroll={false}>
      <Modal.Overlay />
      <Modal.Content aria-label={t('Find anything')}>
        <Modal.Body p={0}>
          <Finder onClose={onClose} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Finder({ onClose }: { readonly onClose: () => void }) {
  const list = useId();
  const { history } = useRouter();
  const [typed, setTyped] = useState('');
  const query = useDeferredValue(typed);
  const { entries, reading } = useEntries(query);
  const [chosen, setChosen] = useState(0);
  const [recent] = useState(recents);
  const found = useMemo(() => best(query, entries, { recent, most: MOST_SHOWN }), [query, entries, recent]);
  const at = Math.min(chosen, Math.max(found.length - 1, 0));
  const go = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    wasOpened(entry.id);
    onClose();
    if (entry.to === undefined) entry.run?.();
    else history.push(entry.to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) setChosen((at + step + found.length) % found.length);
    if (event.key === 'Enter') go(found[at]);
    if (step !== undefined || event.key === 'Enter') event.preventDefault();
  };
  return (
    <div className="palette">
      <input
        className="palette-input"
        type="text"
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={found[at] === undefined ? undefined : `${list}-${at}`}
        aria-label={t('Find anything')}
        placeholder={t('A page, a service, an alert, an action …')}
        autoComplete="off"
        spellCheck={false}
        maxLength={100}
        data-autofocus
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setChosen(0);
        }}
        onFocus={() => {
          const ahead = takeTyped();
          if (ahead !== '') setTyped((before) => before + ahead);
        }}
        onKeyDown={onKeyDown}
      />
      <ul className="palette-list" id={list} role="listbox" aria-label={t('What was found')}>
        {found.map((entry, index) => (
          <li
            key={entry.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            onMouseMove={() => setChosen(index)}
            onClick={() => go(entry)}
          >
            <span className="palette-word">{entry.word}</span>
            <span className="faint">{entry.kind}</span>
          </li>
        ))}
      </ul>
      <Foot hasFound={found.length > 0} reading={reading} />
    </div>
  );
}

const Foot = ({ hasFound, reading }: { readonly hasFound: boolean; readonly reading: boolean }) => (
  <p className="palette-foot faint" role="status">
    {hasFound
      ? t('↑ ↓ choose, Enter opens, Esc closes')
      : reading
        ? t('Reading …')
        : t('Nothing is called like that, or you may not see it.')}
  </p>
);
