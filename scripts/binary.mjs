// `npm run build:binary`, `npm run build:tarball`: installs and builds what is missing, then makes the single executable.
import { bootstrapOrExit } from './bootstrap.mjs';

await bootstrapOrExit();
await import('../build/scripts/build-binary.js');
