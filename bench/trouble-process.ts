import { AskedChild } from './asked-child.ts';
import type { Sample } from './harness.ts';
import type { Cores } from './placement.ts';
import type { TroubleFigures, TroubleOrder, TroubleReport, TroubleSettings } from './trouble-messages.ts';

/** The process of the troublesome clients as the bench sees it. */
export class TroubleProcess {
  readonly #child: AskedChild<TroubleOrder, TroubleReport>;

  constructor(cores: Cores) {
    this.#child = new AskedChild('the troublesome clients', './trouble-client', cores);
  }

  async begin(settings: TroubleSettings): Promise<void> {
    await this.#child.ask({ type: 'begin', settings }, 'begun');
  }

  /** What they have done until now. */
  async figures(): Promise<TroubleFigures> {
    return (await this.#child.ask({ type: 'report' }, 'figures')).figures;
  }

  /** Ends them all, each without a word. */
  close(): void {
    this.#child.close();
  }
}

/** What is told of the trouble that was made, in all and by kind. */
export function troubleSamples({ kinds, cpuSeconds }: TroubleFigures, seconds: number): Sample[] {
  const samples: Sample[] = [{ metric: 'trouble_cores', unit: 'cores', value: cpuSeconds / seconds }];
  for (const [kind, { opened, actions, closed }] of Object.entries(kinds)) {
    samples.push(
      { metric: `opened_${kind}`, unit: 'connections', value: opened },
      { metric: `actions_${kind}`, unit: 'actions', value: actions },
      { metric: `closed_${kind}`, unit: 'connections', value: closed },
    );
  }
  return samples;
}
