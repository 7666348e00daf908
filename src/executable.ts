/**
 * What the single executable runs first: it takes its files out of itself, and goes on as the command line, or as the process that the supervisor asked for. Bundled into
 * one CommonJS file, as Node wants it of an executable, so that everything else can stay modules.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { PROCESS_OPTION, unpackExecutable } from './net/executable-assets.ts';

function entry(): string {
  if (process.argv[2] !== PROCESS_OPTION) return 'cli/outcry';
  const [, name, ...v8Options] = process.argv.splice(2);
  // Node takes no options of its own here. What is set now holds for every thread made later.
  for (const option of v8Options) setFlagsFromString(option);
  return `workers/${name}`;
}

function fail(error: unknown): void {
  process.stderr.write(`outcry: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

try {
  const root = unpackExecutable('engine');
  // `import()` of this file would look inside the executable only.
  const load = createRequire(join(root, 'package.json'))('./build/src/load.cjs') as (url: string) => Promise<unknown>;
  load(pathToFileURL(join(root, 'build/src', `${entry()}.js`)).href).catch(fail);
} catch (error) {
  fail(error);
}
