import { type ExecutionReport, writeExecutionReport } from '../fix/execution-report.ts';
import type { FieldProblem, Parsed } from '../fix/field-reader.ts';
import type { FixMessage } from '../fix/fix-message.ts';
import type { FixSession } from '../fix/fix-session.ts';
import {
  BusinessRejectReason,
  CxlRejResponseTo,
  ExecType,
  MsgType,
  OrdRejReason,
  OrdStatus,
  OrdType,
  Side,
  TimeInForce,
} from '../fix/generated/fix-enums.gen.ts';
import type { HeldTargetStore } from '../fix/held-target-store.ts';
import {
  type NewOrderSingle,
  readNewOrderSingle,
  readOrderCancelReplaceRequest,
  readOrderCancelRequest,
  writeOrderCancelReject,
} from '../fix/order-messages.ts';
import {
  readOrderMassCancelRequest,
  readOrderStatusRequest,
  writeOrderMassCancelReport,
} from '../fix/order-status-messages.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import type { Product } from '../ledger/order.ts';
import type { CommandOrigin, CommandReply, OrderCommand } from '../orders/order-command.ts';
import { accountOf } from '../orders/venue-terms.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { FeedOfReports } from './client-feed.ts';
import { cancelAllOf, massCancelReport } from './client-mass-cancel.ts';
import { cxlRejReasonOf, ordRejReasonOf, refusalText } from './client-refusals.ts';
import type { ClientReport } from './client-reports.ts';
import { placeOrderOf, termsOf } from './client-requests.ts';

/** A FIX client as it is configured. */
export interface ClientSettings {
  readonly compID: string;
  /** `orders`: its own account alone. `drop-copy`: the reports of several accounts, and no order is taken. */
  readonly kind: 'orders' | 'drop-copy';
  readonly userIds: readonly number[];
  /** Of all its orders: FIX has no field for it. */
  readonly product: Product;
}

/** Requests of a client that wait for the ledger. */
export const UNANSWERED_MAX = 1_024;
const MICROS_A_MILLI = 1_000;
const CHANNEL_PREFIX = 'fix:';

/** A request that the order service has not answered. */
interface Unanswered {
  readonly msgSeqNum: number;
  readonly epoch: number;
  isDone: boolean;
  readonly refuse: (code: number, text: string) => void;
  /** What a reply that is no refusal has to be told of at once: all else comes as events. */
  readonly taken: (reply: CommandReply) => void;
}

/** One FIX client: its requests become commands, what happens to its orders becomes reports. Outlives its connections. Sans-I/O. */
export class ClientSession {
  readonly settings: ClientSettings;
  readonly channel: string;
  readonly #store: HeldTargetStore;
  readonly #command: (command: OrderCommand) => void;
  readonly #unanswered = new Map<number, Unanswered>();
  #feeds: readonly FeedOfReports[] = [];
  #session: FixSession | null = null;
  #requestID = 0;
  #answerNumber = 0;

  constructor(settings: ClientSettings, store: HeldTargetStore, command: (command: OrderCommand) => void) {
    this.settings = settings;
    this.channel = `${CHANNEL_PREFIX}${settings.compID}`;
    this.#store = store;
    this.#command = command;
  }

  get isUp(): boolean {
    return this.#session?.loggedOn === true;
  }

