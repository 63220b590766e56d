import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { statementKeysQuery } from '../api/sla-queries.ts';
import type { SignedStatement } from '../api/wire.ts';
import { Instant } from '../components/instant.tsx';
import { Command } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';

/** Who signed, with which key, and how anybody can check it without this page. */
export function SignatureSection({ statement }: { readonly statement: SignedStatement }) {
  const { signature, contract, revision } = statement;
  const keys = useQuery(statementKeysQuery());
  const key = keys.data?.items.find((one) => one.key_id === signature.key_id);
  return (
    <Section title={t('Signature')} aside={t('{algorithm} over canonical JSON (RFC 8785)', { algorithm: signature.algorithm })}>
      <div className="panel panel-pad stack">
        <dl className="evidence-facts">
          <dt>{t('Key')}</dt>
          <dd className="mono wrap">{signature.key_id}</dd>
          <dt>{t('This server says')}</dt>
          <dd>{keys.data === undefined ? '…' : <KeyWords signature={signature} published={key} />}</dd>
          <dt>{t('Signature')}</dt>
          <dd className="mono wrap">{signature.value}</dd>
          {revision?.restates === null || revision === null ? null : (
            <>
              <dt>{t('Replaces')}</dt>
              <dd className="mono wrap">{revision.restates}</dd>
            </>
          )}
          <dt>{t('Contract')}</dt>
          <dd>
            {rich('version {version}, in force since {at}, <a>its terms</a>', {
              version: contract.version,
              at: <Instant atMs={contract.effective_from_at_ms} relative={false} />,
              a: (inner) => (
                <Link to="/slas/$id" params={{ id: statement.id }}>
                  {inner}
                </Link>
              ),
            })}
          </dd>
        </dl>
        <p>
          {t(
            'How to verify: download the JSON form, then run one of these. The first asks this server for its keys, the second needs no server.',
          )}
        </p>
        <Command text={`nines sla verify ${statement.id}.json --url ${window.location.origin}`} />
        <Command text={`nines sla verify ${statement.id}.json --key ${signature.public_key}`} />
      </div>
    </Section>
  );
}

type Published = { readonly key_id: string; readonly public_key: string; readonly retired_at_ms: number | null };

function KeyWords({
  signature,
  published,
}: {
  readonly signature: SignedStatement['signature'];
  readonly published: Published | undefined;
}) {
  if (published === undefined || published.public_key !== signature.public_key) {
    return <strong>{t('This key is none of this server’s: do not trust the statement before you know whose it is.')}</strong>;
  }
  if (published.retired_at_ms === null) return <>{t('its present key')}</>;
  return rich('its key until {at}', { at: <Instant atMs={published.retired_at_ms} relative={false} /> });
}
