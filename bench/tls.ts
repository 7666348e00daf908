import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchSetup, Measurement, Subject } from './harness.ts';
import { hasNginx } from './nginx-front.ts';
import { QUOTES_BY_ZIPF, Rig, type Transport } from './rig.ts';

export interface TlsOptions {
  readonly connections: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  readonly seed: number;
}

const SYMBOLS = 20;
const TICK_MS = 100;
const UPDATES_PER_SECOND = 20_000;
const MADE_UP_INSTRUMENTS = 1_950;
const CONNECTS_PER_SECOND = 1_000;

/** The same load over each transport: what the server's side spends, an nginx in front of it included, and what that is for a frame and a connection. */
export async function tlsBench(options: TlsOptions): Promise<BenchSetup> {
  const transports: Transport[] = ['plain', 'tls'];
  if (hasNginx()) transports.push('nginx');
  else process.stderr.write('tls: nginx is left out: it is not installed (apt-get install nginx)\n');
  let rig: Rig | undefined;
  const subjects = transports.map(
    (transport): Subject => ({
      impl: transport === 'plain' ? 'baseline' : transport === 'tls' ? 'outcry' : transport,
      case: `${options.connections}x${SYMBOLS}-quote-${TICK_MS}ms`,
      async measure(): Promise<Measurement> {
        rig = await Rig.start(
          {
            feed: 'replay',
            rate: UPDATES_PER_SECOND,
            madeUpInstruments: MADE_UP_INSTRUMENTS,
            tickMs: TICK_MS,
            fanOutWorkers: 1,
            seed: options.seed,
            apart: true,
            transport,
          },
          options.connections,
        );
        const measurement = await measure(rig, options);
        await rig.close();
        rig = undefined;
        return measurement;
      },
    }),
  );
  return { subjects, close: async () => rig?.close() };
}

async function measure(rig: Rig, options: TlsOptions): Promise<Measurement> {
  await sleep(options.warmupSeconds * 1_000);
  const start = usage(rig);
  await sleep(options.warmupSeconds * 1_000);
  const idle = usage(rig);
  await rig.connect({
    connections: options.connections,
    symbols: SYMBOLS,
    ...QUOTES_BY_ZIPF,
    connectsPerSecond: CONNECTS_PER_SECOND,
    seed: options.seed,
  });
  const open = usage(rig);
  const framesOpen = await framesOut(rig);
  await sleep(options.warmupSeconds * 1_000);
  const framesBefore = await framesOut(rig);
  await rig.measure();
  const before = usage(rig);
  await sleep(options.seconds * 1_000);
  const after = usage(rig);
  const frames = (await framesOut(rig)) - framesBefore;
  const { bytes } = await rig.figures();
  const idleCores = (idle.cpuSeconds - start.cpuSeconds) / seconds(start, idle);
  const spent = after.cpuSeconds - before.cpuSeconds - idleCores * seconds(before, after);
  const frameMicros = (spent / frames) * 1e6;
  const opening =
    open.cpuSeconds - idle.cpuSeconds - idleCores * seconds(idle, open) - (framesOpen * frameMicros) / 1e6;
  const handshakeMicros = (opening / options.connections) * 1e6;
  return {
    samples: [
      { metric: 'cpu_frame', unit: 'µs', value: frameMicros },
      { metric: 'cpu_handshake', unit: 'µs', value: handshakeMicros },
      { metric: 'handshakes_per_core_s', unit: 'handshakes/s', value: 1e6 / handshakeMicros },
      {
        metric: 'memory_per_connection',
        unit: 'KiB',
        value: (after.rssBytes - idle.rssBytes) / 1024 / options.connections,
      },
      { metric: 'frames_per_s', unit: 'frames/s', value: frames / seconds(before, after) },
      { metric: 'bytes_per_frame', unit: 'bytes', value: bytes / frames },
      { metric: 'server_cores', unit: 'cores', value: (after.cpuSeconds - before.cpuSeconds) / seconds(before, after) },
      { metric: 'idle_cores', unit: 'cores', value: idleCores },
    ],
    checksum: frames,
  };
}

interface Usage {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** Engine and what stands in front of it. */
function usage({ engine, front }: Rig): Usage {
  const { atMs, cpuSeconds, rssBytes } = engine.usage();
  return {
    atMs,
    cpuSeconds: cpuSeconds + (front?.cpuSeconds() ?? 0),
    rssBytes: rssBytes + (front?.rssBytes() ?? 0),
  };
}

async function framesOut(rig: Rig): Promise<number> {
  return (await rig.engine.metrics()).get('outcry_frames_out_total')!;
}

function seconds(from: Usage, to: Usage): number {
  return (to.atMs - from.atMs) / 1_000;
}
