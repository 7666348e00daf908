import t from 'tap';
import { DeliveryMark } from './delivery-mark.ts';
import { MemoryFixStore } from './fix-store.ts';
import { MsgType } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { HeldTargetStore } from './held-target-store.ts';
import { seededRandom } from './testing/seeded-random.ts';
import { body, carry, msgTypes, Side, START_MS, toBroker } from './testing/session-side.ts';

const SEED = 4_711;

/** A broker's session that has logged on over a held store; `file` is what outlives its process. */
function broker(file: MemoryFixStore): { side: Side; store: HeldTargetStore } {
  const store = new HeldTargetStore(file);
  const side = new Side({ role: 'initiator', resetOnLogon: false }, store);
  side.session.connected(START_MS);
  return { side, store };
}

t.test('the store behind learns a number when what was done with it is committed', (t) => {
  const file = new MemoryFixStore();
  const { side, store } = broker(file);
  side.receive(toBroker('A', 1, '98=0|108=30') + toBroker('8', 2) + toBroker('0', 3) + toBroker('8', 4));
  t.same([store.nextTargetMsgSeqNum, file.nextTargetMsgSeqNum], [5, 2], 'taken, not committed');
  store.committed(1, 2);
  t.equal(file.nextTargetMsgSeqNum, 3);
  store.committed(1, 4);
  t.equal(file.nextTargetMsgSeqNum, 5);
  side.receive(toBroker('0', 5));
  t.equal(file.nextTargetMsgSeqNum, 6, 'a Heartbeat has nothing to commit');
  side.receive(toBroker('8', 6) + toBroker('0', 7));
  store.committed(1, 4);
  t.equal(file.nextTargetMsgSeqNum, 6, 'what was committed before says nothing of what came since');
  store.committed(2, 6);
  t.equal(file.nextTargetMsgSeqNum, 6, 'another epoch');
  t.end();
});

t.test('a later process is sent again what was taken and not committed', (t) => {
  const file = new MemoryFixStore();
  const first = broker(file);
  first.side.receive(toBroker('A', 1, '98=0|108=30') + toBroker('8', 2) + toBroker('8', 3));
  first.store.committed(1, 2);
  const second = broker(file);
  second.side.takeSent();
  second.side.receive(toBroker('A', 4, '98=0|108=30'));
  t.equal(body(second.side.takeSent()[0]!), '7=3|16=0|');
  t.end();
});

t.test('another connection of the same process goes on with what was taken', (t) => {
  const file = new MemoryFixStore();
  const { side } = broker(file);
  side.receive(toBroker('A', 1, '98=0|108=30') + toBroker('8', 2));
  side.session.disconnected(START_MS);
  side.session.connected(START_MS);
  side.takeSent();
  side.receive(toBroker('A', 3, '98=0|108=30'));
  t.equal(msgTypes(side.takeSent()), '', 'nothing is missing');
  t.equal(file.nextTargetMsgSeqNum, 2);
  t.end();
});

t.test('what the application could not take comes again on the next connection', (t) => {
  const file = new MemoryFixStore();
  const { side, store } = broker(file);
  side.onMessage = (session, message) => {
    if (message.msgSeqNum !== 3) return;
    store.notTaken();
    session.applicationBehind(START_MS);
  };
  side.receive(toBroker('A', 1, '98=0|108=30') + toBroker('8', 2) + toBroker('8', 3) + toBroker('8', 4));
  t.equal(side.disconnectReason, 'the application cannot take more messages now');
  t.equal(store.nextTargetMsgSeqNum, 3);
  store.committed(1, 2);
  t.equal(file.nextTargetMsgSeqNum, 3);
  side.onMessage = () => {};
  side.session.connected(START_MS);
  side.takeSent();
  side.receive(toBroker('A', 5, '98=0|108=30'));
  t.equal(body(side.takeSent()[0]!), '7=3|16=0|');
  side.receive(toBroker('8', 3, '43=Y|122=20261122-04:00:00.000'));
  t.equal(store.nextTargetMsgSeqNum, 4);
  t.end();
});

t.test('a reset begins anew', (t) => {
  const file = new MemoryFixStore();
  const { side, store } = broker(file);
  side.receive(toBroker('A', 1, '98=0|108=30') + toBroker('8', 2));
  store.reset(START_MS);
  t.same([store.nextTargetMsgSeqNum, file.nextTargetMsgSeqNum, store.epoch], [1, 1, 2]);
  store.committed(1, 2);
  t.equal(file.nextTargetMsgSeqNum, 1);
  t.end();
});

t.test('crashes, lost connections and refused messages at random: every report has its effect exactly once', (t) => {
  t.comment(`seed ${SEED}`);
  const pick = seededRandom(SEED);
  const file = new MemoryFixStore();
  const venue = new Side({ role: 'acceptor', resetOnLogon: false }, new MemoryFixStore(8_000_000));
  /** The database: the effects and how far they are, in one transaction. */
  const committed: number[] = [];
  const mark = new DeliveryMark();
  let taken: { epoch: number; msgSeqNum: number; report: number }[] = [];
  let { side, store } = broker(file);
  let refuses = false;
  let crashes = 0;
  let refusals = 0;
  let again = 0;
  const listen = (): void => {
    side.onMessage = (session, message) => {
      if (refuses) {
        refuses = false;
        refusals++;
        store.notTaken();
        session.applicationBehind(START_MS);
        return;
      }
      const report = message.int(message.find(Tag.LastQty, message.bodyPosition));
      taken.push({ epoch: store.epoch, msgSeqNum: message.msgSeqNum, report });
    };
  };
  const connect = (): void => {
    side.takeSent();
    venue.session.disconnected(START_MS);
    venue.takeSent();
    side.session.disconnected(START_MS);
    side.session.connected(START_MS);
    venue.session.connected(START_MS);
    carry(side, venue, START_MS);
  };
  const commit = (count: number): void => {
    for (const { epoch, msgSeqNum, report } of taken.splice(0, count)) {
      if (mark.isNew(epoch, msgSeqNum)) {
        committed.push(report);
        mark.advance(epoch, msgSeqNum);
      } else {
        again++;
      }
      // The process may die between the commit and this.
      if (pick(3) > 0) store.committed(epoch, msgSeqNum);
    }
  };
  listen();
  side.session.disconnected(START_MS);
  connect();
  let sent = 0;
  for (let step = 0; step < 5_000; step++) {
    const kind = pick(20);
    if (kind < 9 && venue.session.loggedOn) {
      venue.session.begin(MsgType.ExecutionReport, START_MS).int(Tag.LastQty, ++sent);
      venue.session.send(START_MS);
      if (pick(4) > 0) carry(side, venue, START_MS);
    } else if (kind < 14) {
      commit(pick(taken.length + 1));
    } else if (kind < 16) {
      venue.session.onTimer(START_MS);
      carry(side, venue, START_MS);
    } else if (kind === 16) {
      refuses = true;
    } else if (kind === 17) {
      connect();
    } else if (kind === 18) {
      crashes++;
      taken = [];
      ({ side, store } = broker(file));
      listen();
      side.session.disconnected(START_MS);
      connect();
    }
  }
  refuses = false;
  connect();
  commit(taken.length);
  t.same(
    committed,
    Array.from({ length: sent }, (_, at) => at + 1),
  );
  t.ok(crashes > 100 && refusals > 100 && again > 10, `${crashes} crashes, ${refusals} refusals, ${again} came again`);
  t.end();
});
