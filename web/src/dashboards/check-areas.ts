/** What checks ask, in the words of people who run things: the web, databases, mail, security, and the rest. Pure. */
import { t } from '../language/t.ts';

export type CheckArea = 'web' | 'database' | 'email' | 'security' | 'other';

const OF_KIND: Readonly<Record<string, CheckArea>> = {
  http: 'web',
  browser: 'web',
  websocket: 'web',
  grpc: 'web',
  postgresql: 'database',
  mysql: 'database',
  mongodb: 'database',
  redis: 'database',
  smtp: 'email',
  tls: 'security',
  domain: 'security',
};
/** Well-known ports of what a bare connection reaches. https://www.iana.org/assignments/service-names-port-numbers */
const OF_PORT: Readonly<Record<string, CheckArea>> = {
  '80': 'web',
  '443': 'web',
  '8080': 'web',
  '8443': 'web',
  '1433': 'database',
  '1521': 'database',
  '3306': 'database',
  '5432': 'database',
  '6379': 'database',
  '9042': 'database',
  '27017': 'database',
  '25': 'email',
  '110': 'email',
  '143': 'email',
  '465': 'email',
  '587': 'email',
  '993': 'email',
  '995': 'email',
};
/** Scanners report by heartbeat, script or query: their name says what they are. */
const SCANNER = /scan|security|antivirus|firewall|vulnerab|intrusion/i;

type Asked = { readonly id: string; readonly name: string; readonly kind: string; readonly target: string };

export function areaOf({ id, name, kind, target }: Asked): CheckArea {
  const known = OF_KIND[kind];
  if (known !== undefined) return known;
  if (SCANNER.test(`${id} ${name}`)) return 'security';
  return (kind === 'tcp' ? OF_PORT[/:(\d+)$/.exec(target)?.[1] ?? ''] : undefined) ?? 'other';
}

type Teaching = { readonly word: string; readonly nothing: string };

/** In the order in which they stand; `other` only where there is one. */
export const AREAS: Readonly<Record<CheckArea, Teaching>> = {
  web: { word: t('Web'), nothing: t('No check asks a web server: add one of kind http, browser, websocket or grpc.') },
  database: { word: t('Databases'), nothing: t('No check asks a database: add one of kind postgresql, mysql, mongodb or redis.') },
  email: { word: t('Email'), nothing: t('No check asks a mail server: add one of kind smtp.') },
  security: {
    word: t('Security scanning'),
    nothing: t('No check looks at certificates (tls), domains (domain), or waits for a scanner to report (heartbeat).'),
  },
  other: { word: t('Other checks'), nothing: '' },
};
