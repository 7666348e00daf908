import { assert } from '../src/core/assert.ts';
import { DecodeStatus, FixDecoder } from '../src/core/fix/fix-decoder.ts';
import type { FixFramer } from '../src/core/fix/fix-framer.ts';
import { FixMessage } from '../src/core/fix/fix-message.ts';
import { FixReceiver, type FrameSink } from '../src/core/fix/fix-receiver.ts';
import { Tag } from '../src/core/fix/generated/fix-tags.gen.ts';
import type { InstrumentTable } from '../src/core/market-data/instrument-table.ts';

/** One way to read market data messages out of a run of bytes. Sums are modulo 2^32. */
export interface DecodeReader {
  readonly impl: string;
  /** Takes the next bytes of the connection. */
  receive(bytes: Buffer): void;
  /** Messages read so far. */
  messageCount: number;
  /** Sum over all entries of instrument index × 31 + price (paise) + size × 7: the same for all who read the same. */
  checksum: number;
}

/** The engine's own framer and decoder: CheckSum verified, every entry read as integers. */
export class OutcryReader implements DecodeReader, FrameSink {
  readonly impl = 'outcry';
  messageCount = 0;
  checksum = 0;
  /** Entry types and positions, which are read too, and which nobody else here reads. */
  extra = 0;
  readonly #message = new FixMessage();
  readonly #decoder = new FixDecoder();
  readonly #receiver: FixReceiver;
  readonly #table: InstrumentTable;

  constructor(table: InstrumentTable) {
    this.#table = table;
    this.#receiver = new FixReceiver(this);
  }

  receive(bytes: Buffer): void {
    this.#receiver.receive(bytes, 0, bytes.length);
  }

  onFrame(buffer: Uint8Array, framer: FixFramer): boolean {
    const message = this.#message;
    const status = this.#decoder.decode(message, buffer, framer.bodyStart, framer.trailerStart);
    assert(status === DecodeStatus.Ok, 'every message of the bench is well formed');
    const { tags, starts, ends, count } = message;
    let checksum = this.checksum;
    let extra = this.extra;
    for (let position = 0; position < count; position++) {
      switch (tags[position]) {
        case Tag.Symbol:
          checksum += this.#table.indexOfBytes(buffer, starts[position]!, ends[position]!) * 31;
          break;
        case Tag.MDEntryPx:
          checksum += message.pricePaise(position);
          break;
        case Tag.MDEntrySize:
          checksum += message.int(position) * 7;
          break;
        case Tag.MDEntryType:
          extra += message.char(position);
          break;
        case Tag.MDEntryPositionNo:
          extra += message.int(position);
          break;
      }
    }
    this.checksum = checksum | 0;
    this.extra = extra | 0;
    this.messageCount++;
    return true;
  }

  onGarbled(): boolean {
    assert(false, 'no byte of the bench is garbage');
  }
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

/** jspurefix, as its own benchmark drives it: a view a message, then symbol, price and size of its entries. CheckSum is not verified. */
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
    const snapshot = msgType === 'W';
    let sum = snapshot ? indexBySymbol.get(view.getTyped(Tag.Symbol) as string)! * 31 : 0;
    const entries = view.getView('NoMDEntries')!;
    const count = entries.groupCount();
    for (let i = 0; i < count; i++) {
      const entry = entries.getGroupInstance(i)!;
      if (!snapshot) sum += indexBySymbol.get(entry.getTyped(Tag.Symbol) as string)! * 31;
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
