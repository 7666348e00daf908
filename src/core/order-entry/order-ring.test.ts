import t from 'tap';
import { spscRingByteLength } from '../shm/spsc-ring.ts';
import { WAKE_BELL_BYTES, WakeBell } from '../shm/wake-bell.ts';
import { type OrderRecord, OrderRecordType, OrderRingReader, OrderRingWriter } from './order-ring.ts';

const RING_BYTES = 1_024;

function make() {
  const buffer = new SharedArrayBuffer(spscRingByteLength(RING_BYTES));
  const bell = new WakeBell(new SharedArrayBuffer(WAKE_BELL_BYTES));
  return { buffer, bell, writer: new OrderRingWriter(buffer, RING_BYTES, bell), reader: new OrderRingReader(buffer) };
}

const record: OrderRecord = {
  type: OrderRecordType.Command,
  generation: 3,
  orderGeneration: 2,
  connection: 4_000_000_000,
  flags: 1,
  requestID: -1,
  userId: 2 ** 53 - 1,
  seq: 2 ** 40,
};

t.test('records with bodies of every length come out as they went in, and only after a flush', async (t) => {
  const { writer, reader } = make();
  for (let length = 0; length < 400; length++) {
    const body = Uint8Array.from({ length }, (_, i) => (i + length) & 0xff);
    t.ok(writer.write({ ...record, seq: length }, body));
    t.notOk(reader.poll());
    writer.flush();
    t.ok(reader.poll());
    t.strictSame({ ...reader.record }, { ...record, seq: length });
    t.strictSame(reader.body, body);
    t.notOk(reader.poll());
  }
});

t.test('a full ring says so and takes nothing; room comes back with each record taken', async (t) => {
  const { writer, reader } = make();
  const body = new Uint8Array(60);
  let written = 0;
  while (writer.write({ ...record, seq: written }, body)) written++;
  writer.flush();
  t.ok(written > 5);
  t.notOk(writer.write(record, new Uint8Array(RING_BYTES)), 'one that never fits');
  for (let i = 0; i < 3; i++) t.ok(reader.poll());
  t.ok(writer.write({ ...record, seq: written++ }, body));
  writer.flush();
  let seq = 3;
  while (reader.poll()) t.equal(reader.record.seq, seq++);
  t.equal(seq, written);
});

t.test('what was taken is not met again by the next reader', async (t) => {
  const { buffer, writer, reader } = make();
  for (let seq = 0; seq < 3; seq++) writer.write({ ...record, seq });
  writer.flush();
  t.ok(reader.poll());
  const next = new OrderRingReader(buffer);
  t.ok(next.poll());
  t.equal(next.record.seq, 1);
});

t.test('a bell wakes the sleeper once, and not one who is awake', async (t) => {
  const { bell, writer } = make();
  // Who sleeps on a bell does not keep a thread alive.
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(alive));
  bell.ring();
  const sleeping = bell.sleep(10_000);
  t.ok(sleeping instanceof Promise);
  writer.write(record);
  writer.flush();
  t.equal(await sleeping, 'ok');
  t.equal(await bell.sleep(1), 'timed-out');
});
