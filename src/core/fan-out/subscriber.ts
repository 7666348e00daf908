import type { PhaseGroup } from './phase-group.ts';

/** What became of a frame. */
export const SendStatus = {
  Sent: 0,
  /** Taken, but the socket's buffer holds more than it should: nothing more until `FanOut.drained`. */
  Congested: 1,
  /** Not taken: the connection missed it. */
  Dropped: 2,
} as const;
export type SendStatus = (typeof SendStatus)[keyof typeof SendStatus];

/** What an acknowledgement was good for. */
export const AckStatus = {
  Advanced: 0,
  /** Nothing that was not known. */
  Repeated: 1,
  /** Of a tick that was never sent. */
  Unsent: 2,
} as const;
export type AckStatus = (typeof AckStatus)[keyof typeof AckStatus];

/** No ping is wanted with a frame. */
export const NO_PING = -1;

/** The socket of a connection, as the fan-out sees it. */
export interface QuoteSink {
  /** Sends one frame; `bytes` are valid during the call only. With it goes a ping that carries `pingTick`, unless that is NO_PING. */
  sendQuotes(bytes: Uint8Array, pingTick: number): SendStatus;
}

/** Members are not on any list. */
export const NOT_LISTED = -1;

/** One connection's place in the fan-out. Its fields are the fan-out's; others read at most. */
export class Subscriber {
  readonly sink: QuoteSink;
  /** Text frames of JSON, or binary ones of `outcry.v1`. */
  readonly isJson: boolean;
  /** Place in the credit book; given again after the connection is gone. */
  readonly connectionIndex: number;
  readonly phase: number;
  filterBps: number;
  withTiming = false;

  isOpen = true;
  /** Set while there are subscriptions. */
  group: PhaseGroup | undefined = undefined;
  memberIndex = NOT_LISTED;
  /** Its list in SubscriptionLists. */
  listAt = 0;
  listRoom = 0;
  count = 0;

  /** Tick of the last frame sent, 0 before the first. */
  lastTick = 0;
  /** Last tick acknowledged. */
  ackedTick = 0;
  /** Tick of the last sweep that needs not come by any more. */
  sweptTick = 0;
  /** Whether any subscription needs a keyframe. */
  isBehind = false;
  /** Whether it had no credit when last looked at. */
  isSlow = false;
  isCongested = false;
  isFlushing = false;

  constructor(sink: QuoteSink, isJson: boolean, connectionIndex: number, phase: number, filterBps: number) {
    this.sink = sink;
    this.isJson = isJson;
    this.connectionIndex = connectionIndex;
    this.phase = phase;
    this.filterBps = filterBps;
  }
}
