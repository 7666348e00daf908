import { fileURLToPath } from 'node:url';
import { isExecutable, PROCESS_OPTION } from '../net/executable-assets.ts';
import { workerUrl } from './worker-url.ts';

/** Garbage is collected by the thread that made it: helpers would take the cores of other threads. */
const V8_OPTIONS = ['--single-threaded-gc'];
/** The executable can set options only once V8 runs, and V8 takes most changes ill by then. Collections of new objects, nearly all there are, are kept to their thread all the same. */
const V8_OPTIONS_LATE = ['--no-parallel-scavenge'];
/** Orders pass through the main thread of the exchange, so that is the one that needs room for new objects from the beginning; the engine sets that of its workers. */
const OWN_V8_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  'exchange-process': ['--min-semi-space-size=32'],
};

/** Program and arguments that start the process whose entry is `name`: this very Node, or this very executable. */
export function processCommand(name: string): readonly string[] {
  return isExecutable
    ? [process.execPath, PROCESS_OPTION, name, ...V8_OPTIONS_LATE]
    : [process.execPath, ...V8_OPTIONS, ...(OWN_V8_OPTIONS[name] ?? []), fileURLToPath(workerUrl(name))];
}
