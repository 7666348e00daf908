import { fixDictionary } from './fix-dictionaries.ts';
import type { FixMessage } from './fix-message.ts';
import type { FixSession } from './fix-session.ts';
import { MemoryFixStore } from './fix-store.ts';
import { FixVersion } from './fix-version.ts';
import { BusinessRejectReason, MsgType } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import {
  type FixApplication,
  type FixSessionProfile,
  type FixSessionSettings,
  type LogonCredentials,
  type LogonIdentity,
  SESSION_DEFAULTS,
} from './session-contract.ts';

/** Our CompID, and the one that a counterparty of each version has. */
export const ECHO_COMP_ID = 'ISLD';
export const ECHO_COUNTERPARTIES: Readonly<Record<FixVersion, string>> = {
  [FixVersion.Fix44]: 'TW44',
  [FixVersion.Fix42]: 'TW42',
};
/** ClOrdIDs remembered a session; beyond, the oldest is forgotten. */
const CL_ORD_IDS_MAX = 100_000;
/** SecurityDefinition (d), which nothing else here speaks. */
const SECURITY_DEFINITION = 100;
/** SignatureLength(93) and Signature(89) come behind the body. */
const SIGNATURE_TAGS: readonly number[] = [93, 89];
const YES = 89;

/** What an echo session runs by: everything is checked, nothing is remembered from one Logon to the next; null asks for no credentials. */
export function echoSettings(version: FixVersion, credentials: LogonCredentials | null): FixSessionSettings {
  return {
    ...SESSION_DEFAULTS,
    role: 'acceptor',
    beginString: version,
    senderCompID: ECHO_COMP_ID,
    targetCompID: ECHO_COUNTERPARTIES[version],
    gapPolicy: 'resend',
    credentials,
    // A test that waits for the end of a connection should not wait for a courtesy.
    hangUpTimeoutMs: 0,
    dictionary: fixDictionary(version),
    allowUserDefinedFields: false,
  };
}

/**
 * The application of the conformance acceptor: sends NewOrderSingle (D) and SecurityDefinition (d) back with every body field as received,
 * except a possible resend (PossResend(97)=Y) of a ClOrdID(11) that it has seen in this session; any other type it does not support. What
 * comes back of a possible resend is one too: an echo of it may have gone out before this session.
 */
export class EchoApplication implements FixApplication {
  readonly #seen: Map<FixSession, Set<string>> = new Map();

  identify({ settings: { credentials = null } }: FixSession, logon: LogonIdentity): FixSessionProfile | null {
    for (const version of Object.values(FixVersion)) {
      if (
        logon.beginString === version &&
        logon.targetCompID === ECHO_COMP_ID &&
        logon.senderCompID === ECHO_COUNTERPARTIES[version]
      ) {
        return { settings: echoSettings(version, credentials), store: new MemoryFixStore() };
      }
    }
    return null;
  }

  onLogon(session: FixSession): void {
    this.#seen.set(session, new Set());
  }

  onMessage(session: FixSession, message: FixMessage): void {
    const { msgType } = message;
    if (msgType !== MsgType.NewOrderSingle && msgType !== SECURITY_DEFINITION) {
      const reason = BusinessRejectReason.UnsupportedMessageType;
      session.businessReject(message, '', reason, 'Unsupported Message Type', session.nowMs);
    } else if (!this.#isSeen(session, message) || !message.possResend) {
      sendBack(session, message);
    }
  }

  onGap(): void {
    // No echo session passes over a gap.
  }

  onLogout(session: FixSession): void {
    this.#seen.delete(session);
  }

  /** Whether the ClOrdID(11) has come before; it has, from now on. */
  #isSeen(session: FixSession, message: FixMessage): boolean {
    const seen = this.#seen.get(session);
    const position = message.find(Tag.ClOrdID, message.bodyPosition);
    if (seen === undefined || position < 0) return false;
    const clOrdID = message.ascii(position);
    if (seen.has(clOrdID)) return true;
    if (seen.size >= CL_ORD_IDS_MAX) {
      const [oldest] = seen;
      if (oldest !== undefined) seen.delete(oldest);
    }
    seen.add(clOrdID);
    return false;
  }
}

function sendBack(session: FixSession, message: FixMessage): void {
  const { buffer, tags, ends, bodyPosition } = message;
  let end = message.count;
  while (end > bodyPosition && SIGNATURE_TAGS.includes(tags[end - 1]!)) end--;
  const encoder = session.begin(message.msgType, session.nowMs);
  if (message.possResend) encoder.char(Tag.PossResend, YES);
  if (end > bodyPosition) encoder.fields(buffer, ends[bodyPosition - 1]! + 1, ends[end - 1]! + 1);
  if (session.send(session.nowMs) >= 0) return;
  session.businessReject(message, '', BusinessRejectReason.Other, 'Too long to be sent back', session.nowMs);
}
