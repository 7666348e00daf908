import { OutcryError } from '../core/errors.ts';
import type { ControlRequest } from '../net/control-socket.ts';
import type { EngineOrder, EngineReport } from './process-messages.ts';

/** How long the engine may take to answer. */
const ANSWER_MS = 5_000;

type Answer = Extract<EngineReport, { type: 'answer' }>;

/** Requests that the engine was asked and has not answered yet. The control socket's limit of connections bounds them. */
export class EngineQuestions {
  readonly #open = new Map<number, (answer: Answer) => void>();
  #count = 0;

  /** Resolves with the engine's answer; raises what it refused with, TIMED_OUT, or NOT_RUNNING when it died meanwhile. */
  ask(request: ControlRequest, send: (order: EngineOrder) => boolean): Promise<unknown> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#open.delete(id);
        reject(new OutcryError('TIMED_OUT', 'the engine does not answer'));
      }, ANSWER_MS);
      this.#open.set(id, ({ value, error }) => {
        clearTimeout(timer);
        this.#open.delete(id);
        if (error) reject(new OutcryError(error.code, error.detail));
        else resolve(value);
      });
      if (!send({ type: 'ask', id, request })) this.engineDied();
    });
  }

  answered(answer: Answer): void {
    this.#open.get(answer.id)?.(answer);
  }

  engineDied(): void {
    const error = { code: 'NOT_RUNNING', detail: 'the engine ended and is being started again' } as const;
    for (const [id, settle] of this.#open) settle({ type: 'answer', id, error });
  }
}
