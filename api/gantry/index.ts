import { batches } from './batch.ts'
import { historyResources } from './history.ts'
import { keptLogs } from './kept-logs.ts'
import { transactions } from './transaction.ts'

/** By plural, as discovery shows them. */
export const gantryResources = [batches, ...historyResources, keptLogs, transactions]
