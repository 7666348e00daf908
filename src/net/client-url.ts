import type { Config } from './config.ts';

/** Where WebSocket clients of this configuration connect. */
export function clientUrl({ values, clientTls }: Config, port: number): string {
  const host = values.host.includes(':') ? `[${values.host}]` : values.host;
  return `${clientTls === null ? 'ws' : 'wss'}://${host}:${port}/ws`;
}

/** Whether only this machine reaches an address. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
