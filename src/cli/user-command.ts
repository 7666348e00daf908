import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { type AccountRequest, AMOUNT_PAISE_MAX, askControl } from '../net/control-socket.ts';
import { loadCommandConfig } from './config-command.ts';
import { wholeNumber } from './exchange-command.ts';

interface UserOptions {
  readonly userId: number;
  readonly json?: boolean;
}
interface AmountOptions extends UserOptions {
  readonly amount: number;
  readonly reference?: string;
}
interface ReasonOptions extends UserOptions {
  readonly reason: string;
}

/** What the order worker answers. */
interface AccountAnswer {
  readonly userId: number;
  /** Of the event that the command made. */
  readonly seq: number;
  /** It had been done before, under the same reference. */
  readonly repeat: boolean;
  readonly availablePaise: number;
  readonly heldPaise: number;
  readonly marginPaise: number;
}

export const parseUserId = wholeNumber(1, Number.MAX_SAFE_INTEGER);

export function addUserCommand(program: Command): void {
  const user = program.command('user').description('open accounts of the running engine, and move their money');

  addAccountCommand(user, 'create', 'open an account', 'outcry user create --user-id 42').action(
    (options: UserOptions, command: Command) =>
      run(command, { type: 'open-account', userId: options.userId }, 'opened'),
  );
  for (const [type, what, done] of [
    ['deposit', 'pay money in', 'deposited'],
    ['withdraw', 'pay money out; what is held and used as margin stays', 'withdrawn'],
  ] as const) {
    addAccountCommand(user, type, what, `outcry user ${type} --user-id 42 --amount 250000.50 --reference NEFT-7731`)
      .requiredOption('--amount <rupees>', 'amount in rupees, with at most two decimals', parsePaise)
      .option('--reference <text>', 'names the payment: the same reference again is the same payment, done once')
      .action((options: AmountOptions, command: Command) => {
        const { userId, amount: amountPaise, reference = randomUUID() } = options;
        return run(command, { type, userId, amountPaise, reference }, `₹${rupees(amountPaise)} ${done}`);
      });
  }
  for (const [type, what] of [
    ['freeze', 'refuse new orders and withdrawals of an account'],
    ['unfreeze', 'let them pass again'],
  ] as const) {
    addAccountCommand(user, type, what, `outcry user ${type} --user-id 42 --reason "asked for by the user"`)
      .option('--reason <text>', 'kept in the ledger', 'an operator')
      .action((options: ReasonOptions, command: Command) => {
        return run(command, { type, userId: options.userId, reason: options.reason }, `${type.replace(/e?$/, '')}ed`);
      });
  }
}

function addAccountCommand(user: Command, name: string, what: string, example: string): Command {
  return user
    .command(name)
    .description(what)
    .requiredOption('--user-id <id>', 'a whole number from 1 to 2^53 - 1', parseUserId)
    .option('--json', 'as one JSON object, amounts in paise')
    .addHelpText('after', `\nExamples:\n  ${example}`);
}

async function run(command: Command, request: AccountRequest, done: string): Promise<void> {
  const { dataDir } = loadCommandConfig(command);
  const answer = (await askControl(dataDir, { type: 'account', command: request })) as AccountAnswer;
  if (command.opts<UserOptions>().json) {
    const { reference } = request as { reference?: string };
    process.stdout.write(`${JSON.stringify({ ...answer, ...(reference === undefined ? {} : { reference }) })}\n`);
    return;
  }
  const { userId, seq, repeat, availablePaise, heldPaise, marginPaise } = answer;
  const again = repeat ? ', before: nothing was done again' : '';
  process.stdout.write(
    `user ${userId}: ${done} (event ${seq}${again}); free ₹${rupees(availablePaise)}, held ₹${rupees(heldPaise)}, margin ₹${rupees(marginPaise)}\n`,
  );
}

/** Digits in, paise out: no fraction ever becomes a double. */
function parsePaise(text: string): number {
  const match = /^([0-9]{1,13})(?:\.([0-9]{1,2}))?$/.exec(text);
  const paise = match === null ? 0 : Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
  if (paise >= 1 && paise <= AMOUNT_PAISE_MAX) return paise;
  throw new InvalidArgumentError(
    `It must be an amount from 0.01 to ${AMOUNT_PAISE_MAX / 100} with at most two decimals.`,
  );
}

function rupees(paise: number): string {
  const whole = Math.trunc(Math.abs(paise) / 100).toLocaleString('en-IN');
  return `${paise < 0 ? '-' : ''}${whole}.${String(Math.abs(paise) % 100).padStart(2, '0')}`;
}
