/** The settings of a file for /etc/sysctl.d/, in its order. */
export function parseSysctlFile(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([a-z0-9_.]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) settings.set(match[1] as string, match[2] as string);
  }
  return settings;
}
