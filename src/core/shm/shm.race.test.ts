/**
 * Two threads on each structure of the shared memory. Every observation falls into one of the outcomes that the
 * structure's memory-order argument permits; each test lists them, counts them, and fails on any other.
 */
import { Worker, workerData } from 'node:worker_threads';
import t from 'tap';
import { QuoteBoardReader, QuoteBoardWriter, quoteBoardByteLength } from '../market-data/quote-board.ts';
import { BroadcastRingProducer, BroadcastRingReader, broadcastRingByteLength } from './broadcast-ring.ts';
import { DirtyBitmapReader, DirtyBitmapWriter, dirtyBitmapByteLength } from './dirty-bitmap.ts';
import {
  QUOTE_SLOT_ASK_PAISE,
  QUOTE_SLOT_BID_PAISE,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_STRIDE_WORDS,
  QUOTE_SLOT_VOLUME,
} from './generated/quote-slot.gen.ts';
import { RING_EMPTY, RING_FULL, SpscRingConsumer, SpscRingProducer, spscRingByteLength } from './spsc-ring.ts';

const SPSC_RECORDS = 300_000;
const BROADCAST_RECORDS = 300_000;
const BROADCAST_WORDS = 8;
const BOARD_UPDATES = 300_000;
const BOARD_CAPACITY = 64;

interface Wiring {
  readonly race: keyof typeof writers;
  /** Word 0: 1 when the reader is ready; word 1: 1 when the writer is done. */
  readonly gate: SharedArrayBuffer;
  readonly memory: SharedArrayBuffer;
  readonly dirty: SharedArrayBuffer;
}

const writers = {
  spsc(wiring: Wiring): void {
    const producer = new SpscRingProducer(wiring.memory);
    for (let i = 1; i <= SPSC_RECORDS; ) {
      const words = i % 7;
      const at = producer.claim(1 + (i % 3), words * 4);
      if (at === RING_FULL) {
        producer.publish();
        continue;
      }
      for (let w = 0; w < words; w++) producer.words[at + w] = i + w;
      if (i % 5 === 0) producer.publish();
      i++;
    }
    producer.publish();
  },
  broadcast(wiring: Wiring): void {
    const producer = new BroadcastRingProducer(wiring.memory, BROADCAST_WORDS);
    for (let i = 1; i <= BROADCAST_RECORDS; i++) {
      producer.record.fill(i);
      producer.publish();
    }
  },
  board(wiring: Wiring): void {
    const writer = new QuoteBoardWriter(wiring.memory, BOARD_CAPACITY, [
      new DirtyBitmapWriter(wiring.dirty, BOARD_CAPACITY),
    ]);
    for (let i = 1; i <= BOARD_UPDATES; i++) {
      writer.open(i % BOARD_CAPACITY);
      writer.setI32(QUOTE_SLOT_BID_PAISE, i);
      writer.setI32(QUOTE_SLOT_ASK_PAISE, -i);
      writer.setI32(QUOTE_SLOT_LAST_PAISE, i ^ 0x5555);
      writer.setF64(QUOTE_SLOT_VOLUME, i * 2 ** 33 + i);
      writer.setBidLevel(0, i, -i, i ^ 0x5555);
      // The arrival of update i is i.
      writer.close(i);
    }
  },
};

if (workerData !== null && typeof workerData === 'object' && 'race' in workerData) {
  const wiring = workerData as Wiring;
  const gate = new Int32Array(wiring.gate);
  Atomics.wait(gate, 0, 0);
  writers[wiring.race](wiring);
  Atomics.store(gate, 1, 1);
} else {
  await readers();
}

/** Starts the writer's thread, lets it go, and reads until it is done and nothing is left. */
async function race(name: Wiring['race'], memory: SharedArrayBuffer, dirty: SharedArrayBuffer, read: () => boolean) {
  const gate = new SharedArrayBuffer(8);
  const gateWords = new Int32Array(gate);
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { race: name, gate, memory, dirty } satisfies Wiring,
  });
  const ended = new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
  Atomics.store(gateWords, 0, 1);
  // The writer may not wait yet: notify until it runs.
  await new Promise<void>((resolve) => worker.once('online', resolve));
  Atomics.notify(gateWords, 0);
  for (;;) {
    const done = Atomics.load(gateWords, 1) === 1;
    if (!read() && done) break;
  }
  await ended;
}

