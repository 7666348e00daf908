// `npm run torture -- …`: installs and builds what is missing, then runs the long checks that `npm test` runs short.
import { bootstrapOrExit } from './bootstrap.mjs';

await bootstrapOrExit();
await import('../build/bench/torture.js');
