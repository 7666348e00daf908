import { AskedChild } from './asked-child.ts';
import type {
  LoadContent,
  LoadFigures,
  LoadOrder,
  LoadReport,
  LoadReturns,
  LoadSettings,
  LoadVerdict,
} from './load-messages.ts';
import type { Cores } from './placement.ts';

/** A load process as the bench sees it. */
export class LoadProcess {
  readonly #child: AskedChild<LoadOrder, LoadReport>;

  constructor(cores: Cores) {
    this.#child = new AskedChild('the load client', './load-client', cores);
  }

  /** Resolves when every connection has had its quotes, with the seconds that it took. */
  async connect(settings: LoadSettings): Promise<number> {
    return (await this.#child.ask({ type: 'connect', settings }, 'connected')).seconds;
  }

  async measure(): Promise<void> {
    await this.#child.ask({ type: 'measure' }, 'measuring');
  }

  async figures(): Promise<LoadFigures> {
    return (await this.#child.ask({ type: 'report' }, 'figures')).figures;
  }

  async drill(): Promise<void> {
    await this.#child.ask({ type: 'drill' }, 'warned');
  }

  async returns(): Promise<LoadReturns> {
    return (await this.#child.ask({ type: 'returns' }, 'returned')).returns;
  }

  async content(): Promise<LoadContent> {
    return (await this.#child.ask({ type: 'decode' }, 'content')).content;
  }

  async verify(): Promise<LoadVerdict> {
    return (await this.#child.ask({ type: 'verify' }, 'verdict')).verdict;
  }

  close(): void {
    this.#child.close();
  }
}
