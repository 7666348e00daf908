import t from 'tap';
import { type ControlMap, decodeControl, encodeControl } from '../core/fan-out/control-codec.ts';
import { FrameType } from '../core/fan-out/wire.ts';
import {
  type OrderRecord,
  OrderRecordFlag,
  OrderRecordType,
  OrderRingReader,
  OrderRingWriter,
} from '../core/order-entry/order-ring.ts';
import { decodeCommand, decodeRead } from '../core/order-entry/ring-bodies.ts';
import { OrderWorkerState } from '../core/orders/order-worker-state.ts';
import { RefusalCode } from '../core/refusal-codes.ts';
import {
  ORDER_STATS_GENERATION,
  ORDER_STATS_STATE,
  ORDER_STATS_STRIDE_WORDS,
} from '../core/shm/generated/worker-stats.gen.ts';
import { spscRingByteLength } from '../core/shm/spsc-ring.ts';
import { WAKE_BELL_BYTES, WakeBell } from '../core/shm/wake-bell.ts';
import { CloseCode } from './close-codes.ts';
import { OrderDesk } from './order-desk.ts';
import { OrderLine } from './order-line.ts';
import type { TraderConnection } from './trader.ts';

const RING_BYTES = 8_192;
const NOW_MS = 1_790_000_000_000;

class FakeConnection implements TraderConnection {
  isCongested = false;
  closedWith: CloseCode | 0 = 0;
  #taken: ControlMap[] = [];

  reply(message: Uint8Array): void {
    t.equal(message[0], FrameType.Control);
    this.#taken.push({ ...decodeControl(message, 1)! });
  }

  close(code: CloseCode): void {
    this.closedWith = code;
  }

  take(): ControlMap[] {
    const taken = this.#taken;
    this.#taken = [];
    return taken;
  }
}

/** A desk, and the order worker's end of its rings in the test's hands. Tokens are `user:expiresMs`. */
function setUp() {
  const ring = () => new SharedArrayBuffer(spscRingByteLength(RING_BYTES));
  const bell = new WakeBell(new SharedArrayBuffer(WAKE_BELL_BYTES));
  const [commands, answers] = [ring(), ring()];
  const stats = new SharedArrayBuffer(ORDER_STATS_STRIDE_WORDS * 4);
  const numbers = new Float64Array(stats);
  numbers[ORDER_STATS_GENERATION >> 1] = 1;
  numbers[ORDER_STATS_STATE >> 1] = OrderWorkerState.Serving;
  const desk = new OrderDesk({
    line: new OrderLine(new OrderRingWriter(commands, RING_BYTES, bell), stats, 5),
    answers: new OrderRingReader(answers),
    generation: 5,
    verify: async (token) => {
      const [userId = 0, expiresMs = 0] = token.split(':').map(Number);
      if (!userId) return { code: RefusalCode.TokenInvalid, text: 'bad' };
      return { userId, expiresMs: expiresMs || NOW_MS + 60_000 };
    },
  });
  const asked = new OrderRingReader(commands);
  const out = new OrderRingWriter(answers, RING_BYTES, bell);
  const say = (change: Partial<OrderRecord>, map?: ControlMap): void => {
    const record = { ...asked.record, generation: 5, orderGeneration: 1, flags: 0, ...change };
    t.ok(out.write(record, map === undefined ? new Uint8Array(0) : encodeControl([FrameType.Control], map)));
    out.flush();
    desk.poll();
  };
  const next = (): OrderRecord & { body: Uint8Array } => {
    t.ok(asked.poll(), 'something was asked');
    return { ...asked.record, body: asked.body };
  };
  const quiet = (): void => void t.notOk(asked.poll(), 'nothing was asked');
  const logIn = async (connection: FakeConnection, token: string, seq: number): Promise<number> => {
    desk.receive(connection, { id: 1, action: 'login', token }, 1, NOW_MS);
    await Promise.resolve();
    await Promise.resolve();
    const login = next();
    t.equal(login.type, OrderRecordType.Login);
    say({ type: OrderRecordType.LoggedIn, seq }, { id: 1, action: 'loggedIn', userId: login.userId, seq });
    connection.take();
    return login.connection;
  };
  const event = (userId: number, seq: number): void => say({ type: OrderRecordType.Event, userId, seq }, { seq });
  return { desk, say, next, quiet, logIn, event, numbers };
}

