import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import type { ExecutionReport } from '../../core/fix/execution-report.ts';
import type { ExecutionReportRecord } from '../../core/fix/execution-report-record.ts';
import { fixDictionary } from '../../core/fix/fix-dictionaries.ts';
import type { FixMessage } from '../../core/fix/fix-message.ts';
import type { FixStore } from '../../core/fix/fix-store.ts';
import type { FixVersion } from '../../core/fix/fix-version.ts';
import {
  type ExecType,
  MassCancelRequestType,
  OrdType,
  Side,
  TimeInForce,
} from '../../core/fix/generated/fix-enums.gen.ts';
import type { NewOrderSingle, OrderCancelReject } from '../../core/fix/order-messages.ts';
import type { OrderMassCancelReport } from '../../core/fix/order-status-messages.ts';
import { SESSION_DEFAULTS } from '../../core/fix/session-contract.ts';
import type { RequestRefused } from '../../core/fix/venue-refusals.ts';
import type { ReportStanding } from '../../core/fix/venue-reports.ts';
import type { VenueListener, VenueSession } from '../../core/fix/venue-session.ts';
import { VenueGateway, type VenueGatewayOptions } from '../venue-gateway.ts';

/** A gateway with what it is told, for tests against the simulator or a venue of their own. */

const WAIT_MS = 30_000;
/** Of the simulator. */
export const VENUE_COMP_ID = 'OUTCRYX';
/** Between ITC's best bid and best offer in the market of seed 1; and far below it. */
export const BETWEEN_PAISE = 41_025;
export const LOW_PAISE = 40_000;

export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Notes what a venue tells, in short. */
export class Recorder implements VenueListener {
  /** Of the reports. */
  readonly deliveries: { session: string; epoch: number; msgSeqNum: number }[] = [];
  readonly reports: (ExecutionReport & { standing: ReportStanding; session: string })[] = [];
  readonly cancelRejects: (OrderCancelReject & { code: number })[] = [];
  readonly massCancels: (OrderMassCancelReport & { code: number })[] = [];
  readonly refused: RequestRefused[] = [];
  readonly states: string[] = [];
  readonly unexpected: string[] = [];
  settledCount = 0;

  onExecution(session: VenueSession, report: ExecutionReportRecord, standing: ReportStanding): void {
    this.reports.push({ ...report.toReport(), standing, session: session.name });
    this.deliveries.push({ session: session.name, epoch: session.epoch, msgSeqNum: session.deliverySeqNum });
  }
  onCancelReject(_: VenueSession, reject: OrderCancelReject, code: number): void {
    this.cancelRejects.push({ ...reject, code });
  }
  onMassCancelReport(_: VenueSession, report: OrderMassCancelReport, code: number): void {
    this.massCancels.push({ ...report, code });
  }
  onRefused(_: VenueSession, refused: RequestRefused): void {
    this.refused.push(refused);
  }
  onState(session: VenueSession, loggedOn: boolean): void {
    this.states.push(`${session.name} ${loggedOn ? 'up' : 'down'}`);
  }
  onSettled(): void {
    this.settledCount++;
  }
  onUnexpected(_: VenueSession, message: FixMessage, text: string): void {
    this.unexpected.push(`${String.fromCharCode(message.msgType & 0xff)}: ${text}`);
  }

  of(clOrdID: string, execType?: ExecType) {
    return this.reports.filter(
      (report) => report.clOrdID === clOrdID && (execType === undefined || report.execType === execType),
    );
  }

  async report(clOrdID: string, execType: ExecType) {
    await until(() => this.of(clOrdID, execType).length > 0, `${clOrdID} is ${String.fromCharCode(execType)}`);
    return this.of(clOrdID, execType).at(-1)!;
  }
}

/** A line to the exchange that can be cut: while it is, nobody gets through. */
export async function cuttable(t: Test, port: number) {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => other.destroy());
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(() => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cut, mend: () => (isCut = false) };
}

interface Options extends Partial<Omit<VenueGatewayOptions, 'sessions' | 'listener'>> {
  names?: readonly string[];
  /** By session; the exchange's own where there is none. */
  ports?: readonly number[];
  beginString?: FixVersion;
  /** Of the one session, which then goes on with its numbers. */
  store?: FixStore;
  /** Whether what comes in is held against the dictionary. Yes. */
  validated?: boolean;
}

export async function gateway(
  t: Test,
  port: number,
  { names = ['DESK'], ports = [], beginString = 'FIX.4.4', validated = true, store, ...rest }: Options = {},
) {
  const events = new Recorder();
  const made = new VenueGateway({
    sessions: names.map((name, position) => ({
      name,
      host: '127.0.0.1',
      port: ports[position] ?? port,
      reconnectMinMs: 20,
      reconnectMaxMs: 50,
      ...(store === undefined ? {} : { store }),
      session: {
        ...SESSION_DEFAULTS,
        resetOnLogon: store === undefined,
        beginString,
        dictionary: validated ? fixDictionary(beginString) : null,
        role: 'initiator' as const,
        senderCompID: name,
        targetCompID: VENUE_COMP_ID,
        gapPolicy: 'resend' as const,
      },
    })),
    listener: events,
    throttle: { messagesPerSecond: 0, burst: 1, queueMax: 10 },
    ...rest,
  });
  t.teardown(() => made.close(''));
  return { gateway: made, events, up: () => until(() => names.every((name) => made.isUp(name)), 'logged on') };
}

export function order(clOrdID: string, change: Partial<NewOrderSingle> = {}): NewOrderSingle {
  return {
    clOrdID,
    account: 'ACC1',
    symbol: 'ITC',
    side: Side.Buy,
    orderQty: 10,
    ordType: OrdType.Limit,
    pricePaise: LOW_PAISE,
    timeInForce: TimeInForce.Day,
    transactTimeMicros: Date.now() * 1_000,
    ...change,
  };
}

export const cancelOf = (clOrdID: string, origClOrdID: string) => ({ ...order(clOrdID), origClOrdID });
export const replaceOf = (clOrdID: string, origClOrdID: string, change: Partial<NewOrderSingle>) => ({
  ...order(clOrdID, change),
  origClOrdID,
});
export const cancelAll = (clOrdID: string) => ({
  ...{ clOrdID, symbol: '', side: null, transactTimeMicros: Date.now() * 1_000 },
  massCancelRequestType: MassCancelRequestType.CancelAllOrders,
});
