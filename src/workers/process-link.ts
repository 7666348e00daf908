import { OutcryError } from '../core/errors.ts';
import { type ChildReport, PROCESS_BEAT_MS } from './process-messages.ts';

export interface ProcessLink<Report> {
  send(report: Report | ChildReport): void;
  /** Reports why this process cannot serve and ends it once the report is out. */
  fail(error: unknown): void;
}

/**
 * A child process's end of the channel to its supervisor. It beats from the first moment. When the supervisor dies the channel closes and the
 * process ends at once, whatever it is doing: nothing may stay behind. Signals from a terminal reach the whole group; the supervisor alone decides.
 */
export function linkToSupervisor<Order extends { type: string }, Report>(
  title: string,
  onOrder: (order: Order, link: ProcessLink<Report>) => void,
): ProcessLink<Report> {
  if (process.send === undefined) {
    process.stderr.write(`${title} is started by \`outcry start\`, not by hand.\n`);
    process.exit(2);
  }
  process.title = title;
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

  const link: ProcessLink<Report> = {
    // The callback takes the error of a channel that closes under us: `disconnect` deals with that.
    send: (report) => void process.send?.(report, undefined, undefined, () => {}),
    fail(error) {
      const code = error instanceof OutcryError ? error.code : 'WORKER_FAILED';
      const text = error instanceof OutcryError ? error.detail : String((error as Error)?.stack ?? error);
      const report: ChildReport = { type: 'fatal', code, text };
      process.send?.(report, undefined, undefined, () => process.kill(process.pid, 'SIGKILL'));
    },
  };
  process.on('message', (order) => onOrder(order as Order, link));
  setInterval(() => link.send({ type: 'beat' }), PROCESS_BEAT_MS);
  link.send({ type: 'beat' });
  return link;
}
