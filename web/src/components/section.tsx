import { type ReactNode, useId } from 'react';

type Props = { readonly title: ReactNode; readonly aside?: ReactNode; readonly children: ReactNode };

/** A titled part of a page. */
export function Section({ title, aside, children }: Props) {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{title}</h2>
        {aside === undefined ? null : <div className="aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
