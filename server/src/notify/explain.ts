/** Why routing does with an alert what it does, route by route; pure. */
import type { Matcher } from '@nines/base/matcher.ts';
import { formatMatcher } from '@nines/base/matcher-text.ts';
import type { Route } from './route.ts';

type Labels = Readonly<Record<string, string>>;

/** `taken`: the alert is told here. `passed`: it matches, and a route below takes it. */
export const ROUTE_OUTCOMES = ['taken', 'passed', 'failed', 'not_asked'] as const;
export type RouteStep = {
  readonly route: string;
  readonly outcome: (typeof ROUTE_OUTCOMES)[number];
  readonly reason: string;
};

/** Every route, in the order of the tree, with what came of it for these labels. */
export function explainRoutes(root: Route, labels: Labels): readonly RouteStep[] {
  return walk(root, labels).steps;
}

function walk(route: Route, labels: Labels): { readonly isTaken: boolean; readonly steps: readonly RouteStep[] } {
  const failing = route.matchers.find(({ name, matches }) => !matches(labels[name] ?? ''));
  if (failing !== undefined) {
    const steps = [
      step(route, 'failed', `${formatMatcher(failing)} does not hold: ${valueOf(failing, labels)}`),
      ...below(route, 'the route above does not match'),
    ];
    return { isTaken: false, steps };
  }
  const steps: RouteStep[] = [];
  let [stoppedBy, found]: [Route | undefined, boolean] = [undefined, false];
  for (const child of route.children) {
    if (stoppedBy !== undefined) {
      steps.push(...all(child, 'an earlier route takes the alert and does not continue'));
      continue;
    }
    const made = walk(child, labels);
    steps.push(...made.steps);
    if (!made.isTaken) continue;
    found = true;
    if (!child.continues) stoppedBy = child;
  }
  const why =
    route.matchers.length === 0
      ? 'everything matches'
      : `${route.matchers.map(formatMatcher).join(', ')} ${route.matchers.length === 1 ? 'holds' : 'hold'}`;
  const own = found
    ? step(route, 'passed', `${why}; a route below takes it`)
    : step(route, 'taken', route.children.length === 0 ? why : `${why}; no route below does`);
  return { isTaken: true, steps: [own, ...steps] };
}

const step = ({ id }: Route, outcome: RouteStep['outcome'], reason: string): RouteStep => ({ route: id, outcome, reason });
const below = (route: Route, reason: string): readonly RouteStep[] => route.children.flatMap((child) => all(child, reason));
const all = (route: Route, reason: string): readonly RouteStep[] => [step(route, 'not_asked', reason), ...below(route, reason)];

const valueOf = ({ name }: Matcher, labels: Labels): string =>
  labels[name] === undefined ? `there is no ${name}` : `${name} is ${JSON.stringify(labels[name])}`;
