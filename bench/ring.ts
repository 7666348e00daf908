import { once } from 'node:events';
import { extname } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { BroadcastRingProducer, broadcastRingByteLength } from '../src/core/shm/broadcast-ring.ts';
import {
  TRADE_RECORD_INSTRUMENT_INDEX,
  TRADE_RECORD_PRICE_PAISE,
  TRADE_RECORD_QTY,
  TRADE_RECORD_STRIDE_WORDS,
} from '../src/core/shm/generated/broadcast-ring.gen.ts';
import { RING_EMPTY, SpscRingConsumer, SpscRingProducer, spscRingByteLength } from '../src/core/shm/spsc-ring.ts';
import { boardSubjects } from './board.ts';
import type { BenchSetup, Measurement, Sample, Subject } from './harness.ts';
import { latencyHistogram, percentileSamples, recordLatency } from './histogram.ts';
import {
  BATCH_RECORDS,
  type EchoWiring,
  type PeerResult,
  type PeerTask,
  RECORD_BYTES,
  RECORD_TYPE,
  RECORD_WORDS,
} from './ring-peer.ts';
import { RingSleeper, RingWaker, WAKE_BYTES, WAKES, type Wake } from './ring-wake.ts';

export interface RingOptions {
  /** Records of one round of the rings. */
  readonly records: number;
  /** Hand-offs of one round of each way to wake. */
  readonly handOffs: number;
  /** Updates of one round of the board. */
  readonly updates: number;
  readonly seed: number;
}

const RING_BYTES = 1 << 20;
/** As many trades as the engine's own ring holds. */
const BROADCAST_RECORDS = 1 << 16;
const BROADCAST_READERS = [1, 2, 3] as const;
/** Sleeping costs tens of microseconds where spinning costs less than one: a tenth of the hand-offs takes long enough. */
const SLEEPING_SHARE = 0.1;

export async function ringBench(options: RingOptions): Promise<BenchSetup> {
  const peers = BROADCAST_READERS.map(() => new Peer());
  await Promise.all(peers.map((peer) => peer.ready));
  const subjects: Subject[] = [
    { impl: 'outcry', case: 'spsc-64b', measure: () => crossThread(peers[0]!, options.records) },
    { impl: 'baseline', case: 'spsc-64b', measure: () => sameThread(options.records) },
    ...WAKES.map((wake) => handOffSubject(peers[0]!, wake, options.handOffs)),
    { impl: 'baseline', case: 'hand-off-spin', measure: () => handOffWithin(options.handOffs) },
    ...BROADCAST_READERS.map((count) => broadcastSubject(peers.slice(0, count), options.records)),
    { impl: 'baseline', case: 'broadcast-1', measure: () => plainRecords(options.records) },
    ...boardSubjects(options.updates, options.seed),
  ];
  return { subjects, close: () => Promise.all(peers.map((peer) => peer.close())).then(() => undefined) };
}

