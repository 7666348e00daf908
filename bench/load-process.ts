import { type ChildProcess, fork } from 'node:child_process';
import { modulePath } from './child-process.ts';
import type { LoadContent, LoadFigures, LoadOrder, LoadReport, LoadSettings, LoadVerdict } from './load-messages.ts';
import { type Cores, forkOn } from './placement.ts';

/** A load process as the bench sees it: one order at a time, one report for each. */
export class LoadProcess {
  readonly #child: ChildProcess;
  #resolve: ((report: LoadReport) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #failure: Error | undefined;

  constructor(cores: Cores) {
    this.#child = fork(modulePath('./load-client'), forkOn(cores));
    this.#child.on('message', (report: LoadReport) => {
      if (report.type === 'failed') this.#fail(new Error(`load client: ${report.text}`));
      else this.#resolve?.(report);
    });
    this.#child.on('exit', (code, signal) => this.#fail(new Error(`the load client ended: ${signal ?? code}`)));
  }

  async connect(settings: LoadSettings): Promise<void> {
    await this.#ask({ type: 'connect', settings }, 'connected');
  }

  async measure(): Promise<void> {
    await this.#ask({ type: 'measure' }, 'measuring');
  }

  async figures(): Promise<LoadFigures> {
    return (await this.#ask({ type: 'report' }, 'figures')).figures;
  }

  async content(): Promise<LoadContent> {
    return (await this.#ask({ type: 'decode' }, 'content')).content;
  }

  async verify(): Promise<LoadVerdict> {
    return (await this.#ask({ type: 'verify' }, 'verdict')).verdict;
  }

  close(): void {
    this.#failure ??= new Error('the load client was closed');
    this.#child.kill('SIGKILL');
  }

  async #ask<T extends LoadReport['type']>(order: LoadOrder, type: T): Promise<Extract<LoadReport, { type: T }>> {
    if (this.#failure !== undefined) throw this.#failure;
    const report = await new Promise<LoadReport>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#child.send(order);
    });
    if (report.type !== type) throw new Error(`the load client answered ${report.type} instead of ${type}`);
    return report as Extract<LoadReport, { type: T }>;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#reject?.(this.#failure);
  }
}