  /** How far the reports of each account have come. */
  get seqs(): ReadonlyMap<number, number> {
    return new Map(this.#feeds.map(({ userId, seq }) => [userId, seq]));
  }

  /** What it is told of; once, before the first logon. */
  attach(feeds: readonly FeedOfReports[]): void {
    this.#feeds = feeds;
  }

  onLogon(session: FixSession): void {
    this.#session = session;
    for (const feed of this.#feeds) feed.resume();
  }

  onLogout(session: FixSession): void {
    if (this.#session === session) this.#session = null;
  }

  onTimer(): void {
    for (const feed of this.#feeds) feed.pump();
  }

  /** Durable events of an account. */
  push(userId: number, events: readonly LedgerEvent[]): void {
    for (const feed of this.#feeds) if (feed.userId === userId) feed.push(events);
  }

  send(report: ClientReport): void {
    const session = this.#session!;
    const { nowMs } = session;
    const encoder = session.begin(report.msgType, nowMs);
    if (report.msgType === MsgType.ExecutionReport) writeExecutionReport(encoder, report.report);
    else writeOrderCancelReject(encoder, report.reject);
    session.send(nowMs);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    const { msgType } = message;
    const isRequest =
      msgType === MsgType.NewOrderSingle ||
      msgType === MsgType.OrderCancelRequest ||
      msgType === MsgType.OrderCancelReplaceRequest ||
      msgType === MsgType.OrderMassCancelRequest;
    if (this.settings.kind === 'orders' && msgType === MsgType.OrderStatusRequest) {
      this.#status(session, message);
    } else if (!isRequest || this.settings.kind !== 'orders') {
      const text = this.settings.kind === 'orders' ? 'D, F, G, H and q are taken' : 'a drop copy takes no requests';
      session.businessReject(message, '', BusinessRejectReason.UnsupportedMessageType, text, session.nowMs);
    } else if (this.#unanswered.size >= UNANSWERED_MAX) {
      const text = `${UNANSWERED_MAX} requests wait for an answer`;
      session.businessReject(message, '', BusinessRejectReason.ApplicationNotAvailable, text, session.nowMs);
    } else {
      this.#request(session, message);
      return;
    }
    this.#committed(this.#note(message));
  }

  /** The service's answer to a command of this client. */
  answer({ requestID }: CommandOrigin, reply: CommandReply): void {
    const unanswered = this.#unanswered.get(requestID);
    if (unanswered === undefined) return;
    if (this.isUp && reply.kind === 'refused') unanswered.refuse(reply.code, reply.text);
    else if (this.isUp) unanswered.taken(reply);
    this.#committed(requestID);
  }

  #request(session: FixSession, message: FixMessage): void {
    switch (message.msgType) {
      case MsgType.NewOrderSingle:
        this.#place(session, message);
        break;
      case MsgType.OrderCancelRequest: {
        const request = bodyOf(session, message, readOrderCancelRequest(message));
        if (request === null) this.#committed(this.#note(message));
        else
          this.#change(message, request, CxlRejResponseTo.OrderCancelRequest, (orderID) => {
            return { type: 'cancel', orderID, clientOrderID: request.clOrdID };
          });
        break;
      }
      case MsgType.OrderMassCancelRequest:
        this.#cancelAll(session, message);
        break;
      default: {
        const request = bodyOf(session, message, readOrderCancelReplaceRequest(message));
        if (request === null) this.#committed(this.#note(message));
        else
          this.#change(message, request, CxlRejResponseTo.OrderCancelReplaceRequest, (orderID) => {
            const terms = termsOf(request);
            return 'code' in terms ? terms : { type: 'modify', orderID, terms, clientOrderID: request.clOrdID };
          });
      }
    }
  }

