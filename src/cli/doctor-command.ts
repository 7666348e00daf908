import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { gatherFacts } from '../net/doctor/gather-facts.ts';
import { type Finding, judgeMachine, type Verdict } from '../net/doctor/judge-machine.ts';
import { parseSysctlFile } from '../net/doctor/sysctl-file.ts';
import { installed } from '../net/installation.ts';
import { loadCommandConfig } from './config-command.ts';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check this machine against what the configuration wants of it, and say what to change; exit code 1 when something fails, 0 with warnings',
    )
    .option('--json', 'as one JSON array of findings')
    .addHelpText(
      'after',
      '\nLimits are those of whoever asks: run it as the user and with the limits of the service.\n' +
        '\nExamples:\n  outcry doctor\n  outcry doctor --json | jq \'.[] | select(.verdict != "ok")\'',
    )
    .action((options: { json?: boolean }, command: Command) => {
      const config = loadCommandConfig(command);
      const sysctl = parseSysctlFile(readFileSync(installed('native-config/90-outcry.conf'), 'utf8'));
      const findings = judgeMachine(gatherFacts(config.dataDir, sysctl.keys()), config, sysctl);
      process.stdout.write(options.json ? `${JSON.stringify(findings, null, 2)}\n` : render(findings));
      if (findings.some(({ verdict }) => verdict === 'fail')) process.exitCode = 1;
    });
}

function render(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(width + 7);
  const lines = findings.flatMap(({ check, verdict, found, wanted, change, see }) => {
    const head = `${verdict.padEnd(4)}  ${check.padEnd(width)} `;
    if (verdict === 'ok') return [`${head}${found}`];
    return [`${head}${found}; wanted: ${wanted}`, `${indent}${change}`, `${indent}why: ${see}`];
  });
  const count = (verdict: Verdict): number => findings.filter((each) => each.verdict === verdict).length;
  return `${lines.join('\n')}\n${count('ok')} ok, ${count('warn')} to improve, ${count('fail')} failed\n`;
}
