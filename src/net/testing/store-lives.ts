import { setImmediate } from 'node:timers/promises';
import { seededRandom } from '../../core/fix/testing/seeded-random.ts';
import { FileFixStore } from '../fix-store-file.ts';
import { CrashFiles } from './crash-files.ts';

/** The store against a twin that knows what was promised, over a disk that keeps nothing else. */

const START_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;
/** Lives on one disk. */
const LIVES_A_DISK = 12;

export interface StoreLivesResult {
  readonly lives: number;
  /** How they ended: closed, killed (the process), crashed (the machine). */
  readonly endings: Readonly<Record<string, number>>;
  /** Messages that counted as sent. */
  readonly messages: number;
  /** Lives that began with a torn tail. */
  readonly tornTails: number;
}

/** Random operations on a store, life after life; raises an error for the first promise that is broken. */
export async function runStoreLives({ lives, seed }: { lives: number; seed: number }): Promise<StoreLivesResult> {
  const random = seededRandom(seed);
  const endings: Record<string, number> = { closed: 0, killed: 0, crashed: 0 };
  let done = 0;
  let messages = 0;
  let tornTails = 0;
  while (done < lives) {
    const twin = new Twin();
    let files = new CrashFiles(random, START_MS);
    for (let i = 0; i < LIVES_A_DISK; i++) {
      let ending: string;
      [files, ending] = await live(files, twin, random);
      endings[ending]!++;
      done++;
    }
    checkRecovered(openStore(files), twin);
    // The timers of stores that died keep them in memory until they have fired.
    await setImmediate();
    tornTails += twin.tornTails;
    messages += twin.wireCount;
  }
  return { lives: done, endings, messages, tornTails };
}

interface Sent {
  readonly bytes: Uint8Array;
  /** The group it leaves with: on the wire once that is durable. */
  readonly group: number;
  onWire: boolean;
}

class Twin {
  epoch = 0;
  sent: Map<number, Sent> = new Map();
  /** Numbers passed over by a SequenceReset, and their group. */
  nextSender = 1;
  nextTarget = 1;
  wireCount = 0;
  tornTails = 0;

  begin(epoch: number): void {
    this.epoch = epoch;
    this.sent.clear();
    this.nextSender = 1;
    this.nextTarget = 1;
  }
}

/** One life of a store: random operations, then an end. Returns what the next life finds. */
async function live(files: CrashFiles, twin: Twin, random: (below: number) => number): Promise<[CrashFiles, string]> {
  const store = openStore(files);
  if (twin.epoch === 0) twin.begin(store.epoch);
  checkRecovered(store, twin);
  if (store.tornBytes > 0) twin.tornTails++;
  for (let operations = random(60); operations > 0 && store.durability.failure === null; operations--) {
    act(store, files, twin, random);
    await Promise.resolve();
    noteWire(store, twin);
  }
  const ending = random(5);
  if (ending === 0) {
    files.failOneIn = 0;
    const closed = store.close();
    while (files.step()) await Promise.resolve();
    await closed;
    if (store.durability.failure === null && store.nextSenderMsgSeqNum !== openStore(files.kill()).nextSenderMsgSeqNum)
      throw new Error('a closed store forgot');
    return [files.crash(), 'closed'];
  }
  return ending === 1 ? [files.kill(), 'killed'] : [files.crash(), 'crashed'];
}

function openStore(files: CrashFiles): FileFixStore {
  files.failOneIn = 0;
  return new FileFixStore({
    directory: '/store',
    sessionId: 'FIX.4.4-A-B',
    files,
    now: () => files.nowMs,
    segmentBytes: 4_096,
    keepDays: 100_000,
    inboundSyncMs: 0,
  });
}

