import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands';
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { lintKeymap } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import type { QueryClient } from '@tanstack/react-query';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { styleNonce } from '../theme.ts';
import { completionClient } from './completion-client.ts';
import { t } from '../language/t.ts';

type Props = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onRun: (value: string) => void;
};

/** Ink, weight and the colours of series tell the parts apart; green, amber and red are states and stay out. */
const HIGHLIGHT = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--series-3)' },
  { tag: [tags.operatorKeyword, tags.modifier], color: 'var(--series-3)' },
  { tag: tags.function(tags.variableName), color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--series-2)' },
  { tag: [tags.number, tags.literal], color: 'var(--series-4)' },
  { tag: tags.labelName, color: 'var(--series-6)' },
  { tag: tags.comment, color: 'var(--ink-faint)', fontStyle: 'italic' },
  { tag: tags.invalid, textDecoration: 'underline wavy' },
]);

const THEME = EditorView.theme({
  '&': { backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace', lineHeight: '20px', overflowX: 'auto' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '6px 4px' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-placeholder': { color: 'var(--ink-faint)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent-soft)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--line-strong)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface)',
    color: 'var(--ink)',
    border: '1px solid var(--line-strong)',
    boxShadow: 'var(--shadow)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'inherit', maxHeight: '260px', maxWidth: 'min(640px, 92vw)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px', fontFamily: '"JetBrains Mono Variable", monospace' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--ink-faint)', fontStyle: 'normal', marginLeft: '12px' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '650' },
  '.cm-completionInfo': { maxWidth: '360px', padding: '8px', color: 'var(--ink-soft)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--down)' },
});

/** PromQL with completion of what is stored here. Enter runs, Shift Enter begins a line, Tab leaves. */
export function PromqlEditor({ label, value, onChange, onRun }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const client = useQueryClient();
  const told = useRef({ onChange, onRun });
  told.current = { onChange, onRun };
  useEffect(() => {
    if (host.current === null) return;
    const promql = promqlOver(client);
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({ doc: value, extensions: [extensionsOf(label, told), promql.asExtension()] }),
    });
    view.current = made;
    return () => {
      made.destroy();
      promql.destroy();
    };
    // The editor keeps what is typed; a value from outside is set below.
  }, [client, label]);
  useEffect(() => {
    const made = view.current;
    if (made === null || made.state.doc.toString() === value) return;
    made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: value } });
  }, [value]);
  return <div ref={host} className="promql-editor" />;
}

const promqlOver = (client: QueryClient): PromQLExtension => new PromQLExtension().setComplete({ remote: completionClient(client) });

type Told = { readonly current: Pick<Props, 'onChange' | 'onRun'> };

function extensionsOf(label: string, told: Told) {
  const run = (view: EditorView): boolean => {
    told.current.onRun(view.state.doc.toString());
    return true;
  };
  return [
    EditorView.cspNonce.of(styleNonce()),
    EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocapitalize: 'none' }),
    EditorView.lineWrapping,
    EditorView.updateListener.of((update) => {
      if (update.docChanged) told.current.onChange(update.state.doc.toString());
    }),
    placeholder(t('PromQL, for example rate(http_requests_total[5m])')),
    history(),
    bracketMatching(),
    closeBrackets(),
    autocompletion(),
    syntaxHighlighting(HIGHLIGHT),
    THEME,
    Prec.high(
      keymap.of([
        { key: 'Enter', run },
        { key: 'Mod-Enter', run },
        { key: 'Shift-Enter', run: insertNewlineAndIndent },
      ]),
    ),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
  ];
}
