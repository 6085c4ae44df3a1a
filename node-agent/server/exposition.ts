/** A time as the kubelet's API writes it: whole seconds. */
export const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

/** Prometheus' text format, for samples that bear their own time. */
export class Exposition {
  text = ''

  family(name: string, type: 'counter' | 'gauge', help: string) {
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
    return (labels: Record<string, string>, value: number, timeMs?: number): void => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`)
      const time = timeMs === undefined ? '' : ` ${Math.round(timeMs)}`
      this.text += `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}${time}\n`
    }
  }
}
