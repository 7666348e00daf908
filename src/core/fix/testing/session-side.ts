import type { FixMessage } from '../fix-message.ts';
import { FixSession } from '../fix-session.ts';
import type { FixStore } from '../fix-store.ts';
import { Tag } from '../generated/fix-tags.gen.ts';
import { type DisconnectReason, type FixSessionSettings, SESSION_DEFAULTS } from '../session-contract.ts';

/** For tests: one side of a session between VENUE, the acceptor, and BROKER, with messages as text. */

const SOH = '\u0001';
export const START_MS = Date.UTC(2026, 10, 22, 4, 0, 0);

/** One side under test: what it sent as text with `|`, what it delivered, and why it hung up. */
export class Side {
  readonly sent: string[] = [];
  readonly events: string[] = [];
  readonly session: FixSession;
  disconnectReason: DisconnectReason | '' = '';
  refusal = '';
  /** Where the bytes go as they are sent. */
  peer: Side | null = null;
  onMessage: (session: FixSession, message: FixMessage) => void = () => {};

  constructor(settings: Partial<FixSessionSettings> & Pick<FixSessionSettings, 'role'>, store?: FixStore) {
    const acceptor = settings.role === 'acceptor';
    this.session = new FixSession(
      {
        ...SESSION_DEFAULTS,
        senderCompID: acceptor ? 'VENUE' : 'BROKER',
        targetCompID: acceptor ? 'BROKER' : 'VENUE',
        gapPolicy: 'resend',
        ...settings,
      },
      {
        send: (buffer, start, end) => {
          this.sent.push(Buffer.from(buffer.subarray(start, end)).toString('latin1').replaceAll(SOH, '|'));
        },
        disconnect: (reason) => {
          this.disconnectReason = reason;
        },
      },
      {
        admit: () => this.refusal,
        onLogon: () => this.events.push('logon'),
        onMessage: (session, message) => {
          this.events.push(`${message.ascii(0)}${message.msgSeqNum}${message.possResend ? ' PossResend' : ''}`);
          this.onMessage(session, message);
        },
        onReject: (_, message) =>
          this.events.push(`reject of ${message.int(message.find(Tag.RefSeqNum, message.bodyPosition))}`),
        onGap: (_, from, to) => this.events.push(`gap ${from}-${to}`),
        onReset: () => this.events.push('reset'),
        onLogout: (_, text) => this.events.push(`logout ${text}`),
      },
      store,
    );
  }

  /** Takes what was sent since the last call. */
  takeSent(): string[] {
    return this.sent.splice(0);
  }

  receive(text: string, nowMs = START_MS): void {
    const bytes = Buffer.from(text.replaceAll('|', SOH), 'latin1');
    this.session.receive(bytes, 0, bytes.length, nowMs);
  }
}

/** A whole message from BROKER to VENUE, unless the header says otherwise. */
export function fix(body: string, beginString = 'FIX.4.4'): string {
  const content = `${body}|`.replaceAll('|', SOH);
  const head = `8=${beginString}${SOH}9=${content.length}${SOH}`;
  const sum = Buffer.from(head + content, 'latin1').reduce((total, byte) => total + byte, 0) % 256;
  return `${head}${content}10=${String(sum).padStart(3, '0')}${SOH}`.replaceAll(SOH, '|');
}

export function from(msgType: string, seqNum: number, body = '', time = '20261122-04:00:00.000'): string {
  return fix(`35=${msgType}|49=BROKER|56=VENUE|34=${seqNum}|52=${time}${body === '' ? '' : `|${body}`}`);
}

/** The other way. */
export function toBroker(msgType: string, seqNum: number, body = ''): string {
  return fix(`35=${msgType}|49=VENUE|56=BROKER|34=${seqNum}|52=20261122-04:00:00.000${body === '' ? '' : `|${body}`}`);
}

export const LOGON = from('A', 1, '98=0|108=30|141=Y');

/** An acceptor that has taken a Logon. */
export function acceptor(settings: Partial<FixSessionSettings> = {}, store?: FixStore): Side {
  const side = new Side({ role: 'acceptor', ...settings }, store);
  side.session.connected(START_MS);
  side.receive(LOGON);
  side.takeSent();
  side.events.length = 0;
  return side;
}

/** Body after SendingTime, without the trailer. */
export function body(message: string): string {
  return message.replace(/^.*?\|52=[^|]*\|/, '').replace(/10=\d+\|$/, '');
}

export function msgTypes(messages: readonly string[]): string {
  return messages.map((message) => /\|35=(\w+)\|/.exec(message)?.[1]).join(' ');
}

/** Carries messages between two sides until both are silent. */
export function carry(left: Side, right: Side, nowMs: number): void {
  for (let rounds = 0; left.sent.length + right.sent.length > 0; rounds++) {
    if (rounds > 100) throw new Error('the two sides never fall silent');
    for (const message of left.takeSent()) right.receive(message, nowMs);
    for (const message of right.takeSent()) left.receive(message, nowMs);
  }
}
