/** The keyboard of the whole product in one table: what works is what the overlay lists. Pure. */
import { t } from '../language/t.ts';

export type Key = { readonly keys: string; readonly does: string };

/** `g` then a letter goes to a page. */
export const GO: Readonly<Record<string, { readonly to: string; readonly page: string }>> = {
  o: { to: '/', page: t('Overview') },
  s: { to: '/services', page: t('Services') },
  l: { to: '/slas', page: t('SLAs') },
  r: { to: '/reports', page: t('Reports') },
  c: { to: '/checks', page: t('Checks') },
  t: { to: '/targets', page: t('Targets') },
  w: { to: '/agents', page: t('Agents') },
  h: { to: '/health', page: t('Health') },
  a: { to: '/alerts-dashboard', page: t('Alerts') },
  u: { to: '/rules', page: t('Rules') },
  f: { to: '/incidents', page: t('Incidents') },
  d: { to: '/notifications', page: t('Notifications') },
  n: { to: '/on-call', page: t('On call') },
  v: { to: '/routes', page: t('Routes') },
  e: { to: '/escalation', page: t('Escalation') },
  m: { to: '/maintenance', page: t('Maintenance') },
  x: { to: '/explore', page: t('Explore') },
  i: { to: '/silences', page: t('Silences') },
  p: { to: '/status-pages', page: t('Status pages') },
};

export const KEY_GROUPS: readonly { readonly title: string; readonly keys: readonly Key[] }[] = [
  {
    title: t('Go'),
    keys: Object.entries(GO).map(([letter, { page }]) => ({ keys: `g ${letter}`, does: page })),
  },
  {
    title: t('Lists'),
    keys: [
      { keys: 'j / k', does: t('Next or previous row') },
      { keys: 'Enter', does: t('Open the row') },
      { keys: '/', does: t('Filter the list') },
    ],
  },
  {
    title: t('Alerts: the selected ones, or the one at the cursor'),
    keys: [
      { keys: 'x', does: t('Select the alert') },
      { keys: 'Shift x', does: t('Select up to here') },
      { keys: 'a', does: t('Acknowledge') },
      { keys: 't', does: t('Take: assign to me') },
      { keys: 'm', does: t('Assign to somebody') },
      { keys: 'z', does: t('Snooze') },
      { keys: 's', does: t('Silence||key') },
      { keys: 'c', does: t('Comment') },
      { keys: 'e', does: t('Escalate||key') },
      { keys: 'r', does: t('Resolve') },
      { keys: 'u', does: t('Undo what was done last') },
    ],
  },
  {
    title: t('Time line'),
    keys: [
      { keys: '← / →', does: t('Previous or next interval') },
      { keys: '+ / −', does: t('Zoom') },
      { keys: 'Enter', does: t('Evidence of the interval') },
    ],
  },
  {
    title: t('Everywhere'),
    keys: [
      { keys: 'Ctrl K', does: t('Find anything') },
      { keys: '?', does: t('This list') },
      { keys: 'Esc', does: t('Close') },
    ],
  },
];

/** A `g` that is not followed within this time is forgotten. */
export const SEQUENCE_MS = 1_500;

export type KeyMeaning =
  | { readonly kind: 'go'; readonly to: string }
  | { readonly kind: 'filter' | 'help' | 'next' | 'previous' | 'await' | 'none' };

/** What a key means, given whether a `g` was pressed just before. */
export function meaningOf(key: string, afterG: boolean): KeyMeaning {
  if (afterG) {
    const target = GO[key];
    return target === undefined ? { kind: 'none' } : { kind: 'go', to: target.to };
  }
  const plain: Readonly<Record<string, KeyMeaning>> = {
    g: { kind: 'await' },
    '/': { kind: 'filter' },
    '?': { kind: 'help' },
    j: { kind: 'next' },
    k: { kind: 'previous' },
  };
  return plain[key] ?? { kind: 'none' };
}
