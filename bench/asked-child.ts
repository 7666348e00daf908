import { type ChildProcess, fork } from 'node:child_process';
import { modulePath } from './child-process.ts';
import { type Cores, forkOn } from './placement.ts';

/** A process of ours that is given one order at a time and reports once for each; a report `failed` ends it. */
export class AskedChild<Order extends object, Report extends { readonly type: string }> {
  readonly #name: string;
  readonly #child: ChildProcess;
  #resolve: ((report: Report) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #failure: Error | undefined;

  /** `entry` is a module of the build by its path from `bench/`, without extension. */
  constructor(name: string, entry: string, cores: Cores) {
    this.#name = name;
    this.#child = fork(modulePath(entry), forkOn(cores));
    this.#child.on('message', (report: Report | { type: 'failed'; text: string }) => {
      if (report.type === 'failed') this.#fail(new Error(`${name}: ${(report as { text: string }).text}`));
      else this.#resolve?.(report as Report);
    });
    this.#child.on('exit', (code, signal) => this.#fail(new Error(`${name} ended: ${signal ?? code}`)));
  }

  async ask<T extends Report['type']>(order: Order, type: T): Promise<Extract<Report, { type: T }>> {
    if (this.#failure !== undefined) throw this.#failure;
    const report = await new Promise<Report>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#child.send(order);
    });
    if (report.type !== type) throw new Error(`${this.#name} answered ${report.type} instead of ${type}`);
    return report as Extract<Report, { type: T }>;
  }

  close(): void {
    this.#failure ??= new Error(`${this.#name} was closed`);
    this.#child.kill('SIGKILL');
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#reject?.(this.#failure);
  }
}
