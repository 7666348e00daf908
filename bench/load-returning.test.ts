import t from 'tap';
import type { LoadSettings } from './load-messages.ts';
import { LoadReturning } from './load-returning.ts';

const GOING_AWAY = 'closed by the server, code 4500';

function returning(): { returns: LoadReturning; reopened: () => Promise<number> } {
  const settings = { connections: 4, connectsPerSecond: 1_000 } as LoadSettings;
  let onReopened: (connection: number) => void = () => {};
  const returns = new LoadReturning(settings, (connection) => onReopened(connection));
  const reopened = (): Promise<number> =>
    new Promise((resolve) => {
      onReopened = resolve;
    });
  return { returns, reopened };
}

t.test('a connection lost in a drill is opened again, and counted until it is served', async (t) => {
  const { returns, reopened } = returning();
  const first = reopened();
  returns.expect(1_000);
  t.ok(returns.take(2, GOING_AWAY, 1_010));
  t.equal(await first, 2);
  const second = reopened();
  t.ok(returns.take(2, 'connect ECONNREFUSED 127.0.0.1:1', 9_000), 'refused while the worker is replaced');
  t.equal(await second, 2);
  t.equal(returns.lost, 1, 'one loss');
  t.equal(returns.awaited, 1);
  returns.served(2, 9_510);
  t.equal(returns.awaited, 0);
  t.equal(returns.away.totalCount, 1);
  t.ok(Math.abs(returns.away.maxValue - 8_500_000) < 10_000, 'from the loss to the first quotes');
});

t.test('what no drill explains is a fault', async (t) => {
  const { returns, reopened } = returning();
  t.notOk(returns.take(0, GOING_AWAY, 1_000), 'without a drill');
  returns.expect(1_000);
  t.notOk(returns.take(0, 'closed by the server, code 4402', 1_010), 'thrown out');
  t.notOk(returns.take(0, 'an unexpected frame, first byte 1', 1_010), 'a wrong frame');
  t.notOk(returns.take(0, GOING_AWAY, 7_000), 'long after it');
  t.equal(returns.lost, 0);
  const first = reopened();
  t.ok(returns.take(1, 'read ECONNRESET', 1_020));
  t.equal(await first, 1);
  t.notOk(returns.take(1, 'connect ECONNREFUSED 127.0.0.1:1', 20_000), 'not back in time');
  t.equal(returns.awaited, 0, 'and not waited for any more');
});
