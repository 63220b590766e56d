import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';

const WORKER = '/push-worker.js';
const KEY = ['push', 'subscription'];

/** Browsers push to pages that came over TLS, or from this computer itself. */
const canPush = (): boolean => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

async function current(): Promise<PushSubscription | null> {
  if (!canPush()) return null;
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Whether this browser has asked for pushes. */
export const usePushed = () =>
  useQuery({ queryKey: KEY, queryFn: async () => (await current()) !== null, staleTime: Number.POSITIVE_INFINITY });

async function switchOn(channel: string): Promise<void> {
  if (!canPush()) throw new Error('This browser takes no pushes here; they need an address that begins with https://.');
  if ((await Notification.requestPermission()) !== 'granted') throw new Error('The browser does not allow notices from this address.');
  const registration = await navigator.serviceWorker.register(WORKER);
  await navigator.serviceWorker.ready;
  const { public_key: key } = await request<{ readonly public_key: string }>('/api/push');
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = subscription.toJSON();
  await request(`/api/channels/${encodeURIComponent(channel)}/subscriptions`, { method: 'POST', body: { endpoint, keys } });
}

async function switchOff(channel: string): Promise<void> {
  const subscription = await current();
  if (subscription === null) return;
  const { endpoint } = subscription;
  await request(`/api/channels/${encodeURIComponent(channel)}/unsubscribe`, { method: 'POST', body: { endpoint } });
  await subscription.unsubscribe();
}

/** Asks for the pushes of a channel in this browser, or ends them. */
export function useSwitchPush() {
  const client = useQueryClient();
  return useMutation<void, Error, { readonly channel: string; readonly on: boolean }>({
    mutationFn: ({ channel, on }) => (on ? switchOn(channel) : switchOff(channel)),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  });
}
