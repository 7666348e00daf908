import { parentPort, workerData } from 'node:worker_threads';
import { SNAPSHOT_EVENTS, takeSnapshots } from '../net/ledger-history.ts';
import { LedgerReader } from '../net/ledger-reader.ts';
import { nameThread, pinThread } from '../net/thread-placement.ts';
import type { SnapshotWork } from './day-snapshots.ts';

/** Takes the snapshots that are due, tells how many, and ends. */
const { target, cpus } = workerData as SnapshotWork;
nameThread('snapshots');
// A thread starts on the CPUs of the one that makes it, the order worker's here.
pinThread(cpus);
const reader = new LedgerReader(target);
const count = await takeSnapshots(target, reader, SNAPSHOT_EVENTS);
await reader.close();
parentPort!.postMessage(count);