/** A thread that plays one role at a time. */
class Peer {
  readonly #worker = new Worker(new URL(`./ring-peer${extname(import.meta.url)}`, import.meta.url));
  readonly ready = once(this.#worker, 'online');

  /** Gives the role and returns once the thread has begun it, without a turn of our event loop; the result comes later. */
  begin(task: PeerTask, transfer: MessagePortOf[] = []): Promise<PeerResult> {
    const started = new Int32Array(task.started);
    const before = Atomics.load(started, 0);
    const result = once(this.#worker, 'message').then(([value]) => value as PeerResult);
    this.#worker.postMessage(task, transfer);
    Atomics.wait(started, 0, before);
    return result;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
type MessagePortOf = EchoWiring['port'];

async function crossThread(peer: Peer, records: number): Promise<Measurement> {
  const ring = new SharedArrayBuffer(spscRingByteLength(RING_BYTES));
  const consumer = new SpscRingConsumer(ring);
  const result = peer.begin({ role: 'produce', started: new SharedArrayBuffer(4), ring, records });
  const startMs = performance.now();
  const checksum = consume(consumer, records);
  const elapsedMs = performance.now() - startMs;
  await result;
  return { samples: [perSecond('records_per_s', 'records/s', records, elapsedMs)], checksum };
}

function consume(consumer: SpscRingConsumer, records: number): number {
  const words = consumer.words;
  let sum = 0;
  for (let record = 0; record < records; ) {
    const at = consumer.poll();
    if (at === RING_EMPTY) {
      consumer.release();
      continue;
    }
    for (let w = 0; w < RECORD_WORDS; w++) sum = (sum + words[at + w]!) | 0;
    record++;
    if (record % BATCH_RECORDS === 0) consumer.release();
  }
  consumer.release();
  return sum;
}

/** The same words written and added up in plain memory by one thread: what the work costs without a hand-off. */
function sameThread(records: number): Measurement {
  const words = new Int32Array(RECORD_WORDS * BATCH_RECORDS);
  let sum = 0;
  const startMs = performance.now();
  for (let record = 0; record < records; record += BATCH_RECORDS) {
    const batch = Math.min(BATCH_RECORDS, records - record);
    for (let i = 0; i < batch; i++) {
      for (let w = 0; w < RECORD_WORDS; w++) words[i * RECORD_WORDS + w] = record + i + w;
    }
    for (let at = 0; at < batch * RECORD_WORDS; at++) sum = (sum + words[at]!) | 0;
  }
  return { samples: [perSecond('records_per_s', 'records/s', records, performance.now() - startMs)], checksum: sum };
}

/** Half of a round trip over two rings, so that one clock measures it; both threads wait in the same way. */
function handOffSubject(peer: Peer, wake: Wake, handOffs: number): Subject {
  const count = wake === 'spin' ? handOffs : Math.ceil(handOffs * SLEEPING_SHARE);
  return { impl: 'outcry', case: `hand-off-${wake}`, measure: () => handOffAcross(peer, wake, count) };
}

async function handOffAcross(peer: Peer, wake: Wake, count: number): Promise<Measurement> {
  const { port1, port2 } = new MessageChannel();
  const there = new SharedArrayBuffer(spscRingByteLength(RING_BYTES));
  const back = new SharedArrayBuffer(spscRingByteLength(RING_BYTES));
  const wakeThere = new SharedArrayBuffer(WAKE_BYTES);
  const wakeBack = new SharedArrayBuffer(WAKE_BYTES);
  const producer = new SpscRingProducer(there);
  const consumer = new SpscRingConsumer(back);
  const waker = new RingWaker(producer, wakeThere, port1, wake);
  const sleeper = new RingSleeper(consumer, wakeBack, port1, wake);
  const histogram = latencyHistogram();
  // `waitAsync` keeps no thread alive.
  const alive = setInterval(() => undefined, 1_000);
  const echo: EchoWiring = { there, back, wakeThere, wakeBack, port: port2, wake, count };
  const result = peer.begin({ role: 'echo', started: new SharedArrayBuffer(4), echo }, [port2]);
  let checksum = 0;
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    producer.words[producer.claim(RECORD_TYPE, RECORD_BYTES)] = i;
    waker.publish();
    let at = consumer.poll();
    if (wake === 'spin') while (at === RING_EMPTY) at = consumer.poll();
    else if (at === RING_EMPTY) at = await sleeper.next();
    checksum = (checksum + consumer.words[at]!) | 0;
    consumer.release();
    recordLatency(histogram, (performance.now() - startMs) * (1e6 / 2));
  }
  await result;
  clearInterval(alive);
  port1.close();
  return { samples: handOffSamples(percentileSamples(histogram, 'hand_off', 'µs', 1_000)), checksum };
}

/** A record put into a ring and taken out again by the same thread: the ring's own share of a hand-off. */
function handOffWithin(count: number): Measurement {
  const ring = new SharedArrayBuffer(spscRingByteLength(RING_BYTES));
  const producer = new SpscRingProducer(ring);
  const consumer = new SpscRingConsumer(ring);
  const histogram = latencyHistogram();
  let checksum = 0;
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    producer.words[producer.claim(RECORD_TYPE, RECORD_BYTES)] = i;
    producer.publish();
    checksum = (checksum + consumer.words[consumer.poll()]!) | 0;
    consumer.release();
    recordLatency(histogram, (performance.now() - startMs) * 1e6);
  }
  return { samples: handOffSamples(percentileSamples(histogram, 'hand_off', 'µs', 1_000)), checksum };
}

/** The largest value of a hand-off is the scheduler's, not the ring's. */
function handOffSamples(samples: readonly Sample[]): Sample[] {
  return samples.filter((sample) => sample.metric !== 'hand_off_max');
}

function broadcastSubject(peers: readonly Peer[], records: number): Subject {
  return { impl: 'outcry', case: `broadcast-${peers.length}`, measure: () => broadcast(peers, records) };
}

/** The writer goes as fast as it can, which no feed does: so readers lose records here, and how many is part of the result. */
async function broadcast(peers: readonly Peer[], records: number): Promise<Measurement> {
  const ring = new SharedArrayBuffer(broadcastRingByteLength(TRADE_RECORD_STRIDE_WORDS, BROADCAST_RECORDS));
  const producer = new BroadcastRingProducer(ring, TRADE_RECORD_STRIDE_WORDS);
  const results = peers.map((peer) =>
    peer.begin({ role: 'read-broadcast', started: new SharedArrayBuffer(4), ring, last: records }),
  );
  const startMs = performance.now();
  publishTrades(producer, records);
  const elapsedMs = performance.now() - startMs;
  let lost = 0;
  let checksum = 0;
  for (const result of await Promise.all(results)) {
    lost += result.lost;
    checksum += result.taken + result.lost;
  }
  const samples = [
    perSecond('records_per_s', 'records/s', records, elapsedMs),
    { metric: 'lost_per_million', unit: 'records', value: (lost / (records * peers.length)) * 1e6 },
  ];
  return { samples, checksum };
}

function publishTrades(producer: BroadcastRingProducer, records: number): void {
  const record = producer.record;
  for (let i = 1; i <= records; i++) {
    record[TRADE_RECORD_INSTRUMENT_INDEX] = i & 2_047;
    record[TRADE_RECORD_PRICE_PAISE] = 100_000 + (i & 1_023);
    record[TRADE_RECORD_QTY] = i;
    producer.publish();
  }
}

/** Records of the same size written to plain memory. */
function plainRecords(records: number): Measurement {
  const words = new Int32Array(TRADE_RECORD_STRIDE_WORDS * BROADCAST_RECORDS);
  const startMs = performance.now();
  for (let i = 1; i <= records; i++) {
    const base = (i & (BROADCAST_RECORDS - 1)) * TRADE_RECORD_STRIDE_WORDS;
    for (let w = 0; w < TRADE_RECORD_STRIDE_WORDS; w++) words[base + w] = i + w;
  }
  const elapsedMs = performance.now() - startMs;
  let checksum = 0;
  for (let at = 0; at < words.length; at++) checksum = (checksum + words[at]!) | 0;
  return { samples: [perSecond('records_per_s', 'records/s', records, elapsedMs)], checksum };
}

function perSecond(metric: string, unit: string, count: number, elapsedMs: number): Sample {
  return { metric, unit, value: (count / elapsedMs) * 1_000 };
}