async function readers(): Promise<void> {
  const none = new SharedArrayBuffer(8);

  await t.test('spsc ring: every record, once, in order, whole', async (t) => {
    // Permitted: nothing there yet; the next record, whole. Nothing else.
    const memory = new SharedArrayBuffer(spscRingByteLength(1024));
    const consumer = new SpscRingConsumer(memory);
    let next = 1;
    let wrong = 0;
    await race('spsc', memory, none, () => {
      const at = consumer.poll();
      if (at === RING_EMPTY) return false;
      const words = next % 7;
      if (consumer.type !== 1 + (next % 3) || consumer.lengthBytes !== words * 4) wrong++;
      for (let w = 0; w < words; w++) if (consumer.words[at + w] !== next + w) wrong++;
      if (next % 3 === 0) consumer.release();
      next++;
      return true;
    });
    t.equal(next - 1, SPSC_RECORDS);
    t.equal(wrong, 0);
  });

  await t.test('broadcast ring: whole, newer than the last, or counted as lost', async (t) => {
    // Permitted: nothing there yet; a whole record, newer by one; a whole record, newer by one and the lost count's growth.
    const memory = new SharedArrayBuffer(broadcastRingByteLength(BROADCAST_WORDS, 64));
    const reader = new BroadcastRingReader(memory, BROADCAST_WORDS);
    let last = 0;
    let lost = 0;
    let taken = 0;
    let wrong = 0;
    await race('broadcast', memory, none, () => {
      if (!reader.poll()) return false;
      const value = reader.record[0]!;
      for (let w = 1; w < BROADCAST_WORDS; w++) if (reader.record[w] !== value) wrong++;
      if (value - last !== 1 + reader.lostCount - lost) wrong++;
      last = value;
      lost = reader.lostCount;
      taken++;
      return true;
    });
    t.equal(wrong, 0);
    t.equal(last, BROADCAST_RECORDS);
    t.equal(taken + lost, BROADCAST_RECORDS);
    t.comment(`${taken} taken, ${lost} lost`);
  });

  await t.test('quote board: one update or busy; no change lost; no age understated', async (t) => {
    // Permitted for a slot: busy, its bit is kept; a copy of one update, at least as new as the bit that announced it.
    // Permitted for an arrival: that of the oldest change not taken before, or an older one.
    const memory = new SharedArrayBuffer(quoteBoardByteLength(BOARD_CAPACITY));
    const dirtyMemory = new SharedArrayBuffer(dirtyBitmapByteLength(BOARD_CAPACITY));
    const board = new QuoteBoardReader(memory, BOARD_CAPACITY);
    const dirty = new DirtyBitmapReader(dirtyMemory, BOARD_CAPACITY);
    const slot = new Int32Array(QUOTE_SLOT_STRIDE_WORDS);
    const slotF64 = new Float64Array(slot.buffer);
    const pending = new Int32Array(BOARD_CAPACITY / 32);
    const taken = new Int32Array(BOARD_CAPACITY);
    const arrivals = new Int32Array(BOARD_CAPACITY);
    let torn = 0;
    let older = 0;
    let understated = 0;
    let busy = 0;
    let read = 0;
    await race('board', memory, dirtyMemory, () => {
      let any = false;
      for (let w = 0; w < pending.length; w++) {
        const bits = dirty.takeQuoteWord(w);
        for (let bit = 0; bit < 32; bit++) {
          if ((bits & (1 << bit)) !== 0 && (pending[w]! & (1 << bit)) === 0)
            arrivals[w * 32 + bit] = dirty.arrivals[bit]!;
        }
        pending[w]! |= bits;
        for (let bit = 0; bit < 32; bit++) {
          if ((pending[w]! & (1 << bit)) === 0) continue;
          any = true;
          const index = w * 32 + bit;
          if (!board.readQuote(index, slot, 0)) {
            busy++;
            continue;
          }
          pending[w]! &= ~(1 << bit);
          read++;
          const i = slot[QUOTE_SLOT_BID_PAISE]!;
          if (
            slot[QUOTE_SLOT_ASK_PAISE] !== -i ||
            slot[QUOTE_SLOT_LAST_PAISE] !== (i ^ 0x5555) ||
            slotF64[QUOTE_SLOT_VOLUME >> 1] !== i * 2 ** 33 + i ||
            i % BOARD_CAPACITY !== index
          ) {
            torn++;
          }
          if (i < taken[index]!) older++;
          // The instrument's first change after the update read last came one round of all instruments later.
          const oldestUnread = taken[index] === 0 ? index || BOARD_CAPACITY : taken[index]! + BOARD_CAPACITY;
          if (i > taken[index]! && arrivals[index]! > oldestUnread) understated++;
          taken[index] = i;
        }
      }
      return any;
    });
    t.equal(torn, 0, 'no copy of two updates');
    t.equal(older, 0, 'no slot goes back');
    t.equal(understated, 0, 'no arrival newer than the oldest unread change');
    const last = Array.from({ length: BOARD_CAPACITY }, (_, index) => {
      const rest = BOARD_UPDATES % BOARD_CAPACITY;
      return BOARD_UPDATES - rest - (index <= rest ? 0 : BOARD_CAPACITY) + index;
    });
    t.same([...taken], last, 'the last update of every instrument was seen');
    t.comment(`${read} slots read, ${busy} busy, of ${BOARD_UPDATES} updates`);
  });
}
