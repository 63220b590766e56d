import { Button, FileInput, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { t } from '../language/t.ts';
import { type Pairs, pairsOf } from './load-words.ts';
import { Expression } from './series-form.tsx';

/** Measurements that were sent once; `stamp` tells one sending from the next. */
export type Sent = { readonly stamp: string; readonly text: string; readonly name?: string; readonly pairs?: Pairs };

type Question = { readonly throughput: string; readonly concurrency: string };

/** Two expressions; the address holds them. */
export function StoredForm({ throughput, concurrency, onAsk }: Question & { readonly onAsk: (question: Question) => void }) {
  const [rate, setRate] = useState(throughput);
  const [count, setCount] = useState(concurrency);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAsk({ throughput: rate.trim(), concurrency: count.trim() });
  };
  return (
    <form className="series-ask" onSubmit={submit}>
      <Expression
        label={t('Throughput')}
        placeholder="sum(rate(http_requests_total[5m]))"
        typed={rate}
        onTyped={setRate}
        onPick={setRate}
      />
      <Expression label={t('Concurrency')} placeholder="sum(http_requests_in_flight)" typed={count} onTyped={setCount} onPick={setCount} />
      <Button type="submit" disabled={rate.trim() === '' || count.trim() === ''}>
        {t('Look')}
      </Button>
    </form>
  );
}

const EXAMPLE = '# at once, requests a second\n1, 98\n4, 350\n16, 900';

export function PairsForm({ before, onAsk }: { readonly before: string; readonly onAsk: (sent: Sent) => void }) {
  const [text, setText] = useState(before);
  const [fault, setFault] = useState<string>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = pairsOf(text);
    setFault('fault' in read ? read.fault : undefined);
    if ('pairs' in read) onAsk({ stamp: `pairs ${text}`, text, pairs: read.pairs });
  };
  return (
    <form className="series-ask" onSubmit={submit}>
      <Textarea
        className="series-expr"
        label={t('One measurement a line: how many at once, requests a second')}
        description={t('In the order of time: the middle of the last ten is the load of now')}
        placeholder={EXAMPLE}
        autosize
        minRows={4}
        maxRows={12}
        spellCheck={false}
        value={text}
        error={fault}
        onChange={({ currentTarget: { value } }) => setText(value)}
      />
      <Button type="submit" disabled={text.trim() === ''}>
        {t('Look')}
      </Button>
    </form>
  );
}

/** The server reads bodies of 16 MiB; JSON around the text takes a little. */
const MOST_BYTES = 15 * 1024 * 1024;

export function FileForm({ name, onAsk }: { readonly name: string | undefined; readonly onAsk: (sent: Sent) => void }) {
  const [fault, setFault] = useState<string>();
  const pick = async (file: File | null): Promise<void> => {
    if (file === null) return;
    if (file.size > MOST_BYTES) {
      setFault(t('{file} is larger than 15 MiB: bring a part of the test', { file: file.name }));
      return;
    }
    setFault(undefined);
    onAsk({ stamp: `file ${file.name} ${file.size} ${file.lastModified}`, text: await file.text(), name: file.name });
  };
  return (
    <FileInput
      label={t('Result of a load test')}
      description={t('The CSV or summaries (JSON) of k6, or a JTL of JMeter as CSV')}
      placeholder={name ?? t('Choose a file')}
      accept=".csv,.json,.jtl,.txt"
      clearable={false}
      error={fault}
      onChange={(file) => void pick(file)}
    />
  );
}
