import { fileURLToPath } from 'node:url';

/**
 * Where Outcry itself lies: the checkout, or what the single executable took out of itself, which is laid out alike. Every compiled file is three levels
 * below it, so that this holds wherever a bundler puts this very module: `build/src/net/` here.
 */
const ROOT = new URL('../../../', import.meta.url);

/** A file or directory that comes with Outcry, by its path from the root: `package.json`, `build/public`. */
export function installed(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}
