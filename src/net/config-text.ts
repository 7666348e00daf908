import type { Config } from './config.ts';
import { CONFIG_FILE } from './config.ts';
import { environmentName, SETTING_NAMES, SETTINGS, type Setting, type SettingName } from './settings.ts';

const WIDTH = 96;

/** The example file: every setting, commented out, with its default. `npm run generate` writes it. */
export function renderExampleFile(): string {
  const head = [
    `# Outcry's settings. Copy this file to ${CONFIG_FILE} in the directory that Outcry is started in, or name it with --config`,
    '# or OUTCRY_CONFIG, and take the # from the lines that you want to change. Each can be set in the environment as well:',
    '# tick_ms is OUTCRY_TICK_MS there, and the environment wins. `outcry config` shows what is in force and why.',
    '# Made by scripts/generate-config.ts from src/net/settings.ts: change it there.',
  ];
  const entries = SETTING_NAMES.map((name) => {
    const setting: Setting = SETTINGS[name];
    const doc = wrap(setting.doc, WIDTH).map((line) => `# ${line}`);
    return [
      ...doc,
      `# Allowed: ${rule(setting)}. Environment: ${environmentName(name)}.`,
      `# ${line(name, setting.default)}`,
    ];
  });
  return `${[head, ...entries].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** What `outcry config --help` appends: every setting with its variable, rule, default and meaning. */
export function renderSettingsHelp(): string {
  return SETTING_NAMES.map((name) => {
    const setting: Setting = SETTINGS[name];
    const head = `  ${name}  (${environmentName(name)}, default ${JSON.stringify(setting.default)})`;
    return [head, ...wrap(`${setting.doc} Allowed: ${rule(setting)}.`, WIDTH).map((text) => `      ${text}`)].join(
      '\n',
    );
  }).join('\n');
}

/** What `outcry config` prints: the values in force as a file that would give them, and where each came from. */
export function renderConfig(config: Config): string {
  const lines = SETTING_NAMES.map((name) => [line(name, config.values[name]), config.sources[name]] as const);
  const width = Math.max(...lines.map(([text]) => text.length));
  return `${lines.map(([text, source]) => `${text.padEnd(width)}  # ${source}`).join('\n')}\n`;
}

function line(name: SettingName, value: unknown): string {
  // A JSON string is a TOML basic string, and numbers and booleans are spelt alike.
  return `${name} = ${JSON.stringify(value)}`;
}

function rule(setting: Setting): string {
  return setting.unit === '' ? setting.allowed : `${setting.allowed} (${setting.unit})`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
