import type { LedgerBatch } from '../ledger/ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent, type Posting } from '../ledger/ledger-event.ts';
import { Product } from '../ledger/order.ts';
import { inOrder, moveBetween, postedTo, skewed } from './ledger-skew.ts';
import type { PlantedBug } from './planted-bugs.ts';
import type { Tampering } from './tampering.ts';

const { Available, Held, Margin, Gst, Exchange } = LedgerAccount;

/** Wrong rules of the ledger: events that say something else than they should, and balances that follow. */
export const LEDGER_BUGS = {
  'hold-not-released': () => skewed((event) => (ends(event) ? { ...event, postings: [] } : event)),
  'hold-released-twice': () => skewed((event) => (ends(event) ? scale(event, 2) : event)),
  'hold-short-by-a-paisa': () =>
    skewed((event) =>
      event.detail.type === EventType.OrderPlaced && event.detail.holdPaise > 0
        ? moveBetween(event, Available, Held, -1)
        : event,
    ),
  'hold-of-a-fill-kept': () =>
    skewed((event) => (isFill(event) ? { ...event, postings: withoutAccount(event.postings, Held) } : event)),
  'hold-not-raised': () =>
    skewed((event) => (event.detail.type === EventType.HoldRaised ? { ...event, postings: [] } : event)),
  'replace-hold-not-max': () => replaceHoldNotMax(),
  'charges-rounded-down': () => skewed((event) => (isFill(event) ? moveBetween(event, Gst, Available, 1) : event)),
  'fill-a-paisa-off': () => skewed((event) => (isFill(event) ? moveBetween(event, Exchange, Available, 1) : event)),
  'fill-on-the-wrong-side': () =>
    skewed((event) =>
      isFill(event) && event.product === Product.CNC
        ? moveBetween(event, Exchange, Available, 2 * postedTo(event, Exchange))
        : event,
    ),
  'margin-not-set': () =>
    skewed((event) => (isFill(event) ? { ...event, postings: withoutAccount(event.postings, Margin) } : event)),
  'posting-unbalanced': () => ({
    ...skewed((event) =>
      event.detail.type === EventType.Deposited
        ? {
            ...event,
            postings: event.postings.map((each) =>
              each.account === Available ? { ...each, amountPaise: each.amountPaise + 1 } : each,
            ),
          }
        : event,
    ),
    without: ['postings-sum'],
  }),
  'free-money-counted-twice': () => freeMoneyCountedTwice(),
  'sequence-gap': () => ({
    without: ['event-sequence'],
    batch: (batch) => ({
      ...batch,
      events: batch.events.filter(({ detail }) => detail.type !== EventType.OrderAccepted),
    }),
  }),
  'order-row-left-behind': () => ({ batch: (batch) => ({ ...batch, changedOrders: batch.changedOrders.slice(1) }) }),
  'position-row-left-behind': () => ({ batch: (batch) => ({ ...batch, positions: batch.positions.slice(1) }) }),
  'total-value-without-positions': () => ({
    batch: (batch) => ({
      ...batch,
      accounts: batch.accounts.map((row) => ({ ...row, totalValuePaise: row.cashPaise })),
    }),
  }),
} satisfies Record<string, PlantedBug>;

/** While a replace is unanswered, only what its new terms need is held. */
function replaceHoldNotMax(): Tampering {
  const tampering = skewed((event, batch) => {
    const { detail } = event;
    if (detail.type !== EventType.ModifyRequested) return event;
    const heldPaise = heldByNewTerms(event, batch);
    const lessPaise = detail.holdPaise - heldPaise;
    if (lessPaise <= 0) return event;
    return { ...moveBetween(event, Held, Available, lessPaise), detail: { ...detail, holdPaise: heldPaise } };
  });
  return {
    ...tampering,
    batch: (batch) => {
      const altered = tampering.batch!(batch);
      const holds = new Map<number, number>();
      for (const { orderID, detail } of altered.events) if ('holdPaise' in detail) holds.set(orderID, detail.holdPaise);
      const rows = altered.changedOrders.map((order) => ({
        ...order,
        holdPaise: Math.min(order.holdPaise, holds.get(order.orderID) ?? order.holdPaise),
      }));
      return { ...altered, changedOrders: rows };
    },
  };
}

function heldByNewTerms({ orderID, detail }: LedgerEvent, batch: LedgerBatch): number {
  const order = [...batch.changedOrders, ...batch.newOrders].find((each) => each.orderID === orderID);
  if (order === undefined || detail.type !== EventType.ModifyRequested || detail.holdPaise === 0)
    return Number.MAX_SAFE_INTEGER;
  const whole = Math.max(order.terms.quantity * order.holdPricePaise, detail.terms.quantity * detail.holdPricePaise);
  return Math.floor((detail.holdPaise * detail.terms.quantity * detail.holdPricePaise) / whole);
}

/** The engine believes that accounts have ten lakh rupees more than they have, and the database does not look. */
function freeMoneyCountedTwice(): Tampering {
  const EXTRA_PAISE = 100_000_000;
  const deluded = new Set<number>();
  return {
    without: ['account-covered'],
    loaded: (loaded) => {
      loaded.account.availablePaise += EXTRA_PAISE;
      deluded.add(loaded.account.userId);
      return loaded;
    },
    batch: (batch) => ({
      ...batch,
      accounts: batch.accounts.map((row) => {
        const extraPaise = deluded.has(row.userId) ? EXTRA_PAISE : 0;
        return {
          ...row,
          cashPaise: row.cashPaise - extraPaise,
          totalValuePaise: row.totalValuePaise - extraPaise,
        };
      }),
    }),
  };
}

function ends({ detail: { type } }: LedgerEvent): boolean {
  return type === EventType.OrderCanceled || type === EventType.OrderRejected || type === EventType.OrderExpired;
}

function isFill({ detail: { type } }: LedgerEvent): boolean {
  return type === EventType.OrderFilled;
}

function scale(event: LedgerEvent, factor: number): LedgerEvent {
  const postings = event.postings.map((each) => ({ ...each, amountPaise: each.amountPaise * factor }));
  return { ...event, postings };
}

/** What an account would have got stays where it is free. */
function withoutAccount(postings: readonly Posting[], left: LedgerAccount): readonly Posting[] {
  let sum = 0;
  for (const { account, amountPaise } of postings) if (account === left) sum += amountPaise;
  if (sum === 0) return postings;
  return inOrder([...postings.filter(({ account }) => account !== left), { account: Available, amountPaise: sum }]);
}
