import { assert } from '../src/core/assert.ts';
import { DECODE_CASES, type DecodeCase, decodeInstruments, decodeMessages } from './decode-messages.ts';
import { type DecodePeer, DecodePeers } from './decode-peers.ts';
import { BaselineReader, type DecodeReader, OutcryReader, openJsPureFixReader, READ_BYTES } from './decode-readers.ts';
import { countCollections } from './gc-count.ts';
import type { BenchSetup, Measurement, Subject } from './harness.ts';

export interface DecodeOptions {
  /** Different messages of a case; they are read over and over. */
  readonly messages: number;
  /** Time of one round of one row, milliseconds. */
  readonly roundMs: number;
  readonly seed: number;
}

/** Rows of every case: the engine, jspurefix, QuickFIX C++ and a scan in C where there is a compiler, and a reader that only adds up the bytes. */
export async function decodeBench(options: DecodeOptions): Promise<BenchSetup> {
  const { messages, seed } = options;
  const table = decodeInstruments(seed);
  const subjects: Subject[] = [];
  const peers = new DecodePeers();
  await peers.open(table);
  for (const reason of peers.missing) process.stderr.write(`decode: ${reason}\n`);
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
    const checksum = sums.get('outcry')!;
    assert(checksum === sums.get('jspurefix'), `both decoders read the same values in ${decodeCase}`);
    for (const peer of peers.start(decodeCase, bytes)) subjects.push(peerSubject(decodeCase, peer, checksum, options));
  }
  return { subjects, close: () => peers.close() };
}

function peerSubject(decodeCase: DecodeCase, peer: DecodePeer, checksum: number, options: DecodeOptions): Subject {
  return {
    impl: peer.impl,
    case: decodeCase,
    async measure(): Promise<Measurement> {
      const round = await peer.read(options.roundMs);
      const passes = round.messages / options.messages;
      assert(
        round.checksum === (Math.imul(checksum, passes) | 0),
        `${peer.impl} reads the same values in ${decodeCase}`,
      );
      const value = round.messages / round.seconds;
      return { samples: [{ metric: 'messages_per_s', unit: 'messages/s', value }], checksum };
    },
  };
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
