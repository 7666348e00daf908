import { readFileSync, statSync } from 'node:fs';
import { isIP, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect, createServer, type TlsOptions } from 'node:tls';
import { OutcryError } from '../core/errors.ts';

/** TLS under FIX sessions (FIXS: TLS on a plain connection from its first byte). Certificates are PEM files; nothing below TLS 1.2 is spoken. */

const MIN_VERSION = 'TLSv1.2';
const PEM_BYTES_MAX = 1 << 20;
/** A client that does not finish its handshake in time holds a connection for nothing. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

/** Of an initiator. Empty paths and names are left out. */
export interface FixTlsClient {
  /** Certificates of the authorities that the venue's may come from; without it those of the system. */
  readonly caFile: string;
  /** Our own certificate and its key, for a venue that asks for one: both or neither. */
  readonly certFile: string;
  readonly keyFile: string;
  /** The name that the venue's certificate must have, when it is not the host that is connected to. */
  readonly serverName: string;
}

/** Of an acceptor. */
export interface FixTlsServer {
  readonly certFile: string;
  readonly keyFile: string;
  /** With it, only clients with a certificate from one of these authorities come in; empty asks for none. */
  readonly caFile: string;
}

/** Reads the files, so that a wrong one is told at the start: CONFIG_INVALID names it. */
export function tlsClientOptions(settings: FixTlsClient): ConnectionOptions {
  const { caFile, certFile, keyFile, serverName } = settings;
  if ((certFile === '') !== (keyFile === ''))
    throw new OutcryError('CONFIG_INVALID', 'TLS: a certificate file and a key file go together');
  return {
    minVersion: MIN_VERSION,
    ...(caFile === '' ? {} : { ca: pem(caFile) }),
    ...(certFile === '' ? {} : { cert: pem(certFile), key: pem(keyFile) }),
    ...(serverName === '' ? {} : { servername: serverName }),
  };
}

/** As `tlsClientOptions`, for an acceptor. */
export function tlsServerOptions({ caFile, certFile, keyFile }: FixTlsServer): TlsOptions {
  if (certFile === '' || keyFile === '')
    throw new OutcryError('CONFIG_INVALID', 'TLS: who serves it needs a certificate file and a key file');
  return {
    minVersion: MIN_VERSION,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    cert: pem(certFile),
    key: pem(keyFile),
    ...(caFile === '' ? {} : { ca: pem(caFile), requestCert: true, rejectUnauthorized: true }),
  };
}

/** Connects; `secureConnect` says that it stands, and that the certificate is what it must be. */
export function connectTls(target: NetConnectOpts & { host: string }, options: ConnectionOptions): Socket {
  // A name for SNI: an address is none.
  const servername = options.servername ?? (isIP(target.host) === 0 ? target.host : '');
  const socket = connect({ ...target, ...options, servername });
  // tls.connect passes `noDelay` over.
  socket.setNoDelay(true);
  return socket;
}

/** A listener whose sockets have shaken hands. */
export function createTlsServer(options: TlsOptions, onSocket: (socket: Socket) => void): Server {
  return createServer(options, (socket) => {
    socket.setNoDelay(true);
    onSocket(socket);
  });
}

function pem(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > PEM_BYTES_MAX) throw new Error(`${size} bytes, the limit is ${PEM_BYTES_MAX}`);
    return readFileSync(path);
  } catch (error) {
    throw new OutcryError('CONFIG_INVALID', `TLS: ${path}: ${(error as Error).message}`, error);
  }
}
