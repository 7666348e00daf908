import { parentPort, workerData } from 'node:worker_threads';
import { SNAPSHOT_EVENTS, takeSnapshots } from '../net/ledger-history.ts';
import { LedgerReader } from '../net/ledger-reader.ts';
import type { LedgerTarget } from '../net/ledger-target.ts';

/** Takes the snapshots that are due, tells how many, and ends. */
const target = workerData as LedgerTarget;
const reader = new LedgerReader(target);
const count = await takeSnapshots(target, reader, SNAPSHOT_EVENTS);
await reader.close();
parentPort!.postMessage(count);
