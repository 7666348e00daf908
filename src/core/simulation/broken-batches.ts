import type { Holding, Position } from '../ledger/account.ts';
import type { AccountRow, FixSessionRow, TradeRow } from '../ledger/ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent } from '../ledger/ledger-event.ts';
import { isTerminal, type Order, OrderStatus } from '../ledger/order.ts';
import { inOrder } from './ledger-skew.ts';
import type { ModelTables } from './model-tables.ts';

/** A batch while it is made. */
export interface DraftBatch {
  batchId: number;
  shard: number;
  epoch: number;
  events: LedgerEvent[];
  accounts: AccountRow[];
  newOrders: Order[];
  changedOrders: Order[];
  positions: { userId: number; position: Position }[];
  holdings: { userId: number; holding: Holding }[];
  trades: TradeRow[];
  sessions: FixSessionRow[];
}

/** What is done to a batch so that it must be refused; false where there is nothing in it to do it to. */
type Break = (draft: DraftBatch, tables: ModelTables) => boolean;

const BREAKS = {
  'stale epoch': (draft) => {
    draft.epoch--;
    return true;
  },
  'batch id of before': (draft, tables) => {
    draft.batchId = tables.owners.get(draft.shard)!.lastBatchId;
    return draft.batchId > 0;
  },
  'gap in the sequence': (draft) => {
    const { userId } = draft.accounts[0]!;
    draft.events = draft.events.map((event) => (event.userId === userId ? { ...event, seq: event.seq + 1 } : event));
    changeAccount(draft, (row) => ({ ...row, firstSeq: row.firstSeq + 1, lastSeq: row.lastSeq + 1 }));
    return true;
  },
  'event of before': (draft) => {
    const event = draft.events[0]!;
    if (event.seq === 1) return false;
    draft.events[0] = { ...event, seq: event.seq - 1 };
    return true;
  },
  'event missing': (draft) => {
    draft.events.pop();
    return true;
  },
  'postings unbalanced': (draft) => {
    const at = draft.events.findIndex(({ postings }) => postings.length > 0);
    if (at < 0) return false;
    const event = draft.events[at]!;
    const [first, ...rest] = event.postings;
    draft.events[at] = { ...event, postings: [{ ...first!, amountPaise: first!.amountPaise + 1 }, ...rest] };
    return true;
  },
  'postings out of order': (draft) => {
    const at = draft.events.findIndex(({ postings }) => postings.length > 0);
    if (at < 0) return false;
    const event = draft.events[at]!;
    draft.events[at] = { ...event, postings: [...event.postings].reverse() };
    return true;
  },
  'account missing': (draft) => {
    draft.accounts.pop();
    return true;
  },
  'account without events': (draft) => {
    const { userId } = draft.accounts[0]!;
    draft.events = draft.events.filter((event) => event.userId !== userId);
    return true;
  },
  'account twice': (draft) => {
    draft.accounts.push(draft.accounts[0]!);
    return true;
  },
  'cash wrong': (draft) => {
    changeAccount(draft, (row) => ({ ...row, cashPaise: row.cashPaise + 1 }));
    return true;
  },
  'margin used wrong': (draft) => {
    changeAccount(draft, (row) => ({ ...row, marginUsedPaise: row.marginUsedPaise - 1 }));
    return true;
  },
  'not covered': (draft) => {
    const event = draft.events.at(-1)!;
    const row = draft.accounts.at(-1)!;
    if (event.userId !== row.userId || event.seq === 1) return false;
    const amountPaise = row.cashPaise - row.marginUsedPaise + 1;
    const { Available, Bank } = LedgerAccount;
    const postings = inOrder([
      ...event.postings,
      { account: Available, amountPaise: -amountPaise },
      { account: Bank, amountPaise },
    ]);
    draft.events[draft.events.length - 1] = { ...event, postings };
    draft.accounts[draft.accounts.length - 1] = { ...row, cashPaise: row.cashPaise - amountPaise, mustBeCovered: true };
    return true;
  },
  'held negative': (draft, tables) => {
    const event = draft.events.at(-1)!;
    const row = draft.accounts.at(-1)!;
    if (event.userId !== row.userId || event.seq === 1) return false;
    const amountPaise = (tables.accounts.get(row.userId)?.heldPaise ?? 0) + 1e12;
    const { Available, Held } = LedgerAccount;
    const postings = inOrder([
      ...event.postings,
      { account: Held, amountPaise: -amountPaise },
      { account: Available, amountPaise },
    ]);
    draft.events[draft.events.length - 1] = { ...event, postings };
    draft.accounts[draft.accounts.length - 1] = { ...row, marginUsedPaise: row.marginUsedPaise - amountPaise };
    return true;
  },
  'client order id of before': (draft, tables) => {
    const order = draft.newOrders[0];
    const used = [...tables.orders.values()].find((each) => each.userId === order?.userId && each.clientOrderID !== '');
    if (order === undefined || used === undefined) return false;
    draft.newOrders[0] = { ...order, clientOrderID: used.clientOrderID };
    return true;
  },
  'client order id twice': (draft) => {
    const order = draft.newOrders.find(({ clientOrderID }) => clientOrderID !== '');
    if (order === undefined) return false;
    draft.newOrders.push({ ...order, orderID: order.orderID + 1_000_000 });
    return true;
  },
  'order id of before': (draft, tables) => {
    const order = draft.newOrders[0];
    const used = tables.orders.keys().next().value;
    if (order === undefined || used === undefined) return false;
    draft.newOrders[0] = { ...order, orderID: used };
    return true;
  },
  'order id below those that ended': (draft, tables) => {
    const order = draft.newOrders[0];
    const orderID = tables.owners.get(draft.shard)!.openFrom - 2;
    if (order === undefined || orderID < 1 || tables.orders.has(orderID)) return false;
    draft.newOrders[0] = { ...order, orderID };
    return true;
  },
  'order of nothing': (draft) => {
    const order = draft.newOrders[0];
    if (order === undefined) return false;
    draft.newOrders[0] = { ...order, terms: { ...order.terms, quantity: 0 } };
    return true;
  },
  'reference of before': (draft, tables) => {
    const at = draft.events.findIndex(({ detail }) => detail.type === EventType.Deposited);
    const event = draft.events[at];
    if (event === undefined || event.detail.type !== EventType.Deposited) return false;
    const before = (tables.events.get(event.userId) ?? []).find(({ detail }) => detail.type === EventType.Deposited);
    if (before?.detail.type !== EventType.Deposited) return false;
    draft.events[at] = { ...event, detail: { ...event.detail, reference: before.detail.reference } };
    return true;
  },
  'trade of before': (draft, tables) => {
    const trade = draft.trades[0];
    const used = tables.trades.values().next().value;
    if (trade === undefined || used === undefined) return false;
    draft.trades[0] = { ...trade, execID: used.execID, venue: used.venue };
    return true;
  },
  'trade twice': (draft) => {
    const trade = draft.trades[0];
    if (trade === undefined) return false;
    draft.trades.push(trade);
    return true;
  },
  'change of an unknown order': (draft) => changeOrder(draft, (order) => ({ ...order, orderID: 5 })),
  'change of another user’s order': (draft) => changeOrder(draft, (order) => ({ ...order, userId: order.userId + 1 })),
  'change twice': (draft) => {
    const order = draft.changedOrders[0];
    if (order === undefined) return false;
    draft.changedOrders.push(order);
    return true;
  },
  'an ended order lives': (draft, tables) => {
    const at = draft.changedOrders.findIndex(({ orderID }) => isTerminal(tables.orders.get(orderID)!.status));
    if (at < 0) return false;
    draft.changedOrders[at] = { ...draft.changedOrders[at]!, status: OrderStatus.Open };
    return true;
  },
  'position twice': (draft) => {
    const position = draft.positions[0];
    if (position === undefined) return false;
    draft.positions.push(position);
    return true;
  },
  'holding twice': (draft) => {
    const holding = draft.holdings[0];
    if (holding === undefined) return false;
    draft.holdings.push(holding);
    return true;
  },
  'session goes back': (draft, tables) => {
    const before = tables.sessions.values().next().value;
    if (before === undefined || before.lastReceivedSeqNum === 0) return false;
    const others = draft.sessions.filter(({ sessionName }) => sessionName !== before.sessionName);
    draft.sessions = [...others, { ...before, lastReceivedSeqNum: before.lastReceivedSeqNum - 1 }];
    return true;
  },
  'session of an earlier epoch': (draft, tables) => {
    const before = tables.sessions.values().next().value;
    if (before === undefined) return false;
    const others = draft.sessions.filter(({ sessionName }) => sessionName !== before.sessionName);
    const lastReceivedSeqNum = before.lastReceivedSeqNum + 5;
    draft.sessions = [...others, { ...before, epoch: before.epoch - 1, lastReceivedSeqNum }];
    return true;
  },
  'session twice': (draft) => {
    const session = draft.sessions[0];
    if (session === undefined) return false;
    draft.sessions.push(session);
    return true;
  },
} satisfies Record<string, Break>;

export type BatchFault = keyof typeof BREAKS;

export const BATCH_FAULTS = Object.keys(BREAKS) as BatchFault[];

export function breakBatch(draft: DraftBatch, fault: BatchFault, tables: ModelTables): boolean {
  const broken: Break = BREAKS[fault];
  return broken(draft, tables);
}

function changeAccount(draft: DraftBatch, change: (row: DraftBatch['accounts'][0]) => DraftBatch['accounts'][0]): void {
  draft.accounts[0] = change(draft.accounts[0]!);
}

function changeOrder(
  draft: DraftBatch,
  change: (order: DraftBatch['changedOrders'][0]) => DraftBatch['changedOrders'][0],
): boolean {
  const order = draft.changedOrders[0];
  if (order === undefined) return false;
  draft.changedOrders[0] = change(order);
  return true;
}
