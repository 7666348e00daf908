import t from 'tap';
import { fixDictionary } from '../core/fix/fix-dictionaries.ts';
import type { FixVersion } from '../core/fix/fix-version.ts';
import { MsgType } from '../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../core/fix/generated/fix-tags.gen.ts';
import { type FixSessionSettings, SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { masterOfSecurityList } from '../core/market-data/security-list-master.ts';
import { EXCHANGE_DEFAULTS, runExchange } from '../exchange.ts';
import { listenFix } from './fix-tcp.ts';
import { fetchSecurityList } from './security-list-client.ts';

const session = (beginString: FixVersion = 'FIX.4.4'): FixSessionSettings => ({
  ...SESSION_DEFAULTS,
  dictionary: fixDictionary(beginString),
  ...{
    beginString,
    role: 'initiator',
    senderCompID: 'ME',
    targetCompID: EXCHANGE_DEFAULTS.compID,
    gapPolicy: 'resend',
  },
});
const at = (port: number, timeoutMs = 10_000) => ({
  host: '127.0.0.1',
  port,
  timeoutMs,
  reconnectMinMs: 20,
  reconnectMaxMs: 50,
});

t.test('every instrument of the venue becomes one of the master', async (t) => {
  const madeUpInstruments = 700;
  const exchange = await runExchange({
    ...EXCHANGE_DEFAULTS,
    ...{ port: 0, updatesPerSecond: 100, madeUpInstruments, instrumentFile: null, replay: null },
  });
  t.teardown(() => exchange.close());
  const securities = await fetchSecurityList({ ...at(exchange.port), session: session() });
  t.equal(securities.length, exchange.instrumentCount);
  const master = masterOfSecurityList(securities, null, '2026-11-23');
  t.match(master.asOf('2026-11-23')[0], { kind: 'equity', lotSize: 1 });
  t.equal(master.asOf('2026-11-23').filter(({ kind }) => kind === 'index').length, 3);
  await t.rejects(fetchSecurityList({ ...at(exchange.port), session: session('FIX.4.2') }), {
    code: 'INSTRUMENTS_INVALID',
    message: /no such message/,
  });
});

t.test('a list that is short, refused or never comes is an error that says so', async (t) => {
  const answers: Record<string, [number, string][]> = {
    short: [
      [Tag.SecurityRequestResult, '0'],
      [Tag.TotNoRelatedSym, '2'],
      [Tag.LastFragment, 'Y'],
      [Tag.NoRelatedSym, '1'],
      [Tag.Symbol, 'A'],
      [Tag.SecurityID, '1'],
    ],
    refused: [[Tag.SecurityRequestResult, '3']],
  };
  for (const [name, message] of [
    ['short', /1 securities came, TotNoRelatedSym\(393\) is 2/],
    ['refused', /SecurityRequestResult\(560\) 3/],
    ['silent', /no list of securities within 300 ms/],
  ] as const) {
    const acceptor = await listenFix({
      port: 0,
      session: { ...session(), role: 'acceptor', senderCompID: EXCHANGE_DEFAULTS.compID, targetCompID: '' },
      application: {
        onLogon() {},
        onMessage(each, request) {
          if (answers[name] === undefined) return;
          const encoder = each.begin(MsgType.SecurityList, each.nowMs);
          encoder.ascii(Tag.SecurityReqID, request.ascii(request.find(Tag.SecurityReqID, 0)));
          encoder.ascii(Tag.SecurityResponseID, 'L');
          for (const [tag, value] of answers[name]) encoder.ascii(tag, value);
          each.send(each.nowMs);
        },
        onGap() {},
        onLogout() {},
      },
    });
    t.teardown(() => acceptor.close(''));
    const code = name === 'silent' ? 'TIMED_OUT' : 'INSTRUMENTS_INVALID';
    await t.rejects(fetchSecurityList({ ...at(acceptor.port, name === 'silent' ? 300 : 10_000), session: session() }), {
      code,
      message,
    });
  }
});
