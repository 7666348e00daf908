import { addCharges, chargesPaise, contractNoteRounding, NO_CHARGES } from '../ledger/charges.ts';
import { type Charges, EventType, type LedgerEvent } from '../ledger/ledger-event.ts';
import { OrderSide, type Product } from '../ledger/order.ts';

/** One execution as a contract note lists it. */
export interface NoteLine {
  readonly kind: 'trade' | 'bust' | 'correction';
  readonly tsMicros: number;
  readonly orderID: number;
  readonly execID: string;
  /** '' but for a bust or a correction, which name what they undo. */
  readonly execRefID: string;
  readonly instrumentId: number;
  readonly product: Product;
  readonly side: OrderSide;
  /** Of a bust what is taken back, of a correction what holds now. */
  readonly quantity: number;
  readonly pricePaise: number;
  /** What the user gets for it, negative for what he pays; of a bust or a correction, what it changes that by. */
  readonly valuePaise: number;
  readonly charges: Charges;
}

/** The contract note of a day: every execution since the note before, what each was charged, and what the whole comes to. */
export interface ContractNote {
  readonly userId: number;
  readonly tradingDay: string;
  /** Of the event that issued it; 0 while the day goes on. */
  readonly seq: number;
  readonly lines: readonly NoteLine[];
  /** As charged execution by execution. */
  readonly charged: Charges;
  /** Securities transaction tax and stamp duty are paid in whole rupees. */
  readonly rounding: Charges;
  readonly charges: Charges;
  readonly buyValuePaise: number;
  readonly sellValuePaise: number;
  /** What the user gets for the day with all charges paid; negative is what he pays. */
  readonly netPaise: number;
}

/**
 * Reads contract notes out of an account's events, which come in their order: all of them, or no others than executions and notes from the one before on. A note that was issued late, for an
 * execution that came in after the day's own, is a second one of that day.
 */
export class ContractNoteReader {
  readonly #userId: number;
  readonly #sideOf: (orderID: number) => OrderSide;
  #lines: NoteLine[] = [];
  #tradingDay = '';

  constructor(userId: number, sideOf: (orderID: number) => OrderSide) {
    this.#userId = userId;
    this.#sideOf = sideOf;
  }

  /** The note that this event issues, or null. */
  take(event: LedgerEvent): ContractNote | null {
    const { detail } = event;
    if (detail.type === EventType.ContractNoteIssued) {
      const note = this.#note(detail.tradingDay, event.seq, detail.charges);
      this.#lines = [];
      this.#tradingDay = '';
      return note;
    }
    const line = lineOf(event, this.#sideOf);
    if (line === null || !('tradingDay' in detail)) return null;
    this.#lines.push(line);
    if (detail.tradingDay > this.#tradingDay) this.#tradingDay = detail.tradingDay;
    return null;
  }

  /** The note that is not issued yet, as it would be now; null with nothing to be in it. */
  pending(): ContractNote | null {
    if (this.#lines.length === 0) return null;
    return this.#note(this.#tradingDay, 0, contractNoteRounding(chargedFor(this.#lines)));
  }

  #note(tradingDay: string, seq: number, rounding: Charges): ContractNote {
    const lines = this.#lines;
    const charged = chargedFor(lines);
    const charges = addCharges(charged, rounding);
    let buyValuePaise = 0;
    let sellValuePaise = 0;
    for (const { side, valuePaise } of lines) {
      if (side === OrderSide.Buy) buyValuePaise -= valuePaise;
      else sellValuePaise += valuePaise;
    }
    const netPaise = sellValuePaise - buyValuePaise - chargesPaise(charges);
    return {
      userId: this.#userId,
      ...{ tradingDay, seq, lines, charged, rounding, charges, buyValuePaise, sellValuePaise, netPaise },
    };
  }
}

function chargedFor(lines: readonly NoteLine[]): Charges {
  return lines.reduce((sum, { charges }) => addCharges(sum, charges), NO_CHARGES);
}

function lineOf(event: LedgerEvent, sideOf: (orderID: number) => OrderSide): NoteLine | null {
  const { detail, orderID, instrumentId, product, tsMicros } = event;
  if (product === 0) return null;
  if (
    detail.type !== EventType.OrderFilled &&
    detail.type !== EventType.TradeBusted &&
    detail.type !== EventType.TradeCorrected
  )
    return null;
  const { execID, lastQty, lastPxPaise, charges } = detail;
  const side = sideOf(orderID);
  const sign = side === OrderSide.Buy ? -1 : 1;
  const line = { tsMicros, orderID, execID, instrumentId, product, side, charges };
  const executed = { ...line, quantity: lastQty, pricePaise: lastPxPaise };
  const valuePaise = sign * lastQty * lastPxPaise;
  if (detail.type === EventType.OrderFilled) return { ...executed, kind: 'trade', execRefID: '', valuePaise };
  const { execRefID, undone } = detail;
  const undonePaise = sign * undone.lastQty * undone.lastPxPaise;
  if (detail.type === EventType.TradeBusted) {
    const quantity = undone.lastQty;
    return { ...line, quantity, pricePaise: undone.lastPxPaise, kind: 'bust', execRefID, valuePaise: -undonePaise };
  }
  return { ...executed, kind: 'correction', execRefID, valuePaise: valuePaise - undonePaise };
}
