import { Fragment, type ReactNode } from 'react';

/** Markdown of text panels: headings, lists, paragraphs, code, emphasis, links. Made of elements, never of HTML: what is hostile stays text. */
export function Markdown({ text }: { readonly text: string }) {
  return <div className="markdown">{blocksOf(text)}</div>;
}

const HEADING = /^(#{1,4})\s+(.*)$/;
const BULLET = /^\s*[-*+]\s+(.*)$/;
const NUMBER = /^\s*\d+[.)]\s+(.*)$/;

function blocksOf(text: string): readonly ReactNode[] {
  const parts = text.replaceAll('\r\n', '\n').split(/(```[^\n]*\n[\s\S]*?(?:\n```|$))/);
  return parts.flatMap((part, at) => {
    if (part.startsWith('```')) {
      const code = part.replace(/^```[^\n]*\n/, '').replace(/\n```$/, '');
      return [<pre key={at}>{code}</pre>];
    }
    return part
      .split(/\n\s*\n/)
      .filter((block) => block.trim() !== '')
      .map((block, index) => <Block key={`${at}.${index}`} lines={block.split('\n').filter((line) => line.trim() !== '')} />);
  });
}

function Block({ lines }: { readonly lines: readonly string[] }) {
  const [first = '', ...rest] = lines;
  const heading = HEADING.exec(first);
  if (heading !== null) {
    return (
      <>
        <h4>{inline(heading[2] ?? '')}</h4>
        {rest.length === 0 ? null : <Block lines={rest} />}
      </>
    );
  }
  const bullets = lines.map((line) => BULLET.exec(line)?.[1]);
  if (bullets.every((one) => one !== undefined)) return <ul>{items(bullets)}</ul>;
  const numbers = lines.map((line) => NUMBER.exec(line)?.[1]);
  if (numbers.every((one) => one !== undefined)) return <ol>{items(numbers)}</ol>;
  return <p>{inline(lines.join(' '))}</p>;
}

const items = (lines: readonly string[]) => lines.map((line, at) => <li key={at}>{inline(line)}</li>);

const SPANS = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\([^()\s]+\))/;
const LINK = /^\[([^\]]+)\]\(([^()\s]+)\)$/;
/** Nothing that runs: within the product, or over HTTP. */
const SAFE = /^(?:\/(?![/\\])|https?:\/\/|mailto:)/i;

function inline(text: string): readonly ReactNode[] {
  return text.split(SPANS).map((part, at) => {
    if (part.startsWith('`') && part.length > 2) return <code key={at}>{part.slice(1, -1)}</code>;
    if (part.startsWith('**') && part.length > 4) return <strong key={at}>{part.slice(2, -2)}</strong>;
    if (part.startsWith('*') && part.length > 2) return <em key={at}>{part.slice(1, -1)}</em>;
    const [, word, href] = LINK.exec(part) ?? [];
    if (word !== undefined && href !== undefined && SAFE.test(href)) {
      return (
        <a key={at} href={href} rel="noreferrer">
          {word}
        </a>
      );
    }
    return <Fragment key={at}>{part}</Fragment>;
  });
}
