import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { OutcryError } from '../core/errors.ts';
import { crc32c } from '../core/fix/crc32c.ts';
import { decodeHeader, encodeHeader, RecordReader, RecordType, writeRecord } from '../core/fix/store-format.ts';
import { StoreIndex } from '../core/fix/store-index.ts';
import { fixSessionId } from '../core/fix/store-state.ts';
import { seededRandom } from '../core/fix/testing/seeded-random.ts';
import { FileFixStore, type FileFixStoreOptions, openFixStore } from './fix-store-file.ts';
import { CrashFiles } from './testing/crash-files.ts';

const DAY_MS = 86_400_000;
const SESSION_ID = 'FIX.4.4-BROKER-VENUE';
const WAIT_MS = 30_000;

const directory = mkdtempSync(join(tmpdir(), 'outcry-store-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
let made = 0;

/** Each test has a directory of its own. */
function options(more: Partial<FileFixStoreOptions> = {}): FileFixStoreOptions {
  return { directory: join(directory, String(made++)), sessionId: SESSION_ID, ...more };
}

function message(msgSeqNum: number): Uint8Array {
  return Buffer.from(`8=FIX.4.4\u00019=5\u000135=D\u000134=${msgSeqNum}\u0001${'x'.repeat(msgSeqNum % 50)}`);
}

function append(store: FileFixStore, count: number): void {
  for (; count > 0; count--) {
    const bytes = message(store.nextSenderMsgSeqNum);
    store.append(store.nextSenderMsgSeqNum, bytes, 0, bytes.length);
  }
}

function text(store: FileFixStore, msgSeqNum: number): string | null {
  const found = store.read(msgSeqNum);
  return found && Buffer.from(found.buffer.subarray(found.start, found.end)).toString();
}

function storeFiles(store: FileFixStore): string[] {
  return readdirSync(store.directory)
    .filter((name) => name.endsWith('.fixstore'))
    .sort();
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'no error';
  } catch (error) {
    return `${(error as OutcryError).code} ${(error as Error).message}`;
  }
}

t.test('CRC-32C has the published check value, also with a seed and at every length', async (t) => {
  const bytes = Buffer.from('123456789');
  t.equal(crc32c(bytes, 0, 9, 0), 0xe3069283);
  for (let cut = 0; cut <= 9; cut++) {
    if (crc32c(bytes, cut, 9, crc32c(bytes, 0, cut, 0)) !== 0xe3069283) t.fail(`cut at ${cut}`);
  }
  t.equal(crc32c(new Uint8Array(32), 0, 32, 0), 0x8a9136aa, 'RFC 3720, B.4: 32 bytes of zeros');
});

t.test('header and record are read as they were written; any byte changed is seen', async (t) => {
  const header = {
    sessionId: SESSION_ID,
    epoch: 1_795_000_000_123,
    segment: 3,
    salt: 0xdeadbeef,
    nextSenderMsgSeqNum: 4_294_967_297,
    nextTargetMsgSeqNum: 999_999_999_999_999,
    previousLength: 4_711,
    createdMicros: 1_795_000_000_123_456,
  };
  const bytes = encodeHeader(header);
  t.same(decodeHeader(bytes), { header, length: bytes.length });
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice();
    changed[i]! ^= 0x10;
    if (decodeHeader(changed) !== null) t.fail(`header byte ${i}`);
  }
  const record = new Uint8Array(200);
  const payload = message(7);
  const end = writeRecord(
    record,
    new DataView(record.buffer),
    10,
    RecordType.Inbound,
    999_999_999_999_999,
    8_589_934_593,
    1_795_000_000_123_456,
    header.salt,
    payload,
    2,
    payload.length,
  );
  const reader = new RecordReader(record, header.salt);
  t.ok(reader.read(10));
  const { type, number, durable, timeMicros } = reader;
  t.same([type, number, durable, timeMicros], [2, 999_999_999_999_999, 8_589_934_593, 1_795_000_000_123_456]);
  t.same(record.subarray(reader.payloadStart, reader.payloadEnd), payload.subarray(2));
  t.equal(reader.end, end);
  for (let i = 10; i < end; i++) {
    record[i]! ^= 0x10;
    if (reader.read(10)) t.fail(`record byte ${i}`);
    record[i]! ^= 0x10;
  }
  t.notOk(new RecordReader(record, header.salt + 1).read(10), 'another file’s record is none');
  t.notOk(new RecordReader(record.subarray(0, end - 1), header.salt).read(10), 'nor is one that is not whole');
});

