/** `outcry fix log`, `status` and `reset-sequence` as a shell sees them, beside the process that has the store. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { FixEncoder } from '../core/fix/fix-encoder.ts';
import { MsgType } from '../core/fix/generated/fix-enums.gen.ts';
import { FIELD_NAMES } from '../core/fix/generated/fix-names.gen.ts';
import { Tag } from '../core/fix/generated/fix-tags.gen.ts';
import { fixSessionId } from '../core/fix/store-state.ts';
import { type FileFixStore, openFixStore } from '../net/fix-store-file.ts';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const SESSION = fixSessionId('FIX.4.4', 'BROKER', 'VENUE');
const START_MS = Date.UTC(2026, 10, 23, 4);

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function outcry(dataDir: string, ...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const env = { ...process.env, OUTCRY_DATA_DIR: dataDir };
    execFile(process.execPath, [CLI, 'fix', ...args], { env, cwd: dataDir }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Stores a message of ours, or one that came in. */
function store(into: FileFixStore, direction: 'in' | 'out', msgType: number, fields: [number, string][]): void {
  const number = direction === 'out' ? into.nextSenderMsgSeqNum : into.nextTargetMsgSeqNum;
  const encoder = new FixEncoder('FIX.4.4');
  encoder.setCompIDs('BROKER', 'VENUE');
  encoder.begin(msgType, number, START_MS * 1_000);
  for (const [tag, value] of fields) {
    const bytes = Buffer.from(value, 'latin1');
    encoder.bytes(tag, bytes, 0, bytes.length);
  }
  encoder.finish();
  if (direction === 'out') {
    into.append(number, encoder.buffer, encoder.start, encoder.end);
    return;
  }
  into.received(number, encoder.buffer, encoder.start, encoder.end);
  into.setNextTargetMsgSeqNum(number + 1);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

t.test('log, status and reset of a store', async (t) => {
  const dataDir = t.testdir();
  let nowMs = START_MS;
  const options = { directory: join(dataDir, 'fix'), sessionId: SESSION, now: () => nowMs };
  const open = openFixStore(options);
  store(open, 'out', MsgType.Logon, [
    [Tag.Username, 'me'],
    [Tag.Password, 'hunter2'],
  ]);
  nowMs += 1_000;
  store(open, 'out', MsgType.NewOrderSingle, [
    [Tag.ClOrdID, 'A1'],
    [Tag.Side, '1'],
  ]);
  nowMs += 1_000;
  store(open, 'in', MsgType.ExecutionReport, [
    [Tag.ClOrdID, 'A1'],
    [Tag.Text, 'dôné'],
  ]);
  nowMs += 1_000;
  store(open, 'out', MsgType.NewOrderSingle, [
    [Tag.ClOrdID, 'A2'],
    [Tag.Side, '2'],
    [Tag.Password, 'hunter3'],
  ]);
  await new Promise<void>((resolve) => open.durability.listen(resolve));

  const all = await outcry(dataDir, 'log', dataDir);
  t.equal(all.stderr, '');
  const shown = lines(all.stdout);
  t.equal(shown.length, 4);
  t.match(shown[1], new RegExp(`^2026-11-23T04:00:01.000Z ${SESSION} out 2 {2}8 BeginString=FIX.4.4 | 9 BodyLength=`));
  t.match(shown[1], / \| 35 MsgType=D NewOrderSingle \| .* \| 11 ClOrdID=A1 \| 54 Side=1 BUY \| 10 CheckSum=\d{3}$/);
  t.match(shown[2], / in {2}1 .*35 MsgType=8 ExecutionReport .*58 Text=d\\xf4n\\xe9/);
  t.match(shown[0], /554 Password=\*{7} /);
  t.match(shown[3], /554 Password=\*{7} /, 'whatever message it is in');
  for (const name of readdirSync(open.directory)) {
    t.notOk(readFileSync(join(open.directory, name)).includes('hunter2'), 'no password is on the disk');
  }
  const counts: [string[], number][] = [
    [['--type', 'D'], 2],
    [['--type', 'D,8'], 3],
    [['--direction', 'in'], 1],
    [['--from', '2', '--direction', 'out'], 2],
    [['--from', '2', '--to', '2'], 1],
    [['--from', '2026-11-23T04:00:02'], 2],
    [['--to', '2026-11-23T09:30:01+05:30'], 2],
    [['--session', SESSION], 4],
  ];
  for (const [args, count] of counts) {
    const { stdout } = await outcry(dataDir, 'log', dataDir, ...args);
    t.equal(lines(stdout).length, count, args.join(' '));
  }
  const newest = readdirSync(open.directory)
    .filter((name) => name.endsWith('.fixstore'))
    .at(-1)!;
  for (const path of [open.directory, join(open.directory, newest), join(dataDir, 'fix')]) {
    t.equal(lines((await outcry(dataDir, 'log', path)).stdout).length, 4, path);
  }
  const json = lines((await outcry(dataDir, 'log', dataDir, '--json', '--from', '4')).stdout);
  t.same(json, []);
  const [order] = lines((await outcry(dataDir, 'log', dataDir, '--json', '--type', 'D')).stdout).map((line) =>
    JSON.parse(line),
  );
  t.match(order, { session: SESSION, epoch: open.epoch, direction: 'out', msgSeqNum: 2, msgType: 'D' });
  t.same(
    order.fields.find(({ tag }: { tag: number }) => tag === Tag.Side),
    { tag: 54, name: 'Side', value: '1', meaning: 'BUY' },
  );
  for (const [args, code, text] of [
    [['log', join(dataDir, 'none')], 1, /no such file or directory/],
    [['log', dataDir, '--session', 'X'], 1, new RegExp(`no store of X; has ${SESSION}`)],
    [['log', dataDir, '--from', 'noon'], 2, /--from is noon; allowed is a MsgSeqNum or an ISO 8601 time/],
    [['reset-sequence', 'X'], 2, new RegExp(`has ${SESSION}`)],
    [['reset-sequence', SESSION, '--yes'], 4, new RegExp(`process ${process.pid} has ${SESSION}`)],
  ] as [string[], number, RegExp][]) {
    const result = await outcry(dataDir, ...args);
    t.equal(result.code, code, args.join(' '));
    t.match(result.stderr, text);
  }

  const [status] = JSON.parse((await outcry(dataDir, 'status', '--json')).stdout);
  t.match(status, {
    session: SESSION,
    epoch: START_MS,
    nextSenderMsgSeqNum: 4,
    nextTargetMsgSeqNum: 2,
    messagesOut: 3,
    messagesIn: 1,
    lastActivity: '2026-11-23T04:00:03.000Z',
    files: 1,
    pid: process.pid,
    damage: null,
  });
  t.match((await outcry(dataDir, 'status')).stdout, /next out +4, 3 messages kept/);
  await open.close();

  const told = await outcry(dataDir, 'reset-sequence', SESSION);
  t.equal(told.code, 4);
  t.match(told.stdout, /3 messages can then not be sent again/);
  t.match(told.stderr, /nothing was done: add --yes/);
  t.equal((await outcry(dataDir, 'reset-sequence', SESSION, '--yes')).code, 0);
  const after = openFixStore(options);
  t.ok(after.epoch > open.epoch);
  t.equal(after.nextSenderMsgSeqNum, 1);
  t.equal(after.nextTargetMsgSeqNum, 1);
  store(after, 'out', MsgType.Heartbeat, []);
  await after.close();
  t.equal(lines((await outcry(dataDir, 'log', dataDir)).stdout).length, 5, 'the log has both epochs');

  // Damage in the middle: told, and a reset is the way out.
  const files = readdirSync(after.directory).filter((name) => name.endsWith('.fixstore'));
  const path = join(after.directory, files.at(-1)!);
  const bytes = readFileSync(path);
  bytes[20]! ^= 1;
  writeFileSync(path, bytes);
  const damaged = await outcry(dataDir, 'status');
  t.equal(damaged.code, 1);
  t.match(damaged.stdout, /DAMAGED .*no header of a store file at offset 0/);
  t.equal((await outcry(dataDir, 'log', dataDir)).code, 4);
  t.equal((await outcry(dataDir, 'reset-sequence', SESSION, '--yes')).code, 0);
  t.equal((await outcry(dataDir, 'status')).code, 0);
});

t.test('every field of both dictionaries has a name', async (t) => {
  t.ok(FIELD_NAMES.length > 900);
  t.ok(FIELD_NAMES.includes('554 Password'));
  t.ok(
    FIELD_NAMES.some((line) => line.startsWith('20 ExecTransType 0=NEW')),
    'of FIX 4.2 alone',
  );
});
