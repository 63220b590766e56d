import { useId } from 'react';
import { t } from '../language/t.ts';
import { type MarkState, SLA_WORDS, STATE_WORDS, phrase } from './words.ts';

function Shape({ state }: { readonly state: MarkState }) {
  const hatch = useId();
  switch (state) {
    case 'up':
      return <circle cx="6" cy="6" r="4.5" fill="var(--up)" />;
    case 'degraded':
      return <path d="M6 1.2 11.2 10.6H.8z" fill="var(--degraded)" />;
    case 'down':
      return <rect x="1.5" y="1.5" width="9" height="9" fill="var(--down)" />;
    case 'unknown':
      return (
        <>
          <Hatch id={hatch} colour="var(--unknown)" />
          <path d="M6 .9 11.1 6 6 11.1.9 6z" fill={`url(#${hatch})`} stroke="var(--unknown)" strokeWidth="1.3" />
        </>
      );
    case 'maintenance':
      return <rect x="0.5" y="4" width="11" height="4.5" fill="var(--maintenance)" />;
    case 'excluded':
      return (
        <>
          <Hatch id={hatch} colour="var(--maintenance)" />
          <rect x="1" y="3.5" width="10" height="5" fill={`url(#${hatch})`} stroke="var(--maintenance)" />
        </>
      );
  }
}

/** Hatching means "not counted". `id` must be unique in the document. */
export function Hatch({ id, colour }: { readonly id: string; readonly colour: string }) {
  return (
    <pattern id={id} width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect width="1.6" height="4" fill={colour} />
    </pattern>
  );
}

/** The shape alone; give it to readers who also see the word. */
export function StateShape({
  state,
  pulse = false,
  size = 12,
}: {
  readonly state: MarkState;
  readonly pulse?: boolean;
  readonly size?: number;
}) {
  return (
    <svg className={pulse ? 'mark-shape pulse' : 'mark-shape'} width={size} height={size} viewBox="0 0 12 12" aria-hidden="true">
      <Shape state={state} />
    </svg>
  );
}

/** A state: shape, colour and word. `word` replaces the state's own word where a page needs another one. */
export function StateMark({ state, word, pulse = false }: { readonly state: MarkState; readonly word?: string; readonly pulse?: boolean }) {
  return (
    <span className="mark">
      <StateShape state={state} pulse={pulse} />
      {word ?? STATE_WORDS[state]}
    </span>
  );
}

/** A promise that is kept over a window that is not full yet is kept so far. */
export function SlaMark({ status, young }: { readonly status: string; readonly young: boolean }) {
  const entry = SLA_WORDS[status] ?? { word: phrase(status), mark: 'unknown' as const };
  return <StateMark state={entry.mark} word={status === 'met' && young ? t('{verdict} so far', { verdict: entry.word }) : entry.word} />;
}

/** Severity: neutral, amber, red, red inverted. The word is always there. */
export function SeverityMark({ severity }: { readonly severity: string }) {
  return <span className={`severity severity-${severity}`}>{phrase(severity)}</span>;
}

/** The first sentence of a page behind the shape of the state it tells. */
export function Headline({ state, children }: { readonly state: MarkState; readonly children: string }) {
  return (
    <h1 className="headline">
      <StateShape state={state} size={20} />
      <span>{children}</span>
    </h1>
  );
}