t.test('the index finds what it was given, up to its bound; beyond, the oldest are forgotten', async (t) => {
  const index = new StoreIndex(4_096);
  for (let number = 1; number <= 10_000; number++) index.put(number, number % 7, number * 100, number % 500);
  t.notOk(index.find(10_000 - 4_096));
  for (let number = 10_000 - 4_095; number <= 10_000; number++) {
    const right =
      index.find(number) &&
      index.ordinal === number % 7 &&
      index.offset === number * 100 &&
      index.length === number % 500;
    if (!right) t.fail(`number ${number}`);
  }
  index.put(999_999_999_999_999, 1, 2, 3);
  t.ok(index.find(999_999_999_999_999));
  index.clear();
  t.notOk(index.find(9_999));
});

t.test('a session’s name is safe as a directory and of one meaning', async (t) => {
  t.equal(fixSessionId('FIX.4.4', 'BROKER', 'VENUE'), SESSION_ID);
  t.equal(fixSessionId('FIX.4.2', 'A-B', '../C'), 'FIX.4.2-A%2DB-..%2FC');
  t.not(fixSessionId('FIX.4.4', 'A-B', 'C'), fixSessionId('FIX.4.4', 'A', 'B-C'));
  t.match(
    codeOf(() => fixSessionId('FIX.4.4', 'A'.repeat(200), 'B')),
    /CONFIG_INVALID/,
  );
});

t.test('both numbers, the messages and the epoch outlive the process', async (t) => {
  const settings = options();
  const first = openFixStore(settings);
  append(first, 3);
  first.setNextSenderMsgSeqNum(10);
  append(first, 2);
  first.setNextTargetMsgSeqNum(77);
  t.equal(text(first, 11), message(11).toString(), 'one that still waits for the disk can be read');
  t.equal(first.durability.durableGroup, 0);
  await until(() => first.durability.durableGroup === first.durability.appendedGroup, 'all is durable');
  t.equal(text(first, 2), message(2).toString());
  t.equal(first.groupCount, 1, 'what was appended in one turn is one group');
  await first.close();

  const second = openFixStore(settings);
  t.equal(second.epoch, first.epoch);
  t.equal(second.nextSenderMsgSeqNum, 12);
  t.equal(second.nextTargetMsgSeqNum, 77);
  t.equal(text(second, 1), message(1).toString());
  t.equal(text(second, 11), message(11).toString());
  t.equal(text(second, 5), null, 'a number that was passed over');
  t.equal(text(second, 12), null);
  append(second, 1);
  t.equal(text(second, 12), message(12).toString());
  t.equal(text(second, 3), message(3).toString(), 'from an older file');
  const before = second.epoch;
  second.reset(before);
  t.ok(second.epoch > before, 'an epoch is never given out twice, whatever the clock says');
  t.equal(second.nextSenderMsgSeqNum, 1);
  t.equal(second.nextTargetMsgSeqNum, 1);
  t.equal(text(second, 1), null);
  append(second, 1);
  await second.close();

  const third = openFixStore(settings);
  t.equal(third.epoch, second.epoch);
  t.equal(third.nextSenderMsgSeqNum, 2);
  await third.close();
  const { length } = storeFiles(third);
  for (let i = 0; i < 5; i++) await openFixStore(settings).close();
  t.equal(storeFiles(third).length, length, 'starts without traffic make no more files');
});

t.test('two processes cannot have one store', async (t) => {
  const settings = options();
  const store = openFixStore(settings);
  t.match(
    codeOf(() => openFixStore(settings)),
    /REQUEST_REFUSED.*as process/,
  );
  await store.close();
  await openFixStore(settings).close();
  t.pass('closed, it is free');
});

