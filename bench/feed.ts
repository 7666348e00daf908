import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateInstrumentMaster } from '../src/core/exchange/instrument-generator.ts';
import { modulePath } from './child-process.ts';
import { type Cores, forkOn } from './placement.ts';
import { processCpuSeconds } from './process-usage.ts';

/** Where the prices of a bench come from: `replay` costs the machine less, `simulator` is a market that runs on the wall clock. */
export const FEED_KINDS = ['replay', 'simulator'] as const;
export type FeedKind = (typeof FEED_KINDS)[number];

export interface FeedSettings {
  readonly kind: FeedKind;
  readonly seed: number;
  readonly updatesPerSecond: number;
  readonly compID: string;
  readonly instrumentFile: string;
  readonly recordingFile: string;
  /** What is recorded, and then served over and over. */
  readonly recordingSeconds: number;
}

export type FeedReport =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly text: string };

const COMP_ID = 'BENCH';
/** Dates of the master lie before the recording's and before any run's. */
const MASTER_DATE = '2026-01-01';
const RECORDING_SECONDS = 5;
const START_TIMEOUT_MS = 120_000;

export interface FeedOptions {
  readonly kind: FeedKind;
  readonly seed: number;
  readonly updatesPerSecond: number;
  /** Made-up shares beside those of the NIFTY 50. */
  readonly madeUpInstruments: number;
  readonly dataDir: string;
  readonly cores: Cores;
}

/** The exchange's process as the bench sees it. */
export class Feed {
  readonly compID = COMP_ID;
  readonly venue: string;
  readonly instrumentFile: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number, instrumentFile: string) {
    this.#child = child;
    this.venue = `127.0.0.1:${port}`;
    this.instrumentFile = instrumentFile;
  }

  /** Writes the instrument master, makes the recording if one is to be served, and resolves when it listens. */
  static async start(options: FeedOptions): Promise<Feed> {
    const { kind, seed, updatesPerSecond, madeUpInstruments, dataDir } = options;
    const instrumentFile = join(dataDir, 'instruments.json');
    writeFileSync(
      instrumentFile,
      generateInstrumentMaster({ seed, madeUpCount: madeUpInstruments, from: MASTER_DATE }).toText(),
    );
    const child = fork(modulePath('./feed-process'), forkOn(options.cores));
    const settings: FeedSettings = {
      kind,
      seed,
      updatesPerSecond,
      compID: COMP_ID,
      instrumentFile,
      recordingFile: join(dataDir, 'feed.recording'),
      recordingSeconds: RECORDING_SECONDS,
    };
    child.send(settings);
    try {
      const [report] = (await once(child, 'message', { signal: AbortSignal.timeout(START_TIMEOUT_MS) })) as [
        FeedReport,
      ];
      if (report.type === 'failed') throw new Error(`the feed cannot start: ${report.text}`);
      return new Feed(child, report.port, instrumentFile);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  cpuSeconds(): number {
    return processCpuSeconds(this.#child.pid!);
  }

  /** Stops the prices where they are, with the session still up: the board stays as it is, and nothing turns stale. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
