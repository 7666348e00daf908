// hot: `received` per message; `due` a few times a second.

/** What silence asks for. */
export const LivenessAction = { None: 0, Heartbeat: 1, TestRequest: 2, Disconnect: 3 } as const;
export type LivenessAction = (typeof LivenessAction)[keyof typeof LivenessAction];

/** FIX volume 2: "some reasonable amount of transmission time" beyond HeartBtInt before a TestRequest is a fifth of it. */
const TEST_REQUEST_AFTER = 1.2;
/** The same again without an answer, and the connection counts as lost. */
const DISCONNECT_AFTER = 2.4;

/** Heartbeats of one session: HeartBtInt(108) of our silence is a Heartbeat, 1.2 of theirs a TestRequest, 2.4 the end. */
export class SessionLiveness {
  #heartBtMs = 0;
  #lastReceivedMs = 0;
  #testRequested = false;

  /** 0 s means no heartbeats (FIX allows it). */
  start(heartBtIntSeconds: number, nowMs: number): void {
    this.#heartBtMs = heartBtIntSeconds * 1000;
    this.received(nowMs);
  }

  /** The interval in force. */
  get heartBtIntSeconds(): number {
    return this.#heartBtMs / 1000;
  }

  received(nowMs: number): void {
    this.#lastReceivedMs = nowMs;
    this.#testRequested = false;
  }

  /**
   * The next thing to do; a TestRequest is asked for once a silence, and until it is answered it stands for our Heartbeats too: it is younger
   * than the 1.2 × that the counterparty grants us. `lastSentMs` is when our last message left.
   */
  due(lastSentMs: number, nowMs: number): LivenessAction {
    const heartBtMs = this.#heartBtMs;
    if (heartBtMs === 0) return LivenessAction.None;
    const silentMs = nowMs - this.#lastReceivedMs;
    if (silentMs >= heartBtMs * DISCONNECT_AFTER) return LivenessAction.Disconnect;
    if (silentMs >= heartBtMs * TEST_REQUEST_AFTER && !this.#testRequested) {
      this.#testRequested = true;
      return LivenessAction.TestRequest;
    }
    return nowMs - lastSentMs >= heartBtMs && !this.#testRequested ? LivenessAction.Heartbeat : LivenessAction.None;
  }
}
