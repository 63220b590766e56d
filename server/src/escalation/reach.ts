/** Who a level's targets are at an instant. */
import type { Directory, Reachable, Target } from './contract.ts';
import { type Reached, type Recipient, keyOf } from './evaluate.ts';

/** Nobody is named twice. What stands in the way of a target is a note, never an exception: somebody is to be woken. */
export function reach(targets: readonly Target[], world: { directory: Directory; channels: readonly string[]; nowMs: number }): Reached {
  const { directory, channels, nowMs } = world;
  const recipients = new Map<string, Recipient>();
  const notes: string[] = [];
  const add = (one: Recipient): void => {
    if (!channels.includes(one.channel)) notes.push(`the channel ${one.channel} does not exist`);
    else if (!recipients.has(keyOf(one))) recipients.set(keyOf(one), one);
  };
  const addPerson = ({ name, contacts }: Reachable, via: string): void => {
    if (contacts.length === 0) notes.push(`${name} has no contact`);
    for (const { channel, to } of contacts) add({ channel, to: to ?? null, who: `${name} by ${channel}${via}` });
  };
  for (const target of targets) {
    if (target.kind === 'channel')
      add({
        channel: target.channel,
        to: target.to ?? null,
        who: target.to === undefined ? target.channel : `${target.to} by ${target.channel}`,
      });
    else if (target.kind === 'channels') for (const channel of channels) add({ channel, to: null, who: channel });
    else if (target.kind === 'person') {
      const person = directory.person(target.person);
      if (person === undefined) notes.push(`there is no person ${target.person}`);
      else addPerson(person, '');
    } else {
      const { people, reason } = directory.whoAt(target.schedule, nowMs);
      if (people.length === 0) notes.push(`nobody is on call in ${target.schedule}: ${reason}`);
      for (const person of people) addPerson(person, ` (on call in ${target.schedule})`);
    }
  }
  return { recipients: [...recipients.values()], notes };
}
