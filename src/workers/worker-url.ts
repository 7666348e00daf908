import { extname } from 'node:path';

/**
 * The URL of a worker's entry beside this file, `feed.worker` for example. The compiler rewrites import paths but not
 * strings, so the extension is that of this very file: `.ts` from source, `.js` from the build.
 */
export function workerUrl(name: string): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}
