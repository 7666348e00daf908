import { assert } from '../src/core/assert.ts';
import { readBuffer } from '../src/core/fix/byte-scan.ts';
import { DecodeStatus, FixDecoder } from '../src/core/fix/fix-decoder.ts';
import type { FixFramer } from '../src/core/fix/fix-framer.ts';
import { FixMessage } from '../src/core/fix/fix-message.ts';
import { FixReceiver, type FrameSink } from '../src/core/fix/fix-receiver.ts';
import { Tag } from '../src/core/fix/generated/fix-tags.gen.ts';
import type { InstrumentTable } from '../src/core/market-data/instrument-table.ts';

/** What a socket read gives at most: so messages are cut as they are on a connection. */
export const READ_BYTES = 64 * 1024;

/**
 * One way to read market data messages out of a run of bytes. Sums are modulo 2^32. The entries of one instrument are adjacent, so every reader
 * compares a symbol with the one before it and looks it up when it is another.
 */
export interface DecodeReader {
  readonly impl: string;
  /** Takes the next bytes of the connection. */
  receive(bytes: Buffer): void;
  /** Messages read so far. */
  messageCount: number;
  /** Sum over all entries of instrument index × 31 + price (paise) + size × 7: the same for all who read the same. */
  checksum: number;
}

/** The engine's own framer and decoder: CheckSum verified; symbol, price and size of every entry read as integers. */
export class OutcryReader implements DecodeReader, FrameSink {
  readonly impl = 'outcry';
  messageCount = 0;
  checksum = 0;
  readonly #message = new FixMessage();
  readonly #decoder = new FixDecoder();
  readonly #receiver: FixReceiver;
  readonly #table: InstrumentTable;

  constructor(table: InstrumentTable) {
    this.#table = table;
    this.#receiver = new FixReceiver(this);
  }

  receive(bytes: Buffer): void {
    // As the socket edge's reads are: the copy is part of what is measured.
    readBuffer.set(bytes);
    this.#receiver.receive(readBuffer, 0, bytes.length);
  }

  onFrame(buffer: Uint8Array, framer: FixFramer): boolean {
    const message = this.#message;
    const status = this.#decoder.decode(message, buffer, framer.bodyStart, framer.trailerStart);
    assert(status === DecodeStatus.Ok, 'every message of the bench is well formed');
    const { tags, starts, ends, count } = message;
    let checksum = this.checksum;
    let symbolStart = 0;
    let symbolEnd = 0;
    let instrumentIndex = 0;
    for (let position = 0; position < count; position++) {
      switch (tags[position]) {
        case Tag.Symbol:
          if (!sameBytes(buffer, symbolStart, symbolEnd, starts[position]!, ends[position]!)) {
            symbolStart = starts[position]!;
            symbolEnd = ends[position]!;
            instrumentIndex = this.#table.indexOfBytes(buffer, symbolStart, symbolEnd);
          }
          checksum += instrumentIndex * 31;
          break;
        case Tag.MDEntryPx:
          checksum += message.pricePaise(position);
          break;
        case Tag.MDEntrySize:
          checksum += message.int(position) * 7;
          break;
      }
    }
    this.checksum = checksum | 0;
    this.messageCount++;
    return true;
  }

  onGarbled(): boolean {
    assert(false, 'no byte of the bench is garbage');
  }
}

function sameBytes(buffer: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
  const length = aEnd - aStart;
  if (bEnd - bStart !== length) return false;
  for (let i = 0; i < length; i++) if (buffer[aStart + i] !== buffer[bStart + i]) return false;
  return true;
}

/** Does nothing but look at each byte: what any reader must at least do. It counts messages by their number of bytes. */
export class BaselineReader implements DecodeReader {
  readonly impl = 'baseline';
  messageCount = 0;
  checksum = 0;
  readonly #messagesPerByte: number;

  constructor(messageCount: number, byteCount: number) {
    this.#messagesPerByte = messageCount / byteCount;
  }

  receive(bytes: Buffer): void {
    let sum = 0;
    for (let at = 0; at < bytes.length; at++) sum += bytes[at]!;
    this.checksum = (this.checksum + sum) | 0;
    this.messageCount += bytes.length * this.#messagesPerByte;
  }
}

const PARSE_BUFFER_BYTES = 160 * 1024;

/** jspurefix, as its own benchmark drives it: a view a message, CheckSum verified as its session does, then symbol, price and size of its entries. */
export async function openJsPureFixReader(table: InstrumentTable): Promise<DecodeReader> {
  // jspurefix needs the polyfill to be there before it is loaded, and takes a second to load: only when it is asked for.
  await import('reflect-metadata');
  const { AsciiParser, DITokens, SessionContainer } = await import('jspurefix');
  const sessions = new SessionContainer();
  sessions.registerGlobal('error');
  const container = await sessions.makeSystem({
    application: {
      reconnectSeconds: 10,
      type: 'initiator',
      name: 'bench',
      tcp: { host: '127.0.0.1', port: 1 },
      protocol: 'ascii',
      dictionary: 'qf44',
    },
    BeginString: 'FIX.4.4',
    SenderCompId: 'OUTCRY',
    TargetCompID: 'EXCHANGE',
    ResetSeqNumFlag: true,
    HeartBtInt: 30,
  } as Parameters<typeof sessions.makeSystem>[0]);
  const config = container.resolve<import('jspurefix').IJsFixConfig>(DITokens.IJsFixConfig);
  config.delimiter = 1;
  const parseBuffer = config.sessionContainer.resolve<import('jspurefix').ElasticBuffer>(DITokens.ParseBuffer);
  const parser = new AsciiParser(config, null, parseBuffer, PARSE_BUFFER_BYTES);
  const indexBySymbol = new Map(Array.from({ length: table.count }, (_, index) => [table.symbol(index), index]));
  const reader: DecodeReader = {
    impl: 'jspurefix',
    messageCount: 0,
    checksum: 0,
    receive: (bytes) => parser.parseBuffer(bytes),
  };
  parser.on('msg', (msgType: string, view: import('jspurefix').MsgView) => {
    assert(view.checksum() === Number(view.getString(Tag.CheckSum)), 'every message of the bench is well formed');
    const snapshot = msgType === 'W';
    let symbol = snapshot ? (view.getTyped(Tag.Symbol) as string) : '';
    let index = snapshot ? indexBySymbol.get(symbol)! : 0;
    let sum = snapshot ? index * 31 : 0;
    const entries = view.getView('NoMDEntries')!;
    const count = entries.groupCount();
    for (let i = 0; i < count; i++) {
      const entry = entries.getGroupInstance(i)!;
      if (!snapshot) {
        const symbolOfEntry = entry.getTyped(Tag.Symbol) as string;
        if (symbolOfEntry !== symbol) {
          symbol = symbolOfEntry;
          index = indexBySymbol.get(symbol)!;
        }
        sum += index * 31;
      }
      const price = entry.getTyped(Tag.MDEntryPx) as number | null;
      const size = entry.getTyped(Tag.MDEntrySize) as number | null;
      if (price !== null) sum += Math.round(price * 100);
      if (size !== null) sum += size * 7;
    }
    reader.checksum = (reader.checksum + sum) | 0;
    reader.messageCount++;
  });
  return reader;
}
