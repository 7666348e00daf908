import { fileURLToPath } from 'node:url';
import { isExecutable, PROCESS_OPTION } from '../net/executable-assets.ts';
import { workerUrl } from './worker-url.ts';

/**
 * Garbage is collected by the thread that made it: helpers would take the cores of other threads. New objects have all the room that a thread may give them from the beginning, so that few
 * outlive a collection; the workers' is in engine.ts.
 */
const NURSERY = '--min-semi-space-size=32';
const V8_OPTIONS = ['--single-threaded-gc', NURSERY];
/** The executable can set them only once V8 runs, and V8 takes most changes ill by then. Collections of new objects, nearly all there are, are kept to their thread all the same. */
const V8_OPTIONS_LATE = ['--no-parallel-scavenge', NURSERY];

/** Program and arguments that start the process whose entry is `name`: this very Node, or this very executable. */
export function processCommand(name: string): readonly string[] {
  return isExecutable
    ? [process.execPath, PROCESS_OPTION, name, ...V8_OPTIONS_LATE]
    : [process.execPath, ...V8_OPTIONS, fileURLToPath(workerUrl(name))];
}