t.test('a login gives the rights, and commands, reads and answers find their way', async (t) => {
  const { desk, next, quiet, logIn, say } = setUp();
  const connection = new FakeConnection();
  const ask = (request: ControlMap, requestID: number) => desk.receive(connection, request, requestID, NOW_MS);
  t.notOk(ask({ action: 'subscribe' }, 1), 'not about orders');
  t.ok(ask({ action: 'cancel', orderId: 5 }, 2));
  t.match(connection.take(), [{ id: 2, error: { code: 'NOT_AUTHENTICATED', refusal: 102 } }]);
  ask({ action: 'login', token: 7 }, 3);
  t.match(connection.take(), [{ id: 3, error: { code: 'BAD_FIELD', message: 'token must be a string' } }]);
  const number = await logIn(connection, '42', 9);
  ask({ action: 'cancel', orderId: 77 }, 4);
  const command = next();
  t.match(command, { type: OrderRecordType.Command, userId: 42, connection: number, requestID: 4, generation: 5 });
  const origin = { channel: 'fan-out-0', generation: 5, connection: number, requestID: 4 };
  t.same(decodeCommand(command.body, origin, 42), { type: 'cancel', orderID: 77, origin, userId: 42 });
  say({ type: OrderRecordType.Answer, requestID: 4 }, { id: 4, action: 'cancelRequested' });
  t.match(connection.take(), [{ id: 4, action: 'cancelRequested' }]);
  ask({ action: 'orders' }, 5);
  const read = next();
  t.equal(read.type, OrderRecordType.Read);
  t.same(decodeRead(read.body), { kind: 'orders', from: 0, limit: 50 });
  ask({ action: 'cancel', orderId: 0.5 }, 6);
  t.match(connection.take(), [{ id: 6, error: { code: 'BAD_FIELD', refusal: 101, message: /orderId is 0.5/ } }]);
  quiet();
  say({ type: OrderRecordType.Answer, requestID: 4, generation: 4 }, { id: 4 });
  say({ type: OrderRecordType.Answer, requestID: 4, connection: number + 1 }, { id: 4 });
  t.strictSame(connection.take(), [], 'answers of a former worker, and to others, are nobody’s');
  desk.closed(connection);
  t.match(next(), { type: OrderRecordType.Leave, userId: 42 });
  say({ type: OrderRecordType.Answer, requestID: 5, connection: number }, { id: 5 });
  t.strictSame(connection.take(), [], 'it has gone');
});

t.test('refused logins, another user, a token that expires', async (t) => {
  const { desk, next, quiet, logIn, say } = setUp();
  const connection = new FakeConnection();
  const logInAgain = async (token: string) => {
    desk.receive(connection, { action: 'login', token }, 1, NOW_MS);
    await Promise.resolve();
    await Promise.resolve();
  };
  await logInAgain('nobody');
  t.match(connection.take(), [{ error: { code: 'TOKEN_INVALID', refusal: 103 } }]);
  await logInAgain('41');
  next();
  desk.receive(connection, { action: 'login', token: '41' }, 2, NOW_MS);
  t.match(connection.take(), [{ id: 2, error: { code: 'BAD_REQUEST' } }], 'one at a time');
  say({ type: OrderRecordType.LoggedIn, flags: OrderRecordFlag.Refused }, { id: 1, error: {} });
  desk.receive(connection, { action: 'funds' }, 3, NOW_MS);
  t.match(connection.take(), [{ id: 1 }, { id: 3, error: { refusal: 102 } }], 'no rights from a refused login');
  await logIn(connection, `42:${NOW_MS + 10}`, 0);
  await logInAgain('43');
  t.match(connection.take(), [{ error: { code: 'NOT_AUTHENTICATED', message: /another user’s/ } }]);
  quiet();
  desk.receive(connection, { action: 'funds' }, 4, NOW_MS + 10);
  t.match(connection.take(), [{ id: 4, error: { code: 'TOKEN_EXPIRED', refusal: 104 } }]);
  t.match(next(), { type: OrderRecordType.Leave, userId: 42 });
  await logIn(connection, `42:${NOW_MS + 20}`, 0);
  desk.onTimer(NOW_MS + 20);
  t.match(connection.take(), [{ error: { code: 'TOKEN_EXPIRED' } }], 'told without a request too');
});

