/** Commands that are no verbs like kubectl's, in the order of the help. */
export const otherCommands = ['up', 'down', 'status', 'image', 'plan', 'why', 'rebalance', 'snapshot', 'system', 'help']
