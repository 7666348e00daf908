/** The engine process: started by the supervisor, which tells it over the IPC channel what to do. */
import { OutcryError } from '../core/errors.ts';
import type { ControlRequest } from '../net/control-socket.ts';
import { installed } from '../net/installation.ts';
import type { Log } from '../net/log.ts';
import { checkNative, inspectNative } from '../net/native-check.ts';
import { createPinoLog, stderrDestination } from '../net/pino-log.ts';
import { Engine } from './engine.ts';
import { linkToSupervisor } from './process-link.ts';
import type { EngineOrder, EngineReport, Question } from './process-messages.ts';
import { answerTo } from './questions.ts';

let engine: Engine | undefined;
let log: Log = () => {};

const link = linkToSupervisor<EngineOrder, EngineReport>('outcry-engine', (order) => {
  switch (order.type) {
    case 'start':
      return start(order);
    case 'venue':
      return engine?.setVenue(order.venue, order.exchangeRestarts);
    case 'ledger':
      return engine?.setLedger(order.target);
    case 'ask':
      return void answer(order);
    case 'stop':
      return void stop();
  }
});

function start(order: Extract<EngineOrder, { type: 'start' }>): void {
  log = createPinoLog('engine', order.config.values.log_level, stderrDestination());
  try {
    checkNative(inspectNative(), log);
    engine = new Engine({
      ...order,
      publicDir: installed('build/public'),
      log,
      onReady: (instrumentCount) => link.send({ type: 'ready', instrumentCount }),
      onFatal: (error) => {
        log('error', 'the engine ends', { code: error.code, reason: error.message });
        link.fail(error);
      },
    });
    engine.start();
  } catch (error) {
    link.fail(error);
  }
}

async function answer({ id, request }: Question): Promise<void> {
  link.send(await answerTo(id, ask(request)));
}

async function ask(request: ControlRequest): Promise<unknown> {
  if (engine === undefined) throw new OutcryError('NOT_RUNNING', 'the engine is starting');
  return engine.answer(request);
}

/** Orderly: every App is closed and every thread gone before the process exits, since a live App would abort it. */
async function stop(): Promise<void> {
  await engine?.close();
  process.exit(0);
}

// An orderly end on request; the supervisor then starts another engine unless it is stopping itself.
process.on('SIGTERM', () => void stop());
