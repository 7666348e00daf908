/** The other thread of the ring bench: it plays the roles that the main thread gives it, one at a time. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { assert } from '../src/core/assert.ts';
import { BroadcastRingReader } from '../src/core/shm/broadcast-ring.ts';
import { TRADE_RECORD_QTY, TRADE_RECORD_STRIDE_WORDS } from '../src/core/shm/generated/broadcast-ring.gen.ts';
import { RING_EMPTY, RING_FULL, SpscRingConsumer, SpscRingProducer } from '../src/core/shm/spsc-ring.ts';
import { RingSleeper, RingWaker, type Wake } from './ring-wake.ts';

/** Words and bytes of a record of the ring's cases, and how many are published and released at once. */
export const RECORD_WORDS = 16;
export const RECORD_BYTES = RECORD_WORDS * 4;
export const BATCH_RECORDS = 64;
export const RECORD_TYPE = 1;

/** One thing to do. `started` is a word that the peer counts up when it begins; the rest belongs to the role. */
export type PeerTask =
  | {
      readonly role: 'produce';
      readonly started: SharedArrayBuffer;
      readonly ring: SharedArrayBuffer;
      readonly records: number;
    }
  | { readonly role: 'echo'; readonly started: SharedArrayBuffer; readonly echo: EchoWiring }
  | {
      readonly role: 'read-broadcast';
      readonly started: SharedArrayBuffer;
      readonly ring: SharedArrayBuffer;
      readonly last: number;
    };

/** Two rings and two pairs of wake words: there and back. */
export interface EchoWiring {
  readonly there: SharedArrayBuffer;
  readonly back: SharedArrayBuffer;
  readonly wakeThere: SharedArrayBuffer;
  readonly wakeBack: SharedArrayBuffer;
  readonly port: MessagePort;
  readonly wake: Wake;
  readonly count: number;
}

/** What a finished role reports. */
export interface PeerResult {
  /** Records of a broadcast ring that were read and that were lost. */
  readonly taken: number;
  readonly lost: number;
}

/** Fills records from a counter and publishes them in batches; a full ring is tried again. */
function produceRecords(ring: SharedArrayBuffer, records: number): void {
  const producer = new SpscRingProducer(ring);
  const words = producer.words;
  for (let record = 0; record < records; ) {
    const at = producer.claim(RECORD_TYPE, RECORD_BYTES);
    if (at === RING_FULL) {
      producer.publish();
      continue;
    }
    for (let w = 0; w < RECORD_WORDS; w++) words[at + w] = record + w;
    record++;
    if (record % BATCH_RECORDS === 0) producer.publish();
  }
  producer.publish();
}

async function echo(wiring: EchoWiring): Promise<void> {
  const consumer = new SpscRingConsumer(wiring.there);
  const producer = new SpscRingProducer(wiring.back);
  const waker = new RingWaker(producer, wiring.wakeBack, wiring.port, wiring.wake);
  const sleeper = new RingSleeper(consumer, wiring.wakeThere, wiring.port, wiring.wake);
  for (let i = 0; i < wiring.count; i++) {
    let at = consumer.poll();
    if (wiring.wake === 'spin') while (at === RING_EMPTY) at = consumer.poll();
    else if (at === RING_EMPTY) at = await sleeper.next();
    const value = consumer.words[at]!;
    consumer.release();
    const reply = producer.claim(RECORD_TYPE, RECORD_BYTES);
    assert(reply !== RING_FULL, 'one record is on its way at a time');
    producer.words[reply] = value;
    waker.publish();
  }
  wiring.port.close();
}

/** Reads until the record numbered `last` was seen or lost. */
function readBroadcast(reader: BroadcastRingReader, last: number): PeerResult {
  let taken = 0;
  let seen = 0;
  while (seen < last) {
    if (!reader.poll()) continue;
    taken++;
    seen = reader.record[TRADE_RECORD_QTY]!;
  }
  return { taken, lost: reader.lostCount };
}

async function play(task: PeerTask): Promise<PeerResult> {
  // A broadcast reader begins with the first record after it was made: it must exist before the start is told.
  const reader = task.role === 'read-broadcast' ? new BroadcastRingReader(task.ring, TRADE_RECORD_STRIDE_WORDS) : null;
  const started = new Int32Array(task.started);
  Atomics.add(started, 0, 1);
  Atomics.notify(started, 0);
  if (task.role === 'produce') produceRecords(task.ring, task.records);
  else if (task.role === 'echo') await echo(task.echo);
  else return readBroadcast(reader!, task.last);
  return { taken: 0, lost: 0 };
}

parentPort?.on('message', async (task: PeerTask) => {
  parentPort!.postMessage(await play(task));
});