function act(store: FileFixStore, files: CrashFiles, twin: Twin, random: (below: number) => number): void {
  const choice = random(100);
  if (choice < 45) {
    for (let count = 1 + random(8); count > 0; count--) {
      const bytes = randomBytes(30 + random(300), random);
      const msgSeqNum = store.nextSenderMsgSeqNum;
      store.append(msgSeqNum, bytes, 0, bytes.length);
      twin.nextSender = msgSeqNum + 1;
      // The edge lets nothing out from here on.
      if (store.durability.failure !== null) return;
      twin.sent.set(msgSeqNum, { bytes, group: store.durability.appendedGroup, onWire: false });
    }
  } else if (choice < 55) {
    const bytes = randomBytes(50 + random(100), random);
    store.received(store.nextTargetMsgSeqNum, bytes, 0, bytes.length);
    store.setNextTargetMsgSeqNum(store.nextTargetMsgSeqNum + 1);
    twin.nextTarget = store.nextTargetMsgSeqNum;
  } else if (choice < 85) {
    for (let steps = 1 + random(4); steps > 0; steps--) files.step();
  } else if (choice < 90) {
    checkReads(store, twin, 5, random);
  } else if (choice < 93) {
    store.setNextSenderMsgSeqNum(store.nextSenderMsgSeqNum + random(2_000));
    twin.nextSender = store.nextSenderMsgSeqNum;
  } else if (choice < 95) {
    files.nowMs += random(2 * DAY_MS);
  } else if (choice < 97) {
    files.failOneIn = 10;
  } else if (choice < 98) {
    const before = store.epoch;
    store.reset(files.nowMs);
    if (store.epoch <= before) throw new Error('an epoch came twice');
    if (store.durability.failure === null) twin.begin(store.epoch);
  }
}

/** Everything of a durable group counts as handed to the counterparty. */
function noteWire(store: FileFixStore, twin: Twin): void {
  for (const sent of twin.sent.values()) {
    if (sent.onWire || sent.group > store.durability.durableGroup) continue;
    sent.onWire = true;
    twin.wireCount++;
  }
}

function checkRecovered(store: FileFixStore, twin: Twin): void {
  // A reset that failed may be on the disk all the same.
  if (store.epoch > twin.epoch && store.nextSenderMsgSeqNum === 1) twin.begin(store.epoch);
  if (store.epoch !== twin.epoch) throw new Error(`epoch ${store.epoch}, ${twin.epoch} was durable`);
  let onWire = 0;
  for (const [msgSeqNum, sent] of twin.sent) if (sent.onWire) onWire = Math.max(onWire, msgSeqNum);
  if (store.nextSenderMsgSeqNum <= onWire)
    throw new Error(`next sender number ${store.nextSenderMsgSeqNum}, ${onWire} had been sent`);
  if (store.nextSenderMsgSeqNum > twin.nextSender) throw new Error('a number that was never given out');
  if (store.nextTargetMsgSeqNum > twin.nextTarget) throw new Error('the number in leads the application');
  for (const [msgSeqNum, { bytes, onWire: sent }] of twin.sent) {
    const found = store.read(msgSeqNum);
    if (found === null ? sent : !sameBytes(found.buffer.subarray(found.start, found.end), bytes))
      throw new Error(`message ${msgSeqNum} cannot be resent`);
    if (found === null && msgSeqNum < store.nextSenderMsgSeqNum) throw new Error(`message ${msgSeqNum} is missing`);
    // Group numbers begin anew with each process.
    if (found === null) twin.sent.delete(msgSeqNum);
    else twin.sent.set(msgSeqNum, { bytes, group: 0, onWire: true });
  }
  twin.nextSender = store.nextSenderMsgSeqNum;
  twin.nextTarget = store.nextTargetMsgSeqNum;
}

function checkReads(store: FileFixStore, twin: Twin, count: number, random: (below: number) => number): void {
  for (; count > 0; count--) {
    const msgSeqNum = 1 + random(twin.nextSender);
    const found = store.read(msgSeqNum);
    const expected = twin.sent.get(msgSeqNum);
    const right =
      found === null
        ? expected === undefined
        : expected && sameBytes(found.buffer.subarray(found.start, found.end), expected.bytes);
    if (!right && store.durability.failure === null) throw new Error(`read of ${msgSeqNum} differs`);
  }
}

function randomBytes(length: number, random: (below: number) => number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 7) bytes[i] = random(256);
  return bytes;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