  #place(session: FixSession, message: FixMessage): void {
    const order = bodyOf(session, message, readNewOrderSingle(message));
    const userId = this.settings.userIds[0]!;
    const refuse = (code: number, text: string): void => {
      const rejected = { execType: ExecType.Rejected, ordStatus: OrdStatus.Rejected };
      const words = { ordRejReason: ordRejReasonOf(code), text: refusalText(code, text) };
      this.#report({ ...this.#nothing(order!), ...rejected, ...words });
    };
    const requestID = this.#note(message, refuse, (reply) => {
      if (reply.kind === 'placed' && reply.isRepeat) this.#tellStatus(order!.clOrdID, '');
    });
    if (order === null) {
      this.#committed(requestID);
      return;
    }
    const command = placeOrderOf(order, userId, this.settings.product);
    if ('code' in command) {
      refuse(command.code, command.text);
      this.#committed(requestID);
    } else {
      this.#command({ ...command, origin: this.#origin(requestID) });
    }
  }

  #cancelAll(session: FixSession, message: FixMessage): void {
    const request = bodyOf(session, message, readOrderMassCancelRequest(message));
    const tell = (reply: Parameters<typeof massCancelReport>[1]): void => {
      const current = this.#session!;
      const report = massCancelReport(request!, reply, this.#nowMicros);
      writeOrderMassCancelReport(current.begin(MsgType.OrderMassCancelReport, current.nowMs), report);
      current.send(current.nowMs);
    };
    const refuse = (code: number, text: string): void => tell({ kind: 'refused', code, text, check: null });
    const requestID = this.#note(message, refuse, (reply) => {
      if (reply.kind === 'cancels-requested') tell(reply);
    });
    const command = request === null ? null : cancelAllOf(request, this.settings.userIds[0]!);
    if (command !== null && !('code' in command)) {
      this.#command({ ...command, origin: this.#origin(requestID) });
      return;
    }
    if (command !== null) refuse(command.code, command.text);
    this.#committed(requestID);
  }

  #change(
    message: FixMessage,
    request: { readonly clOrdID: string; readonly origClOrdID: string },
    cxlRejResponseTo: CxlRejResponseTo,
    make: (
      orderID: number,
    ) =>
      | Omit<Extract<OrderCommand, { type: 'cancel' | 'modify' }>, 'origin' | 'userId'>
      | Extract<CommandReply, { kind: 'refused' }>,
  ): void {
    const { clOrdID, origClOrdID } = request;
    const reports = this.#feeds[0]?.reports;
    const order = reports?.find(origClOrdID);
    const refuse = (code: number, text: string): void => {
      const reject = {
        orderID: order === undefined ? NO_ORDER_ID : String(order.orderID),
        clOrdID,
        origClOrdID,
        ordStatus: reports?.status(origClOrdID, '', '', 0)?.ordStatus ?? OrdStatus.Rejected,
        cxlRejResponseTo,
        cxlRejReason: cxlRejReasonOf(code),
        transactTimeMicros: this.#nowMicros,
        text: refusalText(code, text),
      };
      this.send({ msgType: MsgType.OrderCancelReject, reject });
    };
    const requestID = this.#note(message, refuse);
    const command = order === undefined ? UNKNOWN : make(order.orderID);
    if ('code' in command) {
      refuse(command.code, command.text);
      this.#committed(requestID);
      return;
    }
    const userId = this.settings.userIds[0]!;
    this.#command({ ...command, userId, origin: this.#origin(requestID) } as OrderCommand);
  }

  #status(session: FixSession, message: FixMessage): void {
    const request = bodyOf(session, message, readOrderStatusRequest(message));
    if (request !== null) this.#tellStatus(request.clOrdID, request.ordStatusReqID);
  }

  #tellStatus(clOrdID: string, ordStatusReqID: string): void {
    const report = this.#feeds[0]?.reports.status(clOrdID, ordStatusReqID, this.#execID(), this.#nowMicros);
    const unknown = { execType: ExecType.OrderStatus, ordRejReason: OrdRejReason.UnknownOrder, ordStatusReqID };
    this.#report(report ?? { ...this.#nothing({ ...NO_ORDER, clOrdID }), ...unknown, text: UNKNOWN.text });
  }

  #report(report: ExecutionReport): void {
    this.send({ msgType: MsgType.ExecutionReport, report });
  }

  /** A report about an order that there is none of. */
  #nothing(order: NewOrderSingle): ExecutionReport {
    return {
      ...order,
      account: accountOf(this.settings.userIds[0]!),
      orderID: NO_ORDER_ID,
      origClOrdID: '',
      execID: this.#execID(),
      execRefID: '',
      execType: ExecType.Rejected,
      ordStatus: OrdStatus.Rejected,
      ordRejReason: null,
      lastQty: 0,
      lastPxPaise: 0,
      leavesQty: 0,
      cumQty: 0,
      avgPxPaise: 0,
      transactTimeMicros: this.#nowMicros,
      text: '',
      ordStatusReqID: '',
      massStatusReqID: '',
      totNumReports: 0,
      lastRptRequested: false,
    };
  }

  /** A message that is taken and not done with. */
  #note(
    { msgSeqNum }: FixMessage,
    refuse: Unanswered['refuse'] = () => {},
    taken: Unanswered['taken'] = () => {},
  ): number {
    const requestID = ++this.#requestID;
    this.#unanswered.set(requestID, { msgSeqNum, epoch: this.#store.epoch, isDone: false, refuse, taken });
    return requestID;
  }

  /** What a message did is durable: the store learns its number when those before it are done as well. */
  #committed(requestID: number): void {
    this.#unanswered.get(requestID)!.isDone = true;
    for (const [id, { isDone, epoch, msgSeqNum }] of this.#unanswered) {
      if (!isDone) return;
      this.#unanswered.delete(id);
      this.#store.committed(epoch, msgSeqNum);
    }
  }

  #origin(requestID: number): CommandOrigin {
    return { channel: this.channel, generation: 0, connection: 0, requestID };
  }

  /** Of what is no event: it never looks like that of one. */
  #execID(): string {
    return `A${this.#nowMicros}-${++this.#answerNumber}`;
  }

  get #nowMicros(): number {
    return (this.#session?.nowMs ?? 0) * MICROS_A_MILLI;
  }
}

const NO_ORDER_ID = 'NONE';
const UNKNOWN = { kind: 'refused', code: RefusalCode.UnknownOrder, text: 'no such order', check: null } as const;
const NO_ORDER: NewOrderSingle = {
  clOrdID: '',
  account: '',
  symbol: '[N/A]',
  side: Side.Undisclosed,
  orderQty: 0,
  ordType: OrdType.Market,
  pricePaise: 0,
  timeInForce: TimeInForce.Day,
  transactTimeMicros: 0,
};

function bodyOf<T>(session: FixSession, message: FixMessage, parsed: Parsed<T>): T | null {
  if (parsed.ok) return parsed.value;
  session.reject(message, parsed as FieldProblem, session.nowMs);
  return null;
}
