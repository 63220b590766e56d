import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HOSTILE, alertOf, attemptOf, openOne, startProvider } from '../testing/provider.ts';

it('opsgenie: creates, acknowledges and closes one alert per group, within the limits', async (t) => {
  const provider = await startProvider(t);
  provider.answer = (response) => void response.writeHead(202).end('{"result":"Request will be processed","requestId":"r-1"}');
  const channel = openOne(t, { kind: 'opsgenie', api_key: 'k', api_url: provider.url, teams: ['ops'] });
  const first = await channel.deliver(attemptOf([HOSTILE]));
  await channel.deliver(attemptOf(undefined, { reason: 'acknowledged' }));
  await channel.deliver(attemptOf([alertOf({ status: 'resolved' })]));
  const [made, acknowledged, closed] = provider.got;
  const alert = made?.json as unknown as { message: string; alias: string; description: string; priority: string; responders: unknown };
  assert.equal(made?.headers['authorization'], 'GenieKey k');
  assert.ok(alert.message.length <= 130 && alert.description.length <= 15_000);
  assert.deepEqual([alert.priority, alert.responders], ['P2', [{ type: 'team', name: 'ops' }]]);
  assert.equal(acknowledged?.path, `/v2/alerts/${alert.alias}/acknowledge?identifierType=alias`);
  assert.deepEqual(first, { kind: 'delivered', receipt: 'r-1', thread: alert.alias });
  assert.equal(closed?.path, `/v2/alerts/${alert.alias}/close?identifierType=alias`);
});