t.test('a number in is on the disk without anything going out', async (t) => {
  const settings = options({ inboundSyncMs: 1 });
  const store = openFixStore(settings);
  store.received(1, message(1), 0, 10);
  store.setNextTargetMsgSeqNum(2);
  await until(() => store.groupCount === 1, 'a group of its own leaves');
  const copy = options();
  t.equal(copyOf(store, copy).nextTargetMsgSeqNum, 2);
  await store.close();
});

t.test('the number in stays at the first message that the application holds', async (t) => {
  const settings = options();
  const store = openFixStore(settings);
  for (let number = 1; number <= 5; number++) {
    if (number >= 3) store.hold(number);
    store.setNextTargetMsgSeqNum(number + 1);
  }
  append(store, 1);
  await until(() => store.durability.durableGroup === 1, 'durable');
  t.equal(copyOf(store, options()).nextTargetMsgSeqNum, 3);
  store.committed(store.epoch, 4);
  store.committed(store.epoch - 1, 5);
  append(store, 1);
  await until(() => store.durability.durableGroup === 2, 'durable');
  t.equal(copyOf(store, options()).nextTargetMsgSeqNum, 5, 'a commit of another epoch counts for nothing');
  store.committed(store.epoch, 5);
  await store.close();
  const next = openFixStore(settings);
  t.equal(next.nextTargetMsgSeqNum, 6);
  await next.close();
});

t.test('cut at every byte of its last group, a file is repaired; the cut-off bytes are counted', async (t) => {
  const settings = options();
  const store = openFixStore(settings);
  append(store, 2);
  await until(() => store.durability.durableGroup === 1, 'durable');
  const whole = join(store.directory, storeFiles(store)[0]!);
  const durableBytes = readFileSync(whole).length;
  append(store, 2);
  await until(() => store.durability.durableGroup === 2, 'durable');
  const bytes = readFileSync(whole);
  let repaired = 0;
  for (let cut = durableBytes; cut <= bytes.length; cut++) {
    const to = options();
    const copy = copyOf(store, to, bytes.subarray(0, cut));
    const right =
      text(copy, 1) === message(1).toString() &&
      text(copy, 2) === message(2).toString() &&
      copy.nextSenderMsgSeqNum >= 3 &&
      copy.nextSenderMsgSeqNum <= 5 &&
      (copy.nextSenderMsgSeqNum === 5) === (text(copy, 4) !== null) &&
      (copy.tornBytes > 0 || copy.nextSenderMsgSeqNum > 3 || cut === durableBytes);
    await copy.close();
    if (!right) t.fail(`cut at ${cut}`);
    repaired++;
  }
  t.equal(repaired, bytes.length - durableBytes + 1);
  await store.close();
});

t.test('a byte changed anywhere before the last group is refused, and the offset named', async (t) => {
  const settings = options();
  const store = openFixStore(settings);
  append(store, 2);
  await until(() => store.durability.durableGroup === 1, 'durable');
  const durableBytes = readFileSync(join(store.directory, storeFiles(store)[0]!)).length;
  append(store, 1);
  await until(() => store.durability.durableGroup === 2, 'durable');
  const bytes = readFileSync(join(store.directory, storeFiles(store)[0]!));
  const headerBytes = decodeHeader(bytes)!.length;
  for (let at = 0; at < durableBytes; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 0x40;
    const error = codeOf(() => copyOf(store, options(), changed));
    const expected = at < headerBytes ? /STORE_DAMAGED .*offset 0/ : /STORE_DAMAGED .*at offset \d+ cannot be read/;
    if (!expected.test(error)) t.fail(`byte ${at}: ${error}`);
  }
  t.pass(`${durableBytes} bytes changed, one at a time`);
  await store.close();
  // The file after it says how long it is, so even its end cannot go unnoticed.
  await openFixStore(settings).close();
  const [first] = storeFiles(store);
  truncateSync(join(store.directory, first!), bytes.length - 1);
  t.match(
    codeOf(() => openFixStore(settings)),
    /STORE_DAMAGED/,
  );
});

