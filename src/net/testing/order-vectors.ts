import type { ControlMap } from '../../core/fan-out/control-codec.ts';
import { EventType, LedgerAccount, type LedgerEvent } from '../../core/ledger/ledger-event.ts';
import { OrderSide, OrderType, Product, Validity } from '../../core/ledger/order.ts';
import { eventMap } from '../../core/order-entry/event-message.ts';
import { refusalMap, replyMap } from '../../core/order-entry/order-messages.ts';
import { RefusalCode } from '../../core/refusal-codes.ts';

/** Messages about orders for the vectors of the protocol: what clients send, and answers and events as the engine renders them. */
export function orderVectors(): ControlMap[] {
  const orderID = 233_048_919_900_160;
  const check = { check: 'buying-power', unit: 'paise', limit: 500, used: 0, after: 2_450_000, passed: false } as const;
  const common = { userId: 42, tsMicros: 1_790_000_000_000_000, orderID, instrumentId: 7, product: Product.CNC };
  const terms = { quantity: 10, ordType: OrderType.Limit, pricePaise: 245_000, triggerPricePaise: 0 };
  const placed: LedgerEvent = {
    ...common,
    seq: 3,
    postings: [
      { account: LedgerAccount.Available, amountPaise: -2_453_215 },
      { account: LedgerAccount.Held, amountPaise: 2_453_215 },
    ],
    detail: {
      type: EventType.OrderPlaced,
      side: OrderSide.Buy,
      validity: Validity.DAY,
      terms,
      clientOrderID: 'C-1',
      holdPricePaise: 245_000,
      holdPaise: 2_453_215,
      exposureQty: 10,
    },
  };
  const charges = {
    brokeragePaise: 0,
    sttPaise: 1_000,
    exchangePaise: 30,
    sebiPaise: 1,
    stampDutyPaise: 147,
    gstPaise: 6,
    depositoryPaise: 0,
  };
  const filled: LedgerEvent = {
    ...common,
    seq: 4,
    postings: [
      { account: LedgerAccount.Held, amountPaise: -1_471_929 },
      { account: LedgerAccount.Available, amountPaise: 1_471_929 - 1_000_000 - 1_184 },
      { account: LedgerAccount.Exchange, amountPaise: 1_000_000 },
    ],
    detail: {
      type: EventType.OrderFilled,
      execID: 'X-1',
      venue: 'EXCHANGE',
      tradingDay: '2026-11-26',
      lastQty: 4,
      lastPxPaise: 250_000,
      charges,
      position: { quantity: 4, openValuePaise: 1_000_000, marginPaise: 0, realisedPaise: 0 },
      cumQty: 4,
      cumValuePaise: 1_000_000,
      leavesQty: 6,
      holdPaise: 981_286,
      exposureQty: 6,
      isLate: false,
    },
  };
  const raised: LedgerEvent = {
    ...common,
    seq: 5,
    product: Product.MIS,
    postings: [
      { account: LedgerAccount.Available, amountPaise: -490_000 },
      { account: LedgerAccount.Held, amountPaise: 490_000 },
    ],
    detail: { type: EventType.HoldRaised, holdPaise: 493_215, exposureQty: 10 },
  };
  const place = { action: 'place', symbol: 'RELIANCE', side: 'BUY', product: 'CNC', orderType: 'LIMIT' };
  return [
    { id: 1, action: 'login', token: 'header.payload.signature' },
    { id: 1, action: 'loggedIn', userId: 9_007_199_254_740_991, seq: 2 },
    { id: 2, ...place, quantity: 10, pricePaise: 245_000, clientOrderId: 'C-1' },
    { id: 2, ...replyMap({ type: 'place' }, { kind: 'placed', orderID, seq: 3, isRepeat: false }) },
    { id: 3, action: 'modify', orderId: orderID, orderType: 'SL-M', quantity: 5, triggerPricePaise: 246_000 },
    { id: 4, action: 'cancel', orderId: orderID },
    { id: 4, ...replyMap({ type: 'cancel' }, { kind: 'change-requested', orderID, seq: 5 }) },
    { id: 5, ...refusalMap({ code: RefusalCode.BuyingPower, text: 'buying-power', check }) },
    { id: 6, action: 'resume', fromSeq: 2 },
    eventMap(placed, 'RELIANCE'),
    eventMap(filled, 'RELIANCE'),
    eventMap(raised, 'RELIANCE'),
  ];
}
