import { extname } from 'node:path';

/**
 * The URL of an entry of this directory, `feed.worker` for example. The compiler rewrites import paths but not strings, so the extension is that of this very file:
 * `.ts` from source, `.js` from the build. By way of the directory above, since a bundler puts this module into another one beside.
 */
export function workerUrl(name: string): URL {
  return new URL(`../workers/${name}${extname(import.meta.url)}`, import.meta.url);
}