t.test(
  'a day, and a size, begin a new file; files past their days are deleted, and what they had is not found',
  async (t) => {
    let nowMs = Date.UTC(2026, 10, 22, 12);
    const settings = options({ segmentBytes: 4_096, keepDays: 3, now: () => nowMs });
    const store = openFixStore(settings);
    append(store, 1);
    await until(() => store.durability.durableGroup === 1, 'durable');
    nowMs = Date.UTC(2026, 10, 22, 18, 29);
    append(store, 1);
    t.equal(storeFiles(store).length, 1);
    await until(() => store.durability.durableGroup === 2, 'durable');
    nowMs = Date.UTC(2026, 10, 22, 18, 30);
    append(store, 1);
    t.equal(storeFiles(store).length, 2, 'midnight in India');
    await until(() => store.durability.durableGroup === store.durability.appendedGroup, 'durable');
    append(store, 100);
    await until(() => store.durability.durableGroup === store.durability.appendedGroup, 'durable');
    append(store, 1);
    t.equal(storeFiles(store).length, 3, '4 KiB are full');
    for (const number of [1, 3, 50, 104]) t.equal(text(store, number), message(number).toString());
    await store.close();
    const [oldest] = storeFiles(store);
    utimesSync(join(store.directory, oldest!), new Date(nowMs - 4 * DAY_MS), new Date(nowMs - 4 * DAY_MS));
    for (const name of storeFiles(store).slice(1))
      utimesSync(join(store.directory, name), new Date(nowMs), new Date(nowMs));
    const next = openFixStore(settings);
    t.notOk(storeFiles(next).includes(oldest!));
    t.equal(text(next, 1), null);
    t.equal(text(next, 3), message(3).toString());
    t.equal(next.nextSenderMsgSeqNum, 105);
    await next.close();
    const last = openFixStore(settings);
    t.equal(text(last, 104), message(104).toString(), 'a chain that does not begin at its first file');
    await last.close();
  },
);

t.test('a disk that is full, or fails, ends the store: nothing is called durable from then on', async (t) => {
  for (const failing of ['write', 'sync'] as const) {
    const files = new CrashFiles(seededRandom(1), Date.now());
    const store = new FileFixStore(options({ files }));
    let told = 0;
    store.durability.listen(() => told++);
    append(store, 1);
    await Promise.resolve();
    if (failing === 'sync') files.step();
    files.failOneIn = 1;
    while (files.step());
    t.equal(store.durability.failure?.code, 'STORE_FAILED');
    t.match(store.durability.failure?.message, failing === 'sync' ? /EIO/ : /ENOSPC/);
    files.failOneIn = 0;
    append(store, 1);
    await Promise.resolve();
    t.notOk(files.step(), 'nothing is tried again');
    t.equal(store.durability.durableGroup, 0);
    t.equal(store.read(1), null);
    t.ok(told > 0);
  }
});

t.test('what waits for the disk is bounded: who adds more waits for it', async (t) => {
  const files = new CrashFiles(seededRandom(1), Date.now());
  const store = new FileFixStore(options({ files, pendingBytesMax: 65_536 }));
  append(store, 2_000);
  t.equal(store.durability.failure, null);
  t.ok(store.durability.durableGroup > 0, 'made durable within the call');
  for (const number of [1, 900, 2_000]) t.equal(text(store, number), message(number).toString());
});

t.test('a damaged record is not sent again: reading it ends the store', async (t) => {
  const files = new CrashFiles(seededRandom(1), Date.now());
  const store = new FileFixStore(options({ files }));
  append(store, 2);
  await Promise.resolve();
  while (files.step());
  t.not(text(store, 1), null);
  files.damage(files.list()[0]!, 130);
  t.equal(text(store, 1), null);
  t.equal(store.durability.failure?.code, 'STORE_DAMAGED');
});

/** A store over a copy of another's files, as a process would find them that came after a crash now. */
function copyOf(store: FileFixStore, to: FileFixStoreOptions, newestBytes?: Uint8Array): FileFixStore {
  const files = new CrashFiles(seededRandom(1), Date.now());
  const names = storeFiles(store);
  for (const name of names) {
    const bytes = name === names.at(-1) && newestBytes ? newestBytes : readFileSync(join(store.directory, name));
    const file = files.create(name);
    files.writeNow(file, bytes, bytes.length, 0);
    files.syncNow(file);
  }
  files.syncDirectory();
  return new FileFixStore({ ...to, files });
}
