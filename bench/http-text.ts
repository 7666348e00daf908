import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getTls } from 'node:https';

const TIMEOUT_MS = 10_000;

/** The body of a GET; a certificate is a bench's own, and is not looked at. */
export function httpText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, timeout: TIMEOUT_MS, rejectUnauthorized: false };
    const onAnswer = (answer: IncomingMessage): void => {
      const parts: string[] = [];
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => parts.push(part));
      answer.on('end', () => resolve(parts.join('')));
      answer.on('error', reject);
    };
    const request = url.startsWith('https:') ? getTls(url, options, onAnswer) : getPlain(url, options, onAnswer);
    request.on('timeout', () => request.destroy(new Error(`no answer from ${url} in ${TIMEOUT_MS} ms`)));
    request.on('error', reject);
  });
}
