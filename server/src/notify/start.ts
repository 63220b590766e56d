import type { ChannelDeps } from './kind.ts';
import { Channels, type FileChannels, type MadeDeps } from './made/service.ts';
import { type PushSubscriptions, openPushBook } from './webpush/subscriptions.ts';

type Parts = Omit<MadeDeps, 'ways'> &
  Parameters<typeof openPushBook>[0] & { readonly ways: Pick<ChannelDeps, 'clock' | 'request' | 'connect' | 'run'> };

/** The channels that there are, of the file and made here, and the browsers that asked for messages. */
export async function openChannelBook(
  parts: Parts,
  file: FileChannels,
): Promise<{ readonly channels: Channels; readonly push: PushSubscriptions }> {
  const push = await openPushBook(parts);
  const ways = { ...parts, ...parts.ways, push, write: (text: string) => void process.stdout.write(text) };
  const channels = new Channels({ ...parts, ways }, file);
  await channels.load();
  return { channels, push };
}
