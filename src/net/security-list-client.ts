import { OutcryError } from '../core/errors.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { MsgType, SecurityListRequestType, SecurityRequestResult } from '../core/fix/generated/fix-enums.gen.ts';
import { readBusinessMessageReject } from '../core/fix/order-status-messages.ts';
import {
  type ListedSecurity,
  readSecurityList,
  type SecurityList,
  writeSecurityListRequest,
} from '../core/fix/security-messages.ts';
import type { FixApplication } from '../core/fix/session-contract.ts';
import { INSTRUMENT_MASTER_MAX_COUNT } from '../core/market-data/instrument-master.ts';
import { connectFix, type FixInitiatorOptions } from './fix-tcp.ts';

const REQUEST_ID = 'LIST1';

export interface SecurityListOptions extends Omit<FixInitiatorOptions, 'application'> {
  /** How long the whole list may take, the connection included. */
  readonly timeoutMs: number;
}

/**
 * Asks a venue for all its securities over a session of its own, which is closed with the last part of the list. CONNECT_FAILED or TIMED_OUT when there is no
 * answer, INSTRUMENTS_INVALID when the venue refuses or the parts do not fit together.
 */
export function fetchSecurityList(options: SecurityListOptions): Promise<ListedSecurity[]> {
  const { timeoutMs, ...connection } = options;
  return new Promise((resolve, reject) => {
    let lastDetail = 'no connection';
    let isDone = false;
    const finish = (error: OutcryError | null, securities: ListedSecurity[]): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      // Not from inside a callback of the session that is closed.
      setImmediate(() => {
        void initiator.close('').then(() => (error === null ? resolve(securities) : reject(error)));
      });
    };
    const timer = setTimeout(
      () => finish(new OutcryError('TIMED_OUT', `no list of securities within ${timeoutMs} ms: ${lastDetail}`), []),
      timeoutMs,
    );
    const initiator = connectFix({
      ...connection,
      application: new ListReader(finish),
      onConnection: (event, detail) => {
        lastDetail = `${event} ${detail}`;
        options.onConnection?.(event, detail);
      },
    });
  });
}

/** Sends the x and puts the y together. */
class ListReader implements FixApplication {
  readonly #finish: (error: OutcryError | null, securities: ListedSecurity[]) => void;
  #securities: ListedSecurity[] = [];

  constructor(finish: (error: OutcryError | null, securities: ListedSecurity[]) => void) {
    this.#finish = finish;
  }

  onLogon(session: FixSession): void {
    this.#securities = [];
    writeSecurityListRequest(session.begin(MsgType.SecurityListRequest, session.nowMs), {
      securityReqID: REQUEST_ID,
      securityListRequestType: SecurityListRequestType.AllSecurities,
      symbol: '',
    });
    session.send(session.nowMs);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    if (message.msgType === MsgType.BusinessMessageReject) {
      const parsed = readBusinessMessageReject(message);
      this.#refuse(`the venue takes no SecurityListRequest: ${parsed.ok ? parsed.value.text : parsed.text}`);
      return;
    }
    if (message.msgType !== MsgType.SecurityList) return;
    const parsed = readSecurityList(message);
    if (parsed.ok) this.#take(parsed.value);
    else {
      session.reject(message, parsed, session.nowMs);
      this.#refuse(`a SecurityList cannot be read: tag ${parsed.refTagID}, ${parsed.text}`);
    }
  }

  onReject(_session: FixSession, message: FixMessage): void {
    this.#refuse(`the venue rejected the SecurityListRequest (MsgSeqNum ${message.msgSeqNum})`);
  }

  /** Nothing of a list may be missing: it is asked for again. */
  onGap(session: FixSession): void {
    this.onLogon(session);
  }

  /** The edge connects again, and the list is asked for anew. */
  onLogout(): void {
    this.#securities = [];
  }

  #take(list: SecurityList): void {
    if (list.securityReqID !== REQUEST_ID) return;
    if (list.securityRequestResult !== SecurityRequestResult.ValidRequest) {
      this.#refuse(`the venue gives no list: SecurityRequestResult(560) ${list.securityRequestResult}`);
      return;
    }
    for (const security of list.securities) this.#securities.push(security);
    const count = this.#securities.length;
    if (count > INSTRUMENT_MASTER_MAX_COUNT) this.#refuse(`more than ${INSTRUMENT_MASTER_MAX_COUNT} securities`);
    else if (list.lastFragment && list.totNoRelatedSym !== 0 && count !== list.totNoRelatedSym)
      this.#refuse(`${count} securities came, TotNoRelatedSym(393) is ${list.totNoRelatedSym}`);
    else if (list.lastFragment) this.#finish(null, this.#securities);
  }

  #refuse(detail: string): void {
    this.#finish(new OutcryError('INSTRUMENTS_INVALID', detail), []);
  }
}
