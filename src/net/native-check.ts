import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { OutcryError } from '../core/errors.ts';
import type { Log } from './log.ts';

/**
 * sha256 of the binaries of the uWebSockets.js package that package-lock.json pins, by platform, architecture and Node's ABI. Another binary may be
 * meant (a fleet that installs upstream's own release), so it is a warning; one that lacks a function is not.
 */
export const KNOWN_BINARIES: Readonly<Record<string, string>> = {
  linux_x64_115: 'f4fa5d7b697529b45ac8aa3d57385d9af51bc1d2b26aa9f5b68ca4361542e665',
  linux_x64_127: '78e38a9a163b1cf33ce539619e5908111dea95a12e7943d95fbcdd524879caa8',
  linux_x64_137: '3b549c14e01d9d1faf234cdf4b6f0fb08158605e3692cd0eb1b905e327bd3449',
  linux_arm64_115: '034e0fcccdc08f90df3b130f421516311831b1352fe38eab91abc2984c2fdf3a',
  linux_arm64_127: 'a7d9bc3ec166421a49416d5ea4f49118ae68ea1dbf8a765c4f45a79b0b6adb13',
  linux_arm64_137: 'b6eb007d627e00bcce03ad38f197124e9027c03f6fe784b37f97b8a6ea709cb4',
  darwin_x64_115: '7552dc27e278be4a5f9ca4f571676e9046929ef8753b1bb63b84f78e1a752a11',
  darwin_x64_127: '1bcd63a9cd5cda811d899b80f9b1f7c9f29d128feafebe6976069ab1045a0335',
  darwin_x64_137: '7df6e0b2be43048200370a64ee91d6563879f5d3b0207f846dc81377ffc4e189',
  darwin_arm64_115: 'f6132ac4d0954ce32ed716d5b367270904c5885bc6e01dcc8ae5809a8967d504',
  darwin_arm64_127: '84ab0c487fbbb895afbfa24c7ac02db5922b2eb468b3a4663aaca52af29b420c',
  darwin_arm64_137: 'dd7623e7e600dcc1384c4a639ac05849f0c27125be8c431b702e0513e86613f0',
};

const MODULE_FUNCTIONS = ['App', 'us_listen_socket_close', 'us_socket_local_port'] as const;
const APP_FUNCTIONS = ['ws', 'get', 'any', 'listen', 'close', 'filter'] as const;

/** The binary and its functions, as found; apart from the checks so that these can be tested. */
export interface NativeLibrary {
  /** `linux_x64_115`: platform, architecture, ABI. */
  readonly key: string;
  readonly sha256: string;
  readonly moduleFunctions: readonly string[];
  readonly appFunctions: readonly string[];
}

/** Loads the library that this process will serve with. Raises NATIVE_UNSUPPORTED when there is none for this machine. */
export function inspectNative(): NativeLibrary {
  const require = createRequire(import.meta.url);
  const key = `${process.platform}_${process.arch}_${process.versions.modules}`;
  try {
    const library = require('uWebSockets.js') as Record<string, unknown> & { App(options: object): { close(): void } };
    const path = join(dirname(require.resolve('uWebSockets.js')), `uws_${key}.node`);
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    const app = library.App({});
    const appFunctions = functionsOf(app);
    app.close();
    return { key, sha256, moduleFunctions: functionsOf(library), appFunctions };
  } catch (error) {
    const reason = (error as Error).message.split('\n').at(-1);
    throw new OutcryError('NATIVE_UNSUPPORTED', `uWebSockets.js for ${key} does not load: ${reason}`, error);
  }
}

/** What Outcry calls and the library does not have. */
export function missingFunctions(native: NativeLibrary): string[] {
  return [
    ...MODULE_FUNCTIONS.filter((name) => !native.moduleFunctions.includes(name)),
    ...APP_FUNCTIONS.filter((name) => !native.appFunctions.includes(name)).map((name) => `App.${name}`),
  ];
}

/** Refuses a library that lacks what Outcry calls, and warns of a binary that is not the pinned one. */
export function checkNative(native: NativeLibrary, log: Log): void {
  const missing = missingFunctions(native);
  if (missing.length > 0) {
    throw new OutcryError('NATIVE_UNSUPPORTED', `uWebSockets.js for ${native.key} lacks ${missing.join(', ')}`);
  }
  const known = KNOWN_BINARIES[native.key];
  if (known !== undefined && known !== native.sha256) {
    log('warn', 'the uWebSockets.js binary is not the one that the lockfile pins', {
      binary: native.key,
      sha256: native.sha256,
      pinned: known,
    });
  }
}

function functionsOf(value: object): string[] {
  const names: string[] = [];
  // for…in: the library hangs its methods on a prototype template, where Object.keys does not look.
  for (const name in value) if (typeof (value as Record<string, unknown>)[name] === 'function') names.push(name);
  return names;
}
