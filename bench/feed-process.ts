/** The exchange of a bench, in a process of its own: a simulated market, or a recording of one served over and over. */
import { recordExchange, runExchange } from '../src/exchange.ts';
import type { FeedReport, FeedSettings } from './feed.ts';

const RECORDING_SPEED = 1;

async function start(settings: FeedSettings): Promise<number> {
  const { seed, updatesPerSecond, instrumentFile, recordingFile, recordingSeconds, compID } = settings;
  const market = {
    seed,
    updatesPerSecond,
    openBurstFactor: 1,
    marketHours: 'always',
    instrumentFile,
    madeUpInstruments: 0,
  } as const;
  const isReplay = settings.kind === 'replay';
  if (isReplay) await recordExchange({ ...market, out: recordingFile, seconds: recordingSeconds, startMicros: null });
  const exchange = await runExchange({
    ...market,
    host: '127.0.0.1',
    port: 0,
    compID,
    replay: isReplay ? { file: recordingFile, speed: RECORDING_SPEED, loop: true } : null,
  });
  return exchange.port;
}

process.title = 'outcry-feed';
process.on('disconnect', () => process.exit(1));
process.on('message', (settings: FeedSettings) => {
  const send = (report: FeedReport) => process.send!(report);
  start(settings).then(
    (port) => send({ type: 'listening', port }),
    (error: unknown) => send({ type: 'failed', text: error instanceof Error ? error.message : String(error) }),
  );
});
