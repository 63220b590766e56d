/** The keyboard of the whole product in one table: what works is what the overlay lists. Pure. */

export type Key = { readonly keys: string; readonly does: string };

/** `g` then a letter goes to a page. */
export const GO: Readonly<Record<string, { readonly to: string; readonly page: string }>> = {
  o: { to: '/', page: 'Overview' },
  s: { to: '/services', page: 'Services' },
  l: { to: '/slas', page: 'SLAs' },
  r: { to: '/reports', page: 'Reports' },
  c: { to: '/checks', page: 'Checks' },
  t: { to: '/targets', page: 'Targets' },
  w: { to: '/agents', page: 'Agents' },
  h: { to: '/health', page: 'Health' },
  a: { to: '/alerts-dashboard', page: 'Alerts' },
  u: { to: '/rules', page: 'Rules' },
  f: { to: '/incidents', page: 'Incidents' },
  d: { to: '/notifications', page: 'Notifications' },
  n: { to: '/on-call', page: 'On call' },
  v: { to: '/routes', page: 'Routes' },
  e: { to: '/escalation', page: 'Escalation' },
  m: { to: '/maintenance', page: 'Maintenance' },
  x: { to: '/explore', page: 'Explore' },
  i: { to: '/silences', page: 'Silences' },
  p: { to: '/status-pages', page: 'Status pages' },
};

export const KEY_GROUPS: readonly { readonly title: string; readonly keys: readonly Key[] }[] = [
  {
    title: 'Go',
    keys: Object.entries(GO).map(([letter, { page }]) => ({ keys: `g ${letter}`, does: page })),
  },
  {
    title: 'Lists',
    keys: [
      { keys: 'j / k', does: 'Next or previous row' },
      { keys: 'Enter', does: 'Open the row' },
      { keys: '/', does: 'Filter the list' },
    ],
  },
  {
    title: 'Alerts: the selected ones, or the one at the cursor',
    keys: [
      { keys: 'x', does: 'Select the alert' },
      { keys: 'Shift x', does: 'Select up to here' },
      { keys: 'a', does: 'Acknowledge' },
      { keys: 't', does: 'Take: assign to me' },
      { keys: 'm', does: 'Assign to somebody' },
      { keys: 'z', does: 'Snooze' },
      { keys: 's', does: 'Silence' },
      { keys: 'c', does: 'Comment' },
      { keys: 'e', does: 'Escalate' },
      { keys: 'r', does: 'Resolve' },
      { keys: 'u', does: 'Undo what was done last' },
    ],
  },
  {
    title: 'Time line',
    keys: [
      { keys: '← / →', does: 'Previous or next interval' },
      { keys: '+ / −', does: 'Zoom' },
      { keys: 'Enter', does: 'Evidence of the interval' },
    ],
  },
  {
    title: 'Everywhere',
    keys: [
      { keys: 'Ctrl K', does: 'Find anything' },
      { keys: '?', does: 'This list' },
      { keys: 'Esc', does: 'Close' },
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
