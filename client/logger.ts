import { type Logger as PinoLogger, pino } from 'pino'

/** Structured, one event a line. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>

/** A component's log, on standard error. */
export function makeLogger(component: string, level = 'info'): Logger {
  return pino(
    { level, base: { component }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  )
}

/** Says nothing: for tests. */
export const silentLogger: Logger = pino({ level: 'silent' })
