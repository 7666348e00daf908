/**
 * How far an application is with the deliveries of one session. A store delivers at least once across a crash, in order, each keyed (session, epoch,
 * MsgSeqNum). An application that commits the key with its effect, in one transaction, and asks `isNew` before it acts, has each effect exactly once:
 * deliveries are in order, so the last committed key says it of all.
 */
export class DeliveryMark {
  /** Of the last committed delivery; 0 before the first. */
  epoch = 0;
  msgSeqNum = 0;

  /** Whether nothing has been committed yet for this delivery. Epochs only grow, and numbers within one. */
  isNew(epoch: number, msgSeqNum: number): boolean {
    return epoch > this.epoch || (epoch === this.epoch && msgSeqNum > this.msgSeqNum);
  }

  /** The effect of this delivery is committed, or will be before anything that follows. */
  advance(epoch: number, msgSeqNum: number): void {
    this.epoch = epoch;
    this.msgSeqNum = msgSeqNum;
  }
}
