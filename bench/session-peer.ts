/** The counterparty of the session bench, in a thread of its own: an acceptor that checks and keeps as little as it can. */
import { parentPort, workerData } from 'node:worker_threads';
import { writeExecutionReport } from '../src/core/fix/execution-report.ts';
import type { FixMessage } from '../src/core/fix/fix-message.ts';
import type { FixSession } from '../src/core/fix/fix-session.ts';
import { MsgType } from '../src/core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../src/core/fix/generated/fix-tags.gen.ts';
import { SESSION_DEFAULTS } from '../src/core/fix/session-contract.ts';
import { listenFix } from '../src/net/fix-tcp.ts';
import { benchReport, SESSION_COMP_IDS } from './session-messages.ts';

/** What it is asked: to send so many reports, or to tell when so many orders have come. */
export type PeerRequest = { readonly send: number } | { readonly expect: number };
/** Where it listens; that what was expected has come, with the sum of the quantities. */
export type PeerAnswer = { readonly port: number } | { readonly received: number; readonly checksum: number };

const OUTBOUND_BYTES_MAX = 256 * 1024 * 1024;
/** Sent in one turn of the loop: some 300 KB. */
const REPORTS_A_TURN = 1_000;

async function serve(): Promise<void> {
  const port = parentPort!;
  let session: FixSession | undefined;
  let expected = 0;
  let received = 0;
  let checksum = 0;
  const acceptor = await listenFix({
    port: 0,
    outboundBytesMax: OUTBOUND_BYTES_MAX,
    session: {
      ...SESSION_DEFAULTS,
      role: 'acceptor',
      senderCompID: SESSION_COMP_IDS.venue,
      targetCompID: SESSION_COMP_IDS.broker,
      gapPolicy: 'resend',
    },
    application: {
      onLogon(loggedOn) {
        session = loggedOn;
      },
      onMessage(_session: FixSession, message: FixMessage) {
        received++;
        checksum = (checksum + message.int(message.find(Tag.OrderQty, message.bodyPosition))) | 0;
        if (received !== expected) return;
        port.postMessage({ received, checksum } satisfies PeerAnswer);
        received = 0;
        checksum = 0;
      },
      onGap() {},
      onLogout() {},
    },
  });
  const send = (left: number, number: number): void => {
    const nowMs = Date.now();
    const turn = Math.min(left, REPORTS_A_TURN);
    for (let i = 0; i < turn; i++) {
      writeExecutionReport(session!.begin(MsgType.ExecutionReport, nowMs), benchReport(number + i));
      session!.send(nowMs);
    }
    if (left > turn) setImmediate(send, left - turn, number + turn);
  };
  port.on('message', (request: PeerRequest | 'close') => {
    if (request === 'close') {
      port.close();
      void acceptor.close('the bench is over');
    } else if ('send' in request) send(request.send, 0);
    else expected = request.expect;
  });
  port.postMessage({ port: acceptor.port } satisfies PeerAnswer);
}

if (workerData === 'session-peer') await serve();
