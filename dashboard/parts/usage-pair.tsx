import { cpuText, memoryText } from '../model/amounts.ts'
import type { Series } from '../server/usage.ts'
import { Chart } from './chart.tsx'

interface Props {
  /** What comes after CPU and Memory in their titles. */
  of?: string
  times: readonly number[]
  cpu: Series
  memory: Series
  without?: string | undefined
}

/** What something has used over time. */
export function UsagePair({ of = '', times, cpu, memory, without }: Props) {
  const chart = (name: string, values: Series, text: (value: number) => string) => (
    <Chart title={`${name}${of}`} times={times} lines={[{ label: name, values }]} text={text} without={without} />
  )
  return (
    <>
      {chart('CPU', cpu, cpuText)}
      {chart('Memory', memory, memoryText)}
    </>
  )
}
