import { assert } from '../src/core/assert.ts';
import { DECODE_CASES, type DecodeCase, decodeInstruments, decodeMessages } from './decode-messages.ts';
import { BaselineReader, type DecodeReader, OutcryReader, openJsPureFixReader } from './decode-readers.ts';
import { countCollections } from './gc-count.ts';
import type { BenchSetup, Measurement, Subject } from './harness.ts';

export interface DecodeOptions {
  /** Different messages of a case; they are read over and over. */
  readonly messages: number;
  /** Time of one round of one row, milliseconds. */
  readonly roundMs: number;
  readonly seed: number;
}

/** What a socket read gives at most: so messages are cut as they are on a connection. */
const READ_BYTES = 64 * 1024;

/** Rows of every case: the engine, jspurefix, and a reader that only adds up the bytes. */
export async function decodeBench(options: DecodeOptions): Promise<BenchSetup> {
  const { messages, seed } = options;
  const table = decodeInstruments(seed);
  const subjects: Subject[] = [];
  for (const decodeCase of DECODE_CASES) {
    const bytes = decodeMessages(decodeCase, messages, seed, table);
    const reads = cut(bytes);
    const sums = new Map<string, number>();
    const readers = [
      new OutcryReader(table),
      await openJsPureFixReader(table),
      new BaselineReader(messages, bytes.length),
    ];
    for (const reader of readers) {
      readOnce(reader, reads);
      assert(Math.round(reader.messageCount) === messages, `${reader.impl} reads every message of ${decodeCase}`);
      sums.set(reader.impl, reader.checksum);
      subjects.push(subject(decodeCase, reader, reads, reader.checksum, options));
    }
    assert(sums.get('outcry') === sums.get('jspurefix'), `both decoders read the same values in ${decodeCase}`);
  }
  return { subjects, close: async () => undefined };
}

function subject(
  decodeCase: DecodeCase,
  reader: DecodeReader,
  reads: readonly Buffer[],
  checksum: number,
  options: DecodeOptions,
): Subject {
  return {
    impl: reader.impl,
    case: decodeCase,
    async measure(): Promise<Measurement> {
      reader.messageCount = 0;
      reader.checksum = 0;
      const { result, collections } = await countCollections(() => readFor(reader, reads, options.roundMs));
      assert(
        reader.checksum === (Math.imul(checksum, result.passes) | 0),
        `${reader.impl} reads the same in every pass`,
      );
      return {
        samples: [
          { metric: 'messages_per_s', unit: 'messages/s', value: reader.messageCount / result.seconds },
          { metric: 'gc_per_million', unit: 'collections', value: (collections / reader.messageCount) * 1e6 },
        ],
        checksum,
      };
    },
  };
}

function readFor(reader: DecodeReader, reads: readonly Buffer[], roundMs: number): { passes: number; seconds: number } {
  const startMs = performance.now();
  let passes = 0;
  let elapsedMs = 0;
  while (elapsedMs < roundMs) {
    readOnce(reader, reads);
    passes++;
    elapsedMs = performance.now() - startMs;
  }
  return { passes, seconds: elapsedMs / 1000 };
}

function readOnce(reader: DecodeReader, reads: readonly Buffer[]): void {
  for (const read of reads) reader.receive(read);
}

function cut(bytes: Buffer): Buffer[] {
  const reads: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += READ_BYTES) reads.push(bytes.subarray(at, at + READ_BYTES));
  return reads;
}
