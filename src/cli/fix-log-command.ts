import { writeSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { OutcryError } from '../core/errors.ts';
import { namedFields, renderFields } from '../core/fix/message-text.ts';
import { type LoggedMessage, visitMessages } from '../net/store-view.ts';

interface LogOptions {
  readonly session?: string;
  readonly from?: string;
  readonly to?: string;
  readonly type?: string;
  readonly direction?: 'in' | 'out';
  readonly json?: boolean;
}

const MSG_TYPE = '35';
const STDOUT = 1;
/** Lines that are gathered for one write. */
const OUTPUT_CHARACTERS = 65_536;

/** `outcry fix log`: the messages of a store, for people and scripts. */
export function addFixLogCommand(fix: Command): void {
  fix
    .command('log')
    .description('print the messages of a session’s store, also while it is in use')
    .argument('<path>', 'a store file, a session’s directory, or the data directory')
    .option('--session <name>', 'of a directory with several: this one, as `outcry fix status` has it')
    .option('--from <point>', 'from this MsgSeqNum (digits) or time (ISO 8601, UTC unless it says otherwise) on')
    .option('--to <point>', 'to this MsgSeqNum or time, inclusive')
    .option('--type <types>', 'only these MsgTypes, with commas: D,8')
    .addOption(new Option('--direction <direction>', 'only one way').choices(['in', 'out']))
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry fix log data --session FIX.4.4-BROKER-VENUE --type D,8\n  outcry fix log data/fix/FIX.4.4-BROKER-VENUE --from 2026-11-22T09:15:00+05:30 --direction in\n  outcry fix log data --from 100 --to 120 --json | jq .fields',
    )
    .action((path: string, options: LogOptions) => {
      const wanted = filterOf(options);
      const output = new LineOutput();
      try {
        visitMessages(path, options.session, (message) => {
          if (wanted(message)) output.line(options.json ? renderJson(message) : renderLine(message));
        });
      } finally {
        output.flush();
      }
    });
}

function filterOf(options: LogOptions): (message: LoggedMessage) => boolean {
  const from = pointOf('--from', options.from);
  const to = pointOf('--to', options.to);
  const types = options.type?.split(',');
  return (message) => {
    if (options.direction !== undefined && message.direction !== options.direction) return false;
    if (from !== undefined && valueAt(message, from.kind) < from.value) return false;
    if (to !== undefined && valueAt(message, to.kind) > to.value) return false;
    return types === undefined || types.includes(msgTypeOf(message.bytes));
  };
}

type PointKind = 'number' | 'time';

function pointOf(option: string, text: string | undefined): { kind: PointKind; value: number } | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return { kind: 'number', value: Number(text) };
  // A time without a zone is UTC, as in the messages; alone, JavaScript would take the machine's.
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes('T');
  const millis = Date.parse(hasZone ? text : `${text}Z`);
  if (Number.isNaN(millis))
    throw new OutcryError('CONFIG_INVALID', `${option} is ${text}; allowed is a MsgSeqNum or an ISO 8601 time`);
  return { kind: 'time', value: millis * 1_000 };
}

function valueAt(message: LoggedMessage, kind: PointKind): number {
  return kind === 'number' ? message.msgSeqNum : message.timeMicros;
}

/** MsgType(35) is the third field of every message. */
function msgTypeOf(bytes: Uint8Array): string {
  return namedFields(bytes.subarray(0, 64)).find(({ tag }) => tag === MSG_TYPE)?.value ?? '';
}

function renderLine(message: LoggedMessage): string {
  const { session, direction, msgSeqNum, bytes } = message;
  const time = new Date(message.timeMicros / 1_000).toISOString();
  return `${time} ${session} ${direction.padEnd(3)} ${msgSeqNum}  ${renderFields(namedFields(bytes))}`;
}

function renderJson(message: LoggedMessage): string {
  const { session, epoch, direction, msgSeqNum, timeMicros, bytes } = message;
  const fields = namedFields(bytes);
  const type = fields.find(({ tag }) => tag === MSG_TYPE);
  return JSON.stringify({
    session,
    epoch,
    direction,
    msgSeqNum,
    time: new Date(timeMicros / 1_000).toISOString(),
    msgType: type?.value ?? '',
    msgName: type?.meaning ?? '',
    fields: fields.map(({ tag, name, value, meaning }) => {
      return { tag: Number(tag), ...(name === '' ? {} : { name }), value, ...(meaning === '' ? {} : { meaning }) };
    }),
  });
}

/** Writes as it goes: a log is longer than memory. */
class LineOutput {
  #text = '';

  line(text: string): void {
    this.#text += `${text}\n`;
    if (this.#text.length >= OUTPUT_CHARACTERS) this.flush();
  }

  flush(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    for (let at = 0; at < bytes.length; ) at += this.#write(bytes.subarray(at));
  }

  #write(bytes: Uint8Array): number {
    try {
      return writeSync(STDOUT, bytes);
    } catch (error) {
      // A pipe that is full for now.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }
}
