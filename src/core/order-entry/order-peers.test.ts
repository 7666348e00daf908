import t from 'tap';
import type { CommandOrigin } from '../orders/order-command.ts';
import { spscRingByteLength } from '../shm/spsc-ring.ts';
import { WAKE_BELL_BYTES, WakeBell } from '../shm/wake-bell.ts';
import { OrderPeers } from './order-peers.ts';
import { type OrderRecord, OrderRecordFlag, OrderRecordType, OrderRingReader, OrderRingWriter } from './order-ring.ts';

const RING_BYTES = 2_048;
const MESSAGE = new Uint8Array(100);

/** Two fan-out workers, whose ends of the rings are the test's. */
function setUp() {
  const bell = () => new WakeBell(new SharedArrayBuffer(WAKE_BELL_BYTES));
  const ring = () => new SharedArrayBuffer(spscRingByteLength(RING_BYTES));
  const rings = [0, 1].map(() => ({ commands: ring(), answers: ring(), bell: bell() }));
  const asked: [string, CommandOrigin, number, ...unknown[]][] = [];
  const peers = new OrderPeers(
    rings,
    RING_BYTES,
    2,
    {
      onCommand: (origin, userId, body) => void asked.push(['command', origin, userId, body.length]),
      onRead: (origin, userId) => void asked.push(['read', origin, userId]),
      onLogin: (origin, userId) => void asked.push(['login', origin, userId]),
      onFill: (origin, userId, seq) => void asked.push(['fill', origin, userId, seq]),
    },
    () => 99,
  );
  const writers = rings.map(({ commands }) => new OrderRingWriter(commands, RING_BYTES, bell()));
  const readers = rings.map(({ answers }) => new OrderRingReader(answers));
  const say = (worker: number, change: Partial<OrderRecord>, body?: Uint8Array): void => {
    const record = {
      type: OrderRecordType.Command,
      generation: 1,
      orderGeneration: 2,
      connection: 7,
      flags: 0,
      requestID: 3,
      userId: 42,
      seq: 0,
    };
    writers[worker]!.write({ ...record, ...change }, body);
    writers[worker]!.flush();
    peers.poll();
  };
  const heard = (worker: number): OrderRecord[] => {
    peers.flush();
    const records: OrderRecord[] = [];
    for (const reader = readers[worker]!; reader.poll(); ) records.push({ ...reader.record });
    return records;
  };
  return { peers, asked, say, heard };
}

t.test('what is asked comes with who asked, and the answer goes back there', async (t) => {
  const { peers, asked, say, heard } = setUp();
  say(1, { type: OrderRecordType.Login, connection: 8 });
  say(1, { requestID: -1 }, MESSAGE);
  say(0, { type: OrderRecordType.Fill, seq: 5, userId: 43 });
  const origin = { channel: 'fan-out-1', generation: 1, connection: 8, requestID: 3 };
  t.match(asked, [
    ['login', origin, 42],
    ['command', { ...origin, connection: 7, requestID: -1 }, 42, 100],
    ['fill', { channel: 'fan-out-0' }, 43, 5],
  ]);
  peers.loggedIn(origin, 42, 11, MESSAGE);
  t.match(heard(1), [{ type: OrderRecordType.LoggedIn, connection: 8, requestID: 3, userId: 42, seq: 11, flags: 0 }]);
  t.ok(peers.isFollowed(42));
  t.notOk(peers.isFollowed(44));
  peers.push(42, 12, MESSAGE);
  peers.push(43, 1, MESSAGE);
  t.match([heard(0), heard(1)], [[{ userId: 43, seq: 1 }], [{ type: OrderRecordType.Event, userId: 42, seq: 12 }]]);
  say(1, { type: OrderRecordType.Leave });
  peers.push(42, 13, MESSAGE);
  t.strictSame(heard(1), []);
});

t.test('records of and for workers that are no more are dropped', async (t) => {
  const { peers, asked, say, heard } = setUp();
  say(0, { orderGeneration: 1 });
  t.strictSame(asked, []);
  say(0, { type: OrderRecordType.Fill });
  const [[, origin]] = asked as [[string, CommandOrigin, number]];
  t.ok(peers.isFollowed(42));
  say(0, { generation: 2, type: OrderRecordType.Read });
  t.notOk(peers.isFollowed(42), 'the new worker has not asked for it');
  say(0, { generation: 1, type: OrderRecordType.Fill });
  t.equal(asked.length, 2);
  peers.answer(origin, 42, MESSAGE);
  t.notOk(peers.filled(origin, 42, 1, MESSAGE));
  t.strictSame(heard(0), [], 'the old one hears nothing');
});

t.test('a full ring never blocks: whoever missed something is told when there is room', async (t) => {
  const { peers, say, heard, asked } = setUp();
  say(0, { type: OrderRecordType.Fill });
  const [[, origin]] = asked as [[string, CommandOrigin, number]];
  for (let seq = 1; seq <= 100; seq++) peers.push(42, seq, MESSAGE);
  peers.answer(origin, 42, MESSAGE);
  peers.flush();
  t.ok(peers.behindCount > 50);
  const told = [...heard(0), ...heard(0)];
  t.match(told.pop(), { type: OrderRecordType.Behind, userId: 42, seq: 99, flags: OrderRecordFlag.AnswersLost });
  t.ok(told.length > 5 && told.every(({ type, seq }, i) => type === OrderRecordType.Event && seq === i + 1));
  t.strictSame(heard(0), [], 'once');
  peers.push(42, 101, MESSAGE);
  t.match(heard(0), [{ type: OrderRecordType.Event, seq: 101, flags: 0 }]);
});
