/** Where a server gives a snapshot of all that it stores: a path of no resource, for it is more than any kind. */
export const snapshotPath = '/gantry/snapshot'
