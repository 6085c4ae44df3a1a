/** A device, and a slice of a driver that has one, for tests. */
export const device = (more: object = {}) => ({ name: 'g0', ...more })

export const slice = (spec: object = {}) => ({
  metadata: { name: 's' },
  spec: {
    driver: 'd.example.com',
    nodeName: 'n',
    pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
    devices: [device()],
    ...spec,
  },
})
