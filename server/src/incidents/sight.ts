import { type CauseView, type ProblemView, servicesNamedBy } from '../problems/contract.ts';
import type { EntryView, IncidentDetail, LinkView } from './contract.ts';

/** Whether whoever asks may know of a service: an incident of theirs may have its cause in one of others. */
export type Sees = (service: string) => boolean;

const MAX_CAUSES = 5;

const isSeen =
  (sees: Sees) =>
  ({ kind, subject }: Pick<CauseView, 'kind' | 'subject'>): boolean =>
    kind !== 'service' || sees(subject);

/** What probably caused an incident's problems. */
export function causesOf(problems: readonly ProblemView[], sees: Sees | undefined): IncidentDetail['causes'] {
  const causes = problems.flatMap((problem) => problem.causes).filter(sees === undefined ? () => true : isSeen(sees));
  return [...new Map(causes.map(({ subject, reasons }) => [subject, { subject, reasons }])).values()].slice(0, MAX_CAUSES);
}

/** The time line without what names services outside: the sentence on causes names the first. */
export function timelineWithin(timeline: readonly EntryView[], sees: Sees | undefined): readonly EntryView[] {
  if (sees === undefined) return timeline;
  return timeline.flatMap((entry) => {
    if (entry.kind !== 'cause') return [entry];
    const { causes = [] } = entry.data as { readonly causes?: readonly CauseView[] };
    const seen = causes.filter(isSeen(sees));
    return seen[0] === causes[0] ? [{ ...entry, data: { ...entry.data, causes: seen } }] : [];
  });
}

type ProblemOf = (id: string) => ProblemView | undefined;

/** A problem's title names its cause: it stands where all of the problem is seen. */
export function linksWithin(links: readonly LinkView[], problemOf: ProblemOf, sees: Sees | undefined): readonly LinkView[] {
  if (sees === undefined) return links;
  return links.map((link) => {
    if (link.kind !== 'problem') return link;
    const problem = problemOf(link.ref);
    return problem !== undefined && servicesNamedBy(problem).every(sees) ? link : { ...link, text: '' };
  });
}
