import { Prng } from '../src/core/exchange/prng.ts';
import { QuoteBoardWriter, quoteBoardByteLength } from '../src/core/market-data/quote-board.ts';
import { DirtyBitmapReader, DirtyBitmapWriter, dirtyBitmapByteLength } from '../src/core/shm/dirty-bitmap.ts';
import {
  QUOTE_SLOT_BID_PAISE,
  QUOTE_SLOT_BID_QTY,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_LAST_QTY,
  QUOTE_SLOT_STRIDE_WORDS,
  QUOTE_SLOT_TS_MICROS,
  QUOTE_SLOT_VOLUME,
} from '../src/core/shm/generated/quote-slot.gen.ts';
import type { Measurement, Subject } from './harness.ts';

const INSTRUMENTS = 2_048;
/** For the scan: as many as the largest master that the design names. */
const MANY_INSTRUMENTS = 100_000;
/** Instruments marked before each draining: a tick's worth of a lively market. */
const MARKED_A_DRAIN = 512;
const SCANS = 200;

/** What the feed pays an update and a fan-out worker pays a tick, each on one thread with nobody beside it. */
export function boardSubjects(updates: number, seed: number): Subject[] {
  const prng = new Prng(seed);
  const order = Int32Array.from({ length: INSTRUMENTS * 4 }, () => prng.below(INSTRUMENTS));
  return [
    { impl: 'outcry', case: 'board-write', measure: () => boardWrite(updates, order) },
    { impl: 'baseline', case: 'board-write', measure: () => plainWrite(updates, order) },
    { impl: 'outcry', case: 'dirty-drain', measure: () => dirtyDrain(updates, order) },
    { impl: 'outcry', case: 'dirty-scan-100k', measure: () => dirtyScan() },
    { impl: 'baseline', case: 'dirty-scan-100k', measure: () => plainScan() },
  ];
}

/** Six changed words and two times, as a trade gives, with the mark for one reader. */
function boardWrite(updates: number, order: Int32Array): Measurement {
  const dirty = new DirtyBitmapWriter(new SharedArrayBuffer(dirtyBitmapByteLength(INSTRUMENTS)), INSTRUMENTS);
  const writer = new QuoteBoardWriter(new SharedArrayBuffer(quoteBoardByteLength(INSTRUMENTS)), INSTRUMENTS, [dirty]);
  const mask = order.length - 1;
  let checksum = 0;
  const startMs = performance.now();
  for (let i = 1; i <= updates; i++) {
    writer.open(order[i & mask]!);
    writer.setI32(QUOTE_SLOT_BID_PAISE, i);
    writer.setI32(QUOTE_SLOT_BID_QTY, i);
    writer.setI32(QUOTE_SLOT_LAST_PAISE, i);
    writer.setI32(QUOTE_SLOT_LAST_QTY, i);
    writer.setF64(QUOTE_SLOT_VOLUME, i);
    writer.setF64(QUOTE_SLOT_TS_MICROS, i);
    checksum = (checksum + writer.close(i)) | 0;
  }
  return { samples: [perUpdate(updates, startMs)], checksum };
}

/** The same words stored plainly, with neither lock nor mark: nobody else could read them. */
function plainWrite(updates: number, order: Int32Array): Measurement {
  const words = new Int32Array(INSTRUMENTS * QUOTE_SLOT_STRIDE_WORDS);
  const f64 = new Float64Array(words.buffer);
  const mask = order.length - 1;
  const startMs = performance.now();
  for (let i = 1; i <= updates; i++) {
    const slot = order[i & mask]! * QUOTE_SLOT_STRIDE_WORDS;
    words[slot + QUOTE_SLOT_BID_PAISE] = i;
    words[slot + QUOTE_SLOT_BID_QTY] = i;
    words[slot + QUOTE_SLOT_LAST_PAISE] = i;
    words[slot + QUOTE_SLOT_LAST_QTY] = i;
    f64[(slot + QUOTE_SLOT_VOLUME) >> 1] = i;
    f64[(slot + QUOTE_SLOT_TS_MICROS) >> 1] = i;
  }
  const sample = perUpdate(updates, startMs);
  let checksum = 0;
  for (let at = 0; at < words.length; at++) checksum = (checksum + words[at]!) | 0;
  return { samples: [sample], checksum };
}

function perUpdate(updates: number, startMs: number) {
  return { metric: 'ns_per_update', unit: 'ns', value: ((performance.now() - startMs) * 1e6) / updates };
}

/** Bits and arrivals of a tick taken out: the scan of the words is part of it, the marking is not. */
function dirtyDrain(updates: number, order: Int32Array): Measurement {
  const memory = new SharedArrayBuffer(dirtyBitmapByteLength(INSTRUMENTS));
  const writer = new DirtyBitmapWriter(memory, INSTRUMENTS);
  const reader = new DirtyBitmapReader(memory, INSTRUMENTS);
  const mask = order.length - 1;
  let drainedMs = 0;
  let taken = 0;
  let checksum = 0;
  for (let i = 0; i < updates; ) {
    for (const end = i + MARKED_A_DRAIN; i < end; i++) writer.markQuote(order[i & mask]!, i);
    const startMs = performance.now();
    for (let word = 0; word < reader.wordCount; word++) {
      for (let bits = reader.takeQuoteWord(word); bits !== 0; bits &= bits - 1) {
        checksum = (checksum + reader.arrivals[31 - Math.clz32(bits & -bits)]!) | 0;
        taken++;
      }
    }
    drainedMs += performance.now() - startMs;
  }
  return { samples: [{ metric: 'ns_per_change', unit: 'ns', value: (drainedMs * 1e6) / taken }], checksum };
}

/** A tick in which nothing changed. */
function dirtyScan(): Measurement {
  const memory = new SharedArrayBuffer(dirtyBitmapByteLength(MANY_INSTRUMENTS));
  const reader = new DirtyBitmapReader(memory, MANY_INSTRUMENTS);
  let checksum = 0;
  const startMs = performance.now();
  for (let scan = 0; scan < SCANS; scan++) {
    for (let word = 0; word < reader.wordCount; word++) checksum |= reader.takeQuoteWord(word);
  }
  return { samples: [perScan(startMs)], checksum };
}

function plainScan(): Measurement {
  const words = new Int32Array(Math.ceil(MANY_INSTRUMENTS / 32));
  let checksum = 0;
  const startMs = performance.now();
  for (let scan = 0; scan < SCANS; scan++) {
    for (let word = 0; word < words.length; word++) checksum |= words[word]!;
  }
  return { samples: [perScan(startMs)], checksum };
}

function perScan(startMs: number) {
  return { metric: 'us_per_scan', unit: 'µs', value: ((performance.now() - startMs) * 1_000) / SCANS };
}
