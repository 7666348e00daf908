import t from 'tap';
import { createFanOutFixture } from '../core/fan-out/fan-out-fixture.ts';
import { type QuoteSink, SendStatus } from '../core/fan-out/subscriber.ts';
import { QuoteMode } from '../core/fan-out/wire.ts';
import { QUOTE_SLOT_LAST_PAISE } from '../core/shm/generated/quote-slot.gen.ts';
import { FanOutLoop } from './fan-out-loop.ts';

const START_MS = 1_790_000_000_000;
const CONNECTIONS = 400;

/** Plays one tick to many connections on a clock that moves with the work alone: a send takes 1 ms, the answers of a turn as given. */
async function sendsByTurn(answersMs: number): Promise<number[]> {
  const { fanOut, board, stats } = createFanOutFixture({ maxConnections: CONNECTIONS });
  let clockMs = START_MS;
  let isPlaying = false;
  const turns: number[] = [];
  const sink: QuoteSink = {
    sendQuotes() {
      if (isPlaying) {
        clockMs++;
        turns[turns.length - 1]!++;
      }
      return SendStatus.Sent;
    },
  };
  const subscribers = Array.from({ length: CONNECTIONS }, () => fanOut.connect(sink, false));
  for (const subscriber of subscribers) fanOut.subscribe(subscriber, [0], QuoteMode.Ltp, clockMs * 1_000);
  while (!fanOut.flush(CONNECTIONS, clockMs));
  for (const subscriber of subscribers) fanOut.acknowledge(subscriber, subscriber.lastTick);
  board.open(0);
  board.setI32(QUOTE_SLOT_LAST_PAISE, 100);
  board.close((clockMs * 1_000) | 0);
  const loop = new FanOutLoop({ fanOut, stats, tickMs: 100_000, nowMs: () => clockMs });
  isPlaying = true;
  loop.start({
    flush() {
      turns.push(0);
      clockMs += answersMs;
    },
  });
  while (turns.reduce((sum, sends) => sum + sends, 0) < CONNECTIONS) await new Promise(setImmediate);
  loop.stop();
  return turns.filter((sends) => sends > 0);
}

t.test('a turn is short while sockets want little, and as long as they were when they want much', async (t) => {
  const calm = await sendsByTurn(0);
  t.ok(calm.length > 10, 'one batch a turn');
  t.ok(Math.max(...calm) <= 32);
  const stormy = await sendsByTurn(40);
  t.ok(Math.min(...stormy.slice(0, -1)) >= 40, 'half of the time is for those who are connected');
  const swamped = await sendsByTurn(10_000);
  t.ok(Math.max(...swamped) <= 50 + 32, 'but a turn is bounded');
});
