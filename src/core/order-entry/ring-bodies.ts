// hot: per command of a trader. One buffer is filled anew each time; what is read has the shape of what was written, and no other.
import { asciiText } from '../ascii-text.ts';
import type { OrderSide, OrderTerms, OrderType, Product, Validity } from '../ledger/order.ts';
import type { CommandOrigin, OrderCommand } from '../orders/order-command.ts';
import type { TraderCommand } from './parse-command.ts';
import { type AccountRead, READ_KINDS } from './parse-read.ts';

/**
 * Bodies of the records from a fan-out worker to the order worker: both ends are threads of one process, and what was parsed on the one is believed on the other. A body
 * is its kind and its fields one after the other: small numbers as bytes, others as doubles, texts (ASCII, shorter than 256) behind their length.
 */

const PLACE = 0;
const MODIFY = 1;
const CANCEL = 2;
const CANCEL_ALL = 3;
/** Of a command, which two texts make as long as it can be. */
const BODY_BYTES_MAX = 640;
const NUMBER_BYTES = 8;

/** Valid until the next call. */
export function encodeCommand(command: TraderCommand): Uint8Array {
  writer.begin();
  switch (command.type) {
    case 'place':
      writer.byte(PLACE);
      writer.byte(command.side);
      writer.byte(command.product);
      writer.byte(command.validity);
      writer.byte(command.dryRun ? 1 : 0);
      writer.terms(command.terms);
      writer.text(command.symbol);
      writer.text(command.clientOrderID);
      break;
    case 'modify':
      writer.byte(MODIFY);
      writer.number(command.orderID);
      writer.terms(command.terms);
      break;
    case 'cancel':
      writer.byte(CANCEL);
      writer.number(command.orderID);
      break;
    case 'cancel-all':
      writer.byte(CANCEL_ALL);
      writer.text(command.symbol);
      break;
    default:
      command satisfies never;
  }
  return writer.body();
}

/** The command as the order service takes it, of `userId` and with where its answer goes. */
export function decodeCommand(body: Uint8Array, origin: CommandOrigin, userId: number): OrderCommand {
  reader.begin(body);
  const kind = reader.byte();
  if (kind === PLACE) {
    const side = reader.byte() as OrderSide;
    const product = reader.byte() as Product;
    const validity = reader.byte() as Validity;
    const dryRun = reader.byte() === 1;
    const terms = reader.terms();
    const symbol = reader.text();
    const clientOrderID = reader.text();
    return { type: 'place', origin, userId, symbol, side, product, validity, terms, clientOrderID, dryRun };
  }
  if (kind === CANCEL_ALL) return { type: 'cancel-all', origin, userId, symbol: reader.text() };
  const orderID = reader.number();
  if (kind === MODIFY) return { type: 'modify', origin, userId, orderID, terms: reader.terms() };
  return { type: 'cancel', origin, userId, orderID };
}

/** Valid until the next call. */
export function encodeRead({ kind, from, limit }: AccountRead): Uint8Array {
  writer.begin();
  writer.byte(READ_KINDS.indexOf(kind));
  writer.number(from);
  writer.number(limit);
  return writer.body();
}

export function decodeRead(body: Uint8Array): AccountRead {
  reader.begin(body);
  return { kind: READ_KINDS[reader.byte()]!, from: reader.number(), limit: reader.number() };
}

class BodyWriter {
  readonly #bytes = new Uint8Array(BODY_BYTES_MAX);
  readonly #numbers = new DataView(this.#bytes.buffer);
  #at = 0;

  begin(): void {
    this.#at = 0;
  }

  body(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  number(value: number): void {
    this.#numbers.setFloat64(this.#at, value, true);
    this.#at += NUMBER_BYTES;
  }

  terms({ ordType, quantity, pricePaise, triggerPricePaise }: OrderTerms): void {
    this.byte(ordType);
    this.number(quantity);
    this.number(pricePaise);
    this.number(triggerPricePaise);
  }

  text(text: string): void {
    this.byte(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i);
  }
}

class BodyReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #numbers: DataView = new DataView(this.#bytes.buffer);
  #at = 0;

  begin(body: Uint8Array): void {
    this.#bytes = body;
    this.#numbers = new DataView(body.buffer, body.byteOffset, body.length);
    this.#at = 0;
  }

  byte(): number {
    return this.#bytes[this.#at++]!;
  }

  number(): number {
    const value = this.#numbers.getFloat64(this.#at, true);
    this.#at += NUMBER_BYTES;
    return value;
  }

  terms(): OrderTerms {
    const ordType = this.byte() as OrderType;
    return { quantity: this.number(), ordType, pricePaise: this.number(), triggerPricePaise: this.number() };
  }

  text(): string {
    const start = this.#at + 1;
    this.#at = start + this.#bytes[this.#at]!;
    return asciiText(this.#bytes, start, this.#at);
  }
}

const writer = new BodyWriter();
const reader = new BodyReader();
