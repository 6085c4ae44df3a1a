import { historyResources } from './history.ts'
import { transactions } from './transaction.ts'

/** By plural, as discovery shows them. */
export const gantryResources = [...historyResources, transactions]
