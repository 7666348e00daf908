import { OutcryError } from '../core/errors.ts';
import type { ControlRequest } from '../net/control-socket.ts';
import type { Answer, Question } from './process-messages.ts';

/** Requests that another process or thread was asked and has not answered yet. The control socket's limit of connections bounds them. */
export class Questions {
  readonly #whom: string;
  readonly #answerMs: number;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #count = 0;

  /** `whom` as messages have it: `the engine`. */
  constructor(whom: string, answerMs: number) {
    this.#whom = whom;
    this.#answerMs = answerMs;
  }

  /** Resolves with the answer; raises what it was refused with, TIMED_OUT, or NOT_RUNNING when whoever was asked died meanwhile. */
  ask(request: ControlRequest, send: (question: Question) => boolean): Promise<unknown> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#open.delete(id);
        reject(new OutcryError('TIMED_OUT', `${this.#whom} does not answer`));
      }, this.#answerMs);
      this.#open.set(id, ({ value, error }) => {
        clearTimeout(timer);
        this.#open.delete(id);
        if (error) reject(new OutcryError(error.code, error.detail));
        else resolve(value);
      });
      if (!send({ type: 'ask', id, request })) this.died();
    });
  }

  answered(answer: Answer): void {
    this.#open.get(answer.id)?.(answer);
  }

  died(): void {
    const error = { code: 'NOT_RUNNING', detail: `${this.#whom} ended and is being started again` } as const;
    for (const [id, settle] of this.#open) settle({ type: 'answer', id, error });
  }
}

/** What is answered to a question, from what came of it. */
export function answerTo(id: number, outcome: Promise<unknown>): Promise<Answer> {
  return outcome.then(
    (value) => ({ type: 'answer', id, value }),
    (error: unknown) => {
      const known = error instanceof OutcryError;
      return {
        type: 'answer',
        id,
        error: known ? { code: error.code, detail: error.detail } : { code: 'WORKER_FAILED', detail: String(error) },
      };
    },
  );
}
