import t from 'tap';
import { MarketHours } from '../market/calendar.ts';
import { InstrumentTable } from '../market-data/instrument-table.ts';
import { generateInstrumentMaster } from './instrument-generator.ts';
import type { MarketDataBody } from './market-data-body.ts';
import {
  RECORD_HEAD_BYTES,
  RECORDING_HEADER_BYTES,
  RecordingReader,
  type RecordingSource,
  RecordingWriter,
} from './recording.ts';
import { Replay } from './replay.ts';
import { Simulation } from './simulation.ts';

const START = Date.parse('2026-01-01T09:15:00+05:30') * 1000;

function memorySource(bytes: Uint8Array, pieceBytes = Infinity): RecordingSource {
  let at = 0;
  return {
    read(into) {
      const length = Math.min(into.length, bytes.length - at, pieceBytes);
      into.set(bytes.subarray(at, at + length));
      at += length;
      return length;
    },
    rewind() {
      at = 0;
    },
  };
}

const textOf = (body: MarketDataBody): string =>
  `${String.fromCharCode(body.msgType)} ${body.tsMicros} ${new TextDecoder().decode(body.buffer.subarray(body.start, body.end))}`;

function record(seconds: number) {
  const master = generateInstrumentMaster({ seed: 1, madeUpCount: 50, from: '2026-01-01' });
  const table = new InstrumentTable(200);
  table.load(master, '2026-01-01');
  const chunks: Uint8Array[] = [];
  const bodies: string[] = [];
  let writer: RecordingWriter | undefined;
  const simulation = new Simulation(
    {
      seed: 1,
      table,
      startMicros: START,
      updatesPerSecond: 2_000,
      openBurstFactor: 2,
      marketHours: MarketHours.Always,
      ordersMax: 100_000,
    },
    {
      published(body) {
        bodies.push(textOf(body));
        writer?.write(body);
      },
    },
    { accepted() {}, traded() {}, canceled() {}, replaced() {} },
  );
  writer = new RecordingWriter((chunk) => chunks.push(chunk.slice()), table.count, simulation.clockMicros);
  for (let index = 0; index < table.count; index++) writer.write(simulation.snapshot(index));
  while (simulation.clockMicros < START + seconds * 1_000_000) {
    if (simulation.clockMicros === START + 500_000) simulation.setHalted(3, true);
    simulation.step(simulation.clockMicros + 5_000);
  }
  writer.flush();
  return { bytes: Buffer.concat(chunks), bodies, simulation, table };
}

const recorded = record(2);

t.test('what is read is what was written, however the bytes come', async (t) => {
  for (const pieceBytes of [Infinity, 7, 4_096]) {
    const reader = new RecordingReader(memorySource(recorded.bytes, pieceBytes));
    t.equal(reader.instrumentCount, recorded.table.count);
    t.equal(reader.firstMicros, START);
    for (let i = 0; i < reader.instrumentCount; i++) reader.next();
    let same = 0;
    const text = () =>
      `${String.fromCharCode(reader.msgType)} ${reader.tsMicros} ${new TextDecoder().decode(reader.buffer.subarray(reader.start, reader.end))}`;
    while (reader.next()) if (text() === recorded.bodies[same]) same++;
    t.equal(same, recorded.bodies.length, `pieces of ${pieceBytes}`);
  }
});

t.test('a damaged recording says what and where', async (t) => {
  const { bytes } = recorded;
  const read = (damaged: Uint8Array) => {
    const reader = new RecordingReader(memorySource(damaged));
    while (reader.next());
  };
  const changed = (offset: number, value: number) => {
    const copy = Uint8Array.from(bytes);
    copy[offset] = value;
    return copy;
  };
  t.throws(() => read(new Uint8Array(10)), { code: 'RECORDING_INVALID', message: /shorter than a header, at byte 10/ });
  t.throws(() => read(changed(2, 0)), { message: /does not begin with OUTCRYMD, at byte 2/ });
  t.throws(() => read(changed(8, 9)), { message: /version 9, this program reads 1/ });
  t.throws(() => read(changed(15, 255)), { message: /\d+ instruments, at byte 12/ });
  t.throws(() => read(changed(RECORDING_HEADER_BYTES + 3, 255)), { message: /a body of \d+ bytes, at byte 24/ });
  t.throws(() => read(changed(RECORDING_HEADER_BYTES + 4, 1)), { message: /MsgType 1 is not W, X or f/ });
  t.throws(() => read(bytes.subarray(0, bytes.length - 1)), { message: /cut off inside a body/ });
  t.throws(() => read(bytes.subarray(0, RECORDING_HEADER_BYTES + RECORD_HEAD_BYTES - 1)), {
    message: /cut off inside the head of a record/,
  });
});

t.test('a replay publishes the recording in its time, and its snapshots are of what was replayed', async (t) => {
  const replayed: string[] = [];
  const replay = new Replay(
    memorySource(recorded.bytes),
    { speed: 2, loop: false },
    { published: (body) => replayed.push(textOf(body)) },
  );
  const { table, simulation } = recorded;
  t.equal(replay.capacity, table.count);
  t.equal(replay.indexOfSymbol('NIFTY 50'), table.indexOfSymbol('NIFTY 50'));
  t.equal(replay.indexOfSymbol('NOWHERE'), -1);
  t.equal(replay.haltStatus(3), null);
  const begin = 5_000_000;
  replay.step(begin);
  replay.step(begin + 500_000);
  const half = replayed.length;
  t.ok(
    half > recorded.bodies.length * 0.3 && half < recorded.bodies.length * 0.7,
    'half after half of the time, at double speed',
  );
  replay.step(begin + 1_000_000);
  t.same(replayed, recorded.bodies);
  replay.step(begin + 1_100_000);
  t.equal(replay.ended, true);
  let different = 0;
  for (let index = 0; index < table.count; index++) {
    const own = textOf(simulation.snapshot(index)).replace(/^W \d+/, '');
    if (textOf(replay.snapshot(index)).replace(/^W \d+/, '') !== own) different++;
  }
  t.equal(different, 0);
  t.not(replay.haltStatus(3), null, 'halts are replayed too');
});

t.test('a looped replay begins again with the snapshots', async (t) => {
  let messages = 0;
  const replay = new Replay(memorySource(recorded.bytes), { speed: 1, loop: true }, { published: () => messages++ });
  replay.step(0);
  replay.step(1_900_000);
  t.ok(messages < recorded.bodies.length);
  replay.step(2_100_000);
  t.equal(
    messages,
    recorded.bodies.length + 1 + recorded.table.count,
    'the rest, the end of the halt, and the first moment again',
  );
  t.equal(replay.haltStatus(3), null);
  t.equal(replay.ended, false);
});

t.test('a recording without its snapshots is refused', async (t) => {
  const bytes = Uint8Array.from(recorded.bytes);
  new DataView(bytes.buffer).setUint32(12, recorded.table.count + 1, true);
  const open = () => new Replay(memorySource(bytes), { speed: 1, loop: false }, { published() {} });
  t.throws(open, { code: 'RECORDING_INVALID', message: /104 snapshots announced, 103 there/ });
});
