import type { UsedByView } from '../api/objects.ts';
import { addressOf } from './address.ts';
import { kindWord } from './words.ts';

/** An object by its name, with the way there, and what it is in words. */
export function ObjectLink({ one: { kind, id, name } }: { readonly one: UsedByView['items'][number] }) {
  const address = addressOf(kind, id);
  return (
    <>
      {address === undefined ? (
        <span className="row-name">{name}</span>
      ) : (
        <a className="row-name" href={address}>
          {name}
        </a>
      )}{' '}
      <span className="faint">{kindWord(kind)}</span>
    </>
  );
}
