import { z } from 'zod';
import { hostAndPort, httpUrl } from '../config/fields.ts';
import { tlsConfig } from '../tls/config.ts';
import { parseNetwork } from '../networks.ts';
import { FORWARDED_HEADERS } from './client-address.ts';
import { isLoopbackHost } from './guards.ts';
import { rateLimitsConfig } from './rates.ts';

const MAX_PROXIES = 100;

/** Everything between the socket and a route. */
export const serverConfig = z
  .strictObject({
    /** Loopback unless someone decides otherwise. */
    listen: hostAndPort.prefault('127.0.0.1:7070'),
    /** How people reach the server from outside; links in notifications start with it. */
    base_url: httpUrl.optional(),
    /** Serves /metrics without a token. */
    metrics_open: z.boolean().default(false),
    /** Speaks HTTPS itself. */
    tls: tlsConfig,
    /** Proxies in front whose word on the client's address is taken. */
    trusted_proxies: z
      .array(z.string().refine((text) => parseNetwork(text) !== undefined, 'write an address or a network, for example 10.0.0.0/8'))
      .max(MAX_PROXIES)
      .default([]),
    /** The header in which they say it. */
    forwarded_header: z.enum(FORWARDED_HEADERS).default('X-Forwarded-For'),
    /** Prometheus' admin API, and reloading over HTTP. */
    admin_api: z.boolean().default(false),
    rate_limits: rateLimitsConfig,
  })
  .prefault({});

type Listening = Pick<z.output<typeof serverConfig>, 'listen' | 'tls' | 'base_url'>;

/** Whether others on the network can read what people and programs send to this server. */
export const isOverheard = ({ listen, tls, base_url: url }: Listening): boolean =>
  !isLoopbackHost(listen.host.includes(':') ? `[${listen.host}]` : listen.host) && tls === undefined && url?.startsWith('https:') !== true;
