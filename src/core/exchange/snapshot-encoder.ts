import { FixEncoder } from '../fix/fix-encoder.ts';
import { MsgType, type SecurityTradingStatus } from '../fix/generated/fix-enums.gen.ts';
import { MarketDataWriter, writeSecurityStatus } from '../fix/market-data-messages.ts';
import { MarketDataBody } from './market-data-body.ts';
import { PublishedState } from './published-state.ts';

/** The longest W, ten levels and ten figures, is below 2 KB. */
const BODY_BYTES_MAX = 4_096;
const NO_REQUEST = new Uint8Array(0);

/** What is published of all instruments, and bodies about one of them: W and f. The body is reused from call to call. */
export class SnapshotEncoder {
  readonly state: PublishedState;
  readonly #symbols: Uint8Array[] = [];
  readonly #encoder = new FixEncoder('FIX.4.4', BODY_BYTES_MAX);
  readonly #writer = new MarketDataWriter();
  readonly #body = new MarketDataBody();

  constructor(capacity: number) {
    this.state = new PublishedState(capacity);
    this.#body.buffer = this.#encoder.buffer;
  }

  setSymbol(index: number, symbol: string): void {
    this.#symbols[index] = Uint8Array.from(symbol, (character) => character.charCodeAt(0));
  }

  symbolBytes(index: number): Uint8Array {
    return this.#symbols[index]!;
  }

  /** A W of what is published of the instrument so far. */
  snapshot(index: number, tsMicros: number): MarketDataBody {
    this.#encoder.beginBody();
    this.#writer.beginSnapshot(this.#encoder, NO_REQUEST, this.#symbols[index]!);
    this.state.writeEntries(this.#writer, index);
    return this.#close(MsgType.MarketDataSnapshotFullRefresh, index, this.#writer.end(), tsMicros);
  }

  /** A SecurityStatus (f) of the instrument. */
  securityStatus(index: number, status: SecurityTradingStatus, tsMicros: number): MarketDataBody {
    this.#encoder.beginBody();
    writeSecurityStatus(this.#encoder, this.#symbols[index]!, status);
    return this.#close(MsgType.SecurityStatus, index, 0, tsMicros);
  }

  #close(msgType: number, index: number, entryCount: number, tsMicros: number): MarketDataBody {
    const body = this.#body;
    body.msgType = msgType;
    body.tsMicros = tsMicros;
    body.start = this.#encoder.bodyStart;
    body.end = this.#encoder.bodyEnd;
    body.segmentCount = 0;
    body.addSegment(index, body.start, body.end, entryCount);
    return body;
  }
}
