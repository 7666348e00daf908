import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { OutcryError } from '../core/errors.ts';

/** Whom the server runs as. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Taken when we are root, in this order: PostgreSQL refuses to run as root, and is right. */
const USERS_BELOW_ROOT = ['postgres', 'nobody'];

/** Ourselves, or another where we are root: the owner of what is there already. */
export function chooseServerUser(clusterDirectory: string): ServerUser {
  const { uid, gid, username } = userInfo();
  if (uid !== 0) return { name: username, uid, gid };
  const known = passwd();
  const owner = statSync(clusterDirectory, { throwIfNoEntry: false })?.uid ?? 0;
  const chosen =
    owner === 0
      ? USERS_BELOW_ROOT.map((name) => known.find((user) => user.name === name)).find((user) => user !== undefined)
      : known.find((user) => user.uid === owner);
  if (chosen !== undefined) return chosen;
  const wanted = owner === 0 ? `none of the users ${USERS_BELOW_ROOT.join(', ')}` : `no user with the id ${owner}`;
  throw new OutcryError('LEDGER_UNREACHABLE', `PostgreSQL may not run as root, and this machine has ${wanted}`);
}

/** Raises LEDGER_UNREACHABLE, naming the directory, when `user` may not pass through to `path`. */
export function checkReachable(path: string, user: ServerUser): void {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const { mode, uid, gid } = statSync(directory);
    const search = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & search) === 0) {
      throw new OutcryError(
        'LEDGER_UNREACHABLE',
        `${directory} is closed to the user ${user.name}, who runs PostgreSQL because root may not: run Outcry as another user, keep it and its data_dir elsewhere, or set ledger_url`,
      );
    }
    if (directory === dirname(directory)) return;
  }
}

function passwd(): ServerUser[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name, , uid, gid]) => ({ name: name!, uid: Number(uid), gid: Number(gid) }));
}
