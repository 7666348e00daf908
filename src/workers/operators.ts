import { OutcryError } from '../core/errors.ts';
import { NO_REQUEST_ID } from '../core/fan-out/control-codec.ts';
import type { Account } from '../core/ledger/account.ts';
import { fundsMap } from '../core/order-entry/account-reads.ts';
import { refusalName } from '../core/order-entry/refusal-names.ts';
import type { CommandOrigin, CommandReply } from '../core/orders/order-command.ts';
import type { OrderService } from '../core/orders/order-service.ts';
import { RefusalCode } from '../core/refusal-codes.ts';
import type { Answer, Question } from './process-messages.ts';

const CHANNEL = 'operator';

interface Asked {
  readonly id: number;
  readonly userId: number;
  readonly service: OrderService;
}

/** Commands of operators, which come by the control socket and are answered there. */
export class Operators {
  readonly #report: (answer: Answer) => void;
  readonly #asked = new Map<CommandOrigin, Asked>();
  #now = 0;

  constructor(report: (answer: Answer) => void) {
    this.#report = report;
  }

  ask({ id, request }: Question, service: OrderService | undefined, nowMicros: number): void {
    if (request.type !== 'account' || service === undefined) {
      const detail = service === undefined ? 'the order worker is starting' : `${request.type} is not for orders`;
      this.#report({ type: 'answer', id, error: { code: 'NOT_RUNNING', detail } });
      return;
    }
    this.#now = nowMicros;
    const origin = { channel: CHANNEL, generation: 0, connection: 0, requestID: NO_REQUEST_ID };
    this.#asked.set(origin, { id, userId: request.command.userId, service });
    service.command({ ...request.command, origin }, nowMicros);
  }

  /** False when nobody here asked. */
  answer(origin: CommandOrigin, reply: CommandReply): boolean {
    const asked = this.#asked.get(origin);
    if (asked === undefined) return false;
    this.#asked.delete(origin);
    if (reply.kind === 'done') this.#tell(asked, reply.seq, reply.isRepeat);
    else this.#refuse(asked.id, reply);
    return true;
  }

  /** With what the account has then. */
  #tell({ id, userId, service }: Asked, seq: number, repeat: boolean): void {
    const view = (account: Account | undefined) => {
      const value = { userId, seq, repeat, ...(account === undefined ? {} : fundsMap(account)) };
      return () => this.#report({ type: 'answer', id, value });
    };
    if (!service.read(userId, view, this.#now)) this.#report({ type: 'answer', id, value: { userId, seq, repeat } });
  }

  #refuse(id: number, reply: CommandReply): void {
    const { code, text } = reply.kind === 'refused' ? reply : { code: RefusalCode.BadRequest, text: reply.kind };
    const error = new OutcryError('REQUEST_REFUSED', `${refusalName(code)} (${code}): ${text}`);
    this.#report({ type: 'answer', id, error: { code: error.code, detail: error.detail } });
  }
}