t.test('every socket of a user is told every event once, whatever was lost on the way', async (t) => {
  const { desk, next, quiet, logIn, say, event, numbers } = setUp();
  const [one, two, other] = [new FakeConnection(), new FakeConnection(), new FakeConnection()];
  await logIn(one, '42', 3);
  await logIn(two, '42', 3);
  await logIn(other, '43', 0);
  event(42, 4);
  t.match([one.take(), two.take()], [[{ seq: 4 }], [{ seq: 4 }]]);
  t.same(other.take(), []);

  // 5 was lost.
  event(42, 6);
  const fills = [next(), next()];
  for (const fill of fills) {
    t.match(fill, { type: OrderRecordType.Fill, userId: 42, seq: 4 });
    for (const seq of [5, 6]) say({ ...fill, type: OrderRecordType.Filled, seq }, { seq });
    say({ ...fill, type: OrderRecordType.FillEnd, seq: 6 });
  }
  t.match(
    [one.take(), two.take()],
    [
      [{ seq: 5 }, { seq: 6 }],
      [{ seq: 5 }, { seq: 6 }],
    ],
  );

  // A socket that is full gets no more until it has room.
  one.isCongested = true;
  event(42, 7);
  event(42, 8);
  t.match([one.take(), two.take()], [[{ seq: 7 }], [{ seq: 7 }, { seq: 8 }]]);
  quiet();
  one.isCongested = false;
  desk.drained(one);
  const fill = next();
  t.equal(fill.seq, 7);
  say({ ...fill, type: OrderRecordType.Filled, seq: 8 }, { seq: 8 });
  say({ ...fill, type: OrderRecordType.FillEnd, seq: 8 });
  t.match(one.take(), [{ seq: 8 }]);

  desk.receive(two, { action: 'resume', fromSeq: 99 }, 8, NOW_MS);
  t.match(two.take(), [{ id: 8, error: { code: 'BAD_FIELD', message: /from 0 to 8/ } }]);
  desk.receive(two, { action: 'resume', fromSeq: 2 }, 9, NOW_MS);
  t.match(two.take(), [{ id: 9, action: 'resumed', fromSeq: 2, seq: 8 }]);
  t.match(next(), { type: OrderRecordType.Fill, seq: 2 });

  // The order worker finds no room for more, an answer among it.
  desk.receive(one, { action: 'funds' }, 10, NOW_MS);
  next();
  say({ type: OrderRecordType.Behind, userId: 42, seq: 12, flags: OrderRecordFlag.AnswersLost });
  t.equal(one.closedWith, CloseCode.TooSlow, 'its answer is lost');
  t.equal(two.closedWith, 0);
  t.match([next(), next()], [{ seq: 8 }, { type: OrderRecordType.Fill, seq: 2 }], 'asked again');
  event(44, 1);
  t.match(next(), { type: OrderRecordType.Leave, userId: 44 }, 'nobody here is that user');

  // The order worker is replaced.
  desk.receive(other, { action: 'funds' }, 11, NOW_MS);
  next();
  numbers[ORDER_STATS_GENERATION >> 1] = 2;
  numbers[ORDER_STATS_STATE >> 1] = OrderWorkerState.Starting;
  desk.onTimer(NOW_MS);
  t.match(other.take(), [{ id: 11, error: { code: 'NOT_SERVING', refusal: 106 } }]);
  desk.receive(other, { action: 'funds' }, 12, NOW_MS);
  t.match(other.take(), [{ id: 12, error: { code: 'NOT_SERVING' } }]);
  quiet();
  numbers[ORDER_STATS_STATE >> 1] = OrderWorkerState.Serving;
  desk.onTimer(NOW_MS);
  const again = [next(), next(), next()];
  t.strictSame(
    again.map(({ type, userId, seq, orderGeneration }) => [type, userId, seq, orderGeneration]),
    [
      [OrderRecordType.Fill, 42, 8, 2],
      [OrderRecordType.Fill, 42, 2, 2],
      [OrderRecordType.Fill, 43, 0, 2],
    ],
    'everybody asks the new one for what is missing',
  );
});

t.test('a full ring refuses, and the cursor asks again', async (t) => {
  const { desk, logIn, next, event } = setUp();
  const connection = new FakeConnection();
  await logIn(connection, '42', 0);
  let asked = 0;
  while (connection.take().length === 0) desk.receive(connection, { action: 'funds' }, asked++, NOW_MS);
  t.ok(asked > 20);
  event(42, 2);
  for (let i = 1; i < asked; i++) t.equal(next().type, OrderRecordType.Read);
  desk.onTimer(NOW_MS);
  t.match(next(), { type: OrderRecordType.Fill, seq: 0 });
});
