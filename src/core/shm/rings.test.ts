import t from 'tap';
import { BroadcastRingProducer, BroadcastRingReader, broadcastRingByteLength } from './broadcast-ring.ts';
import { bitmapWords, DirtyBitmapReader, DirtyBitmapWriter, dirtyBitmapByteLength } from './dirty-bitmap.ts';
import {
  maxRecordBytes,
  RING_EMPTY,
  RING_FULL,
  SpscRingConsumer,
  SpscRingProducer,
  spscRingByteLength,
} from './spsc-ring.ts';

/** xorshift32: enough for tests, and the seed replays them. */
function random(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

t.test('spsc ring', async (t) => {
  const make = (capacityBytes: number) => {
    const buffer = new SharedArrayBuffer(spscRingByteLength(capacityBytes));
    return { buffer, producer: new SpscRingProducer(buffer), consumer: new SpscRingConsumer(buffer) };
  };

  t.test('what is claimed is seen only after publish', async (t) => {
    const { producer, consumer } = make(256);
    const at = producer.claim(7, 8);
    producer.words[at] = 41;
    producer.words[at + 1] = 42;
    t.equal(consumer.poll(), RING_EMPTY);
    producer.publish();
    const got = consumer.poll();
    t.same([consumer.type, consumer.lengthBytes, consumer.words[got], consumer.words[got + 1]], [7, 8, 41, 42]);
    t.equal(consumer.poll(), RING_EMPTY);
  });

  t.test('a full ring refuses, counts, and takes again what was released', async (t) => {
    const { producer, consumer } = make(64);
    for (let i = 0; i < 4; i++) t.not(producer.claim(1, 8), RING_FULL);
    t.equal(producer.claim(1, 8), RING_FULL);
    t.equal(consumer.fullCount, 1);
    producer.publish();
    consumer.poll();
    t.equal(producer.claim(1, 8), RING_FULL, 'polled is not released');
    consumer.release();
    t.not(producer.claim(1, 8), RING_FULL);
  });

  t.test('the largest record fits an empty ring at every position', async (t) => {
    const { producer, consumer } = make(128);
    for (let i = 0; i < 40; i++) {
      t.not(producer.claim(1, i % 2 === 0 ? maxRecordBytes(128) : 8), RING_FULL);
      producer.publish();
      t.not(consumer.poll(), RING_EMPTY);
      consumer.release();
    }
    t.throws(() => producer.claim(1, maxRecordBytes(128) + 1), /record type or length/);
    t.throws(() => producer.claim(0, 8), /record type or length/, 'type 0 is padding');
  });

  t.test('sizes that are no ring are refused', async (t) => {
    t.throws(() => spscRingByteLength(100), /no power of two/);
    t.throws(() => spscRingByteLength(32), /no power of two/);
    t.throws(() => new SpscRingProducer(new SharedArrayBuffer(400)), /no power of two|no ring/);
  });

  t.test('a new producer or consumer goes on where the last one stood', async (t) => {
    const { buffer, producer, consumer } = make(128);
    producer.words[producer.claim(1, 4)] = 1;
    producer.publish();
    consumer.poll();
    consumer.release();
    const second = new SpscRingProducer(buffer);
    second.words[second.claim(2, 4)] = 2;
    second.publish();
    const reader = new SpscRingConsumer(buffer);
    t.equal(reader.words[reader.poll()], 2);
  });

  t.test('random records against a queue, cursors passing 2^32', async (t) => {
    const seed = Date.now() & 0x7fffffff;
    t.comment(`seed ${seed}`);
    const next = random(seed);
    const { buffer } = make(1024);
    // Both cursors just below the wrap of their 32 bits.
    const words = new Int32Array(buffer);
    words[0] = -4096;
    words[32] = -4096;
    const producer = new SpscRingProducer(buffer);
    const consumer = new SpscRingConsumer(buffer);
    const expected: { type: number; payload: number[] }[] = [];
    let full = 0;
    let taken = 0;
    for (let step = 0; step < 50_000; step++) {
      if (next() % 2 === 0) {
        const type = 1 + (next() % 5);
        const payload = Array.from({ length: next() % 30 }, () => next() | 0);
        const at = producer.claim(type, payload.length * 4);
        if (at === RING_FULL) full++;
        else {
          for (let i = 0; i < payload.length; i++) producer.words[at + i] = payload[i]!;
          expected.push({ type, payload });
        }
        if (next() % 3 !== 0) producer.publish();
      } else {
        producer.publish();
        for (let batch = next() % 4; batch > 0; batch--) {
          const at = consumer.poll();
          if (at === RING_EMPTY) {
            if (expected.length !== 0) t.fail(`${expected.length} records lost`);
            break;
          }
          const want = expected.shift()!;
          const got = Array.from(consumer.words.subarray(at, at + consumer.lengthBytes / 4));
          taken++;
          if (want.type !== consumer.type || want.payload.join() !== got.join()) t.fail(`record ${taken} differs`);
        }
        consumer.release();
      }
    }
    t.ok(full > 0 && taken > 10_000, `${taken} records taken, ${full} refused`);
  });
});

t.test('broadcast ring', async (t) => {
  const buffer = new SharedArrayBuffer(broadcastRingByteLength(4, 8));
  const producer = new BroadcastRingProducer(buffer, 4);
  const early = new BroadcastRingReader(buffer, 4);
  const publish = (value: number) => {
    producer.record[0] = value;
    producer.recordF64[1] = value / 2;
    producer.publish();
  };

  t.test('every reader sees every record in order', async (t) => {
    const second = new BroadcastRingReader(buffer, 4);
    for (let i = 1; i <= 8; i++) publish(i);
    for (const reader of [early, second]) {
      for (let i = 1; i <= 8; i++) {
        t.ok(reader.poll());
        t.same([reader.record[0], reader.recordF64[1]], [i, i / 2]);
      }
      t.notOk(reader.poll());
      t.equal(reader.lostCount, 0);
    }
  });

  t.test('a lapped reader counts what it lost and goes on half a ring back', async (t) => {
    for (let i = 1; i <= 20; i++) publish(100 + i);
    const seen: number[] = [];
    while (early.poll()) seen.push(early.record[0]!);
    t.same(seen, [117, 118, 119, 120]);
    t.equal(early.lostCount, 16);
  });

  t.test('a reader begins with what comes after it', async (t) => {
    const late = new BroadcastRingReader(buffer, 4);
    t.notOk(late.poll());
    publish(200);
    t.ok(late.poll());
    t.equal(late.record[0], 200);
  });
});

t.test('dirty bitmap', async (t) => {
  const capacity = 1000;
  const buffer = new SharedArrayBuffer(dirtyBitmapByteLength(capacity));
  const writer = new DirtyBitmapWriter(buffer, capacity);
  const reader = new DirtyBitmapReader(buffer, capacity);

  t.equal(bitmapWords(1000), 32, 'two cache lines of bits');
  t.equal(bitmapWords(100_000), 3136);

  t.test('a bit is taken once, with the arrival of the oldest change', async (t) => {
    writer.markQuote(33, 500);
    writer.markQuote(33, 900);
    writer.markQuote(40, 700);
    writer.markDepth(33, 950);
    t.equal(reader.takeQuoteWord(0), 0);
    t.equal(reader.takeQuoteWord(1), (1 << 1) | (1 << 8));
    t.same([reader.arrivals[1], reader.arrivals[8]], [500, 700]);
    t.equal(reader.takeQuoteWord(1), 0);
    t.equal(reader.takeDepthWord(1), 1 << 1);
    t.equal(reader.arrivals[1], 500, 'the depth bit was set behind an older unread change');
    writer.markDepth(33, 2000);
    t.equal(reader.takeDepthWord(1), 1 << 1);
    t.equal(reader.arrivals[1], 2000);
  });

  t.test('bit 31 and the last instrument', async (t) => {
    writer.markQuote(31, 1);
    writer.markQuote(999, 2);
    t.equal(reader.takeQuoteWord(0), 1 << 31);
    t.equal(reader.arrivals[31], 1);
    t.equal(reader.takeQuoteWord(31), 1 << 7);
    t.equal(reader.arrivals[7], 2);
  });

  t.test('a sleeping reader is woken by a change, and only then', async (t) => {
    // waitAsync alone does not keep a thread alive.
    const keepAlive = setInterval(() => {}, 1000);
    t.teardown(() => clearInterval(keepAlive));
    writer.wake();
    const sleeping = reader.sleep(60_000);
    t.ok(sleeping instanceof Promise);
    writer.markQuote(5, 1);
    writer.wake();
    t.equal(await sleeping, 'ok');
    reader.awake();
    t.equal(reader.takeQuoteWord(0), 1 << 5);
    t.equal(await reader.sleep(1), 'timed-out');
    reader.awake();
  });
});
