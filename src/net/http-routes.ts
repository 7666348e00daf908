import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { InstrumentRow } from '../core/market-data/instrument-row.ts';
import { type EngineView, health, notReadyReason, ordersSummary } from './engine-view.ts';
import { createMetrics } from './metrics.ts';
import { etagOf, loadStaticFiles, type StaticFile } from './static-files.ts';

export interface HttpOptions {
  readonly view: EngineView;
  readonly rows: readonly InstrumentRow[];
  /** The built page; a directory that is not there serves none. */
  readonly publicDir: string;
}

export interface HttpRoutes {
  /** `/instruments.json` after a reload. */
  setInstruments(rows: readonly InstrumentRow[]): void;
}

interface Answer {
  readonly status: string;
  readonly contentType: string;
  readonly body: Uint8Array | string;
  readonly etag?: string;
}

/** The page talks to its own host only and is framed by nobody. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * Mounts everything that is not `/ws`: the page and its files, `/healthz`, `/readyz`, `/metrics`, `/instruments.json`. GET and HEAD only; another
 * method is answered 405 and its connection closed, so that no body is ever read.
 */
export function mountHttpRoutes(app: TemplatedApp, options: HttpOptions): HttpRoutes {
  const { view, publicDir } = options;
  const files = loadStaticFiles(publicDir);
  const metrics = createMetrics(view);
  let instruments = instrumentsFile(options.rows);

  const routes: Readonly<Record<string, () => Answer>> = {
    '/healthz': () => {
      const body = health(view, Date.now());
      return json(body.status === 'ok' ? '200 OK' : '503 Service Unavailable', body);
    },
    '/readyz': () => {
      const reason = notReadyReason(view, Date.now());
      return reason === undefined
        ? json('200 OK', { ready: true, ...ordersPart(view) })
        : json('503 Service Unavailable', { ready: false, reason });
    },
    '/instruments.json': () => ({ status: '200 OK', ...instruments }),
  };

  app.any('/*', (res, req) => {
    const method = req.getMethod();
    if (method !== 'get' && method !== 'head') return refuseMethod(res);
    const withBody = method === 'get';
    const url = req.getUrl();
    if (url === '/metrics') return void sendMetrics(res, withBody);
    const route = Object.hasOwn(routes, url) ? routes[url] : undefined;
    const file = files.get(url);
    if (route) send(res, req, route(), withBody);
    else if (file) send(res, req, { status: '200 OK', ...file }, withBody);
    else send(res, req, { status: '404 Not Found', contentType: TEXT_TYPE, body: 'Not found\n' }, withBody);
  });

  async function sendMetrics(res: HttpResponse, withBody: boolean): Promise<void> {
    let aborted = false;
    res.onAborted(() => {
      aborted = true;
    });
    const body = await metrics.metrics();
    if (aborted) return;
    res.cork(() => write(res, { status: '200 OK', contentType: metrics.contentType, body }, withBody));
  }

  return {
    setInstruments(rows) {
      instruments = instrumentsFile(rows);
    },
  };
}

/** Quotes flow while orders cannot be taken: who sends orders looks here. */
function ordersPart(view: EngineView): { orders?: string } {
  const orders = ordersSummary(view);
  return orders === undefined ? {} : { orders: orders.state };
}

function send(res: HttpResponse, req: HttpRequest, answer: Answer, withBody: boolean): void {
  if (answer.etag !== undefined && req.getHeader('if-none-match') === answer.etag) {
    res.writeStatus('304 Not Modified');
    res.writeHeader('ETag', answer.etag);
    res.endWithoutBody();
    return;
  }
  write(res, answer, withBody);
}

function write(res: HttpResponse, answer: Answer, withBody: boolean): void {
  res.writeStatus(answer.status);
  res.writeHeader('Content-Type', answer.contentType);
  res.writeHeader('X-Content-Type-Options', 'nosniff');
  res.writeHeader('Referrer-Policy', 'no-referrer');
  res.writeHeader('Content-Security-Policy', PAGE_POLICY);
  if (answer.etag === undefined) {
    res.writeHeader('Cache-Control', 'no-store');
  } else {
    // Kept, but asked for again each time: a new build or instrument must show at once.
    res.writeHeader('Cache-Control', 'no-cache');
    res.writeHeader('ETag', answer.etag);
  }
  if (withBody) {
    res.end(answer.body);
  } else {
    // With a length as its argument, endWithoutBody of this library aborts the process; without one it writes none.
    res.writeHeader('Content-Length', String(Buffer.byteLength(answer.body)));
    res.endWithoutBody();
  }
}

function refuseMethod(res: HttpResponse): void {
  res.writeStatus('405 Method Not Allowed');
  res.writeHeader('Allow', 'GET, HEAD');
  res.writeHeader('Content-Type', TEXT_TYPE);
  res.end('Only GET and HEAD\n', true);
}

function json(status: string, value: object): Answer {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}

function instrumentsFile(rows: readonly InstrumentRow[]): StaticFile {
  const listed = rows
    .filter((row) => row.listed)
    .map(({ instrumentId, symbol, name, kind, tickPaise, lotSize, isin }) => ({
      instrumentId,
      symbol,
      name,
      kind,
      tickPaise,
      lotSize,
      isin,
    }));
  const body = Buffer.from(`${JSON.stringify(listed)}\n`);
  return { body, contentType: JSON_TYPE, etag: etagOf(body) };
}
