import { type DestinationStream, pino } from 'pino';
import type { Log, LogLevel } from './log.ts';

/** A log of JSON lines: level, time, process, pid, what varies, `msg`. */
export function createPinoLog(processName: string, level: LogLevel, destination: DestinationStream): Log {
  const logger = pino(
    { level, base: { process: processName, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  return (lineLevel, text, fields) => logger[lineLevel](fields ?? {}, text);
}

/** Standard error, written synchronously: a process that ends itself must not take its last words along. */
export function stderrDestination(): DestinationStream {
  return pino.destination({ dest: 2, sync: true });
}
