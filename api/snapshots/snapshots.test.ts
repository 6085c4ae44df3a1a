import { describe, expect, it, test } from 'vitest'
import { cells, faults, statusFaults } from '../machinery/kind-testing.ts'
import { volumeSnapshots } from './volumesnapshot.ts'
import { volumeSnapshotClasses } from './volumesnapshotclass.ts'
import { volumeSnapshotContents } from './volumesnapshotcontent.ts'

const named = (more: object) => ({ metadata: { name: 'x', namespace: 'n' }, ...more })

test.each([
  ['a sound one', { driver: 'd', deletionPolicy: 'Retain' }, []],
  ['one of nobody', { deletionPolicy: 'Delete' }, ['driver: Required value']],
  [
    'an unknown policy',
    { driver: 'd', deletionPolicy: 'Keep' },
    ['deletionPolicy: Unsupported value: "Keep": supported values: "Delete", "Retain"'],
  ],
])('a class of snapshots: %s', (_, more, expected) => {
  expect(faults(volumeSnapshotClasses, named(more))).toEqual(expected)
})

describe('a snapshot', () => {
  const snapshot = (source: object, more: object = {}) => named({ spec: { source, ...more } })
  const ofClaim = snapshot({ persistentVolumeClaimName: 'data' })

  it.each([
    ['of a claim', ofClaim, []],
    ['that is there', snapshot({ volumeSnapshotContentName: 'c' }), []],
    [
      'of nothing',
      snapshot({}),
      [
        'spec.source: Invalid value: {}: exactly one of volumeSnapshotContentName and persistentVolumeClaimName must be set',
      ],
    ],
    [
      'of an empty class',
      snapshot({ persistentVolumeClaimName: 'data' }, { volumeSnapshotClassName: '' }),
      [
        'spec.volumeSnapshotClassName: Invalid value: "": volumeSnapshotClassName must not be the empty string when set',
      ],
    ],
  ])('%s', (_, given, expected) => {
    expect(faults(volumeSnapshots, given)).toEqual(expected)
  })

  it('is of the same for ever', () => {
    expect(faults(volumeSnapshots, snapshot({ persistentVolumeClaimName: 'other' }), ofClaim)).toEqual([
      'spec.source.persistentVolumeClaimName: Invalid value: "other": persistentVolumeClaimName is immutable',
    ])
    expect(faults(volumeSnapshots, snapshot({ volumeSnapshotContentName: 'c' }), ofClaim)).toEqual([
      'spec.source: Invalid value: {"volumeSnapshotContentName":"c"}: persistentVolumeClaimName is required once set',
    ])
  })

  it('is shown as the snapshotter’s own kind is', () => {
    const status = { readyToUse: true, restoreSize: '1Gi', boundVolumeSnapshotContentName: 'c' }
    expect(cells(volumeSnapshots, { ...ofClaim, status })).toMatchObject({
      ReadyToUse: true,
      SourcePVC: 'data',
      RestoreSize: '1Gi',
      SnapshotContent: 'c',
    })
  })
})

describe('the content of a snapshot', () => {
  const content = (more: object = {}) =>
    named({
      spec: {
        driver: 'd',
        deletionPolicy: 'Delete',
        source: { volumeHandle: 'v' },
        volumeSnapshotRef: { name: 'x', namespace: 'n' },
        ...more,
      },
    })
  it.each([
    ['a sound one', {}, []],
    [
      'of two things',
      { source: { volumeHandle: 'v', snapshotHandle: 's' } },
      [
        'spec.source: Invalid value: {"volumeHandle":"v","snapshotHandle":"s"}: exactly one of volumeHandle and snapshotHandle must be set',
      ],
    ],
    [
      'for nobody',
      { volumeSnapshotRef: { name: 'x' } },
      [
        'spec.volumeSnapshotRef: Invalid value: {"name":"x"}: both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set',
      ],
    ],
  ])('%s', (_, more, expected) => {
    expect(faults(volumeSnapshotContents, content(more))).toEqual(expected)
  })

  it('keeps the mode of its volume, and no negative size', () => {
    expect(
      faults(
        volumeSnapshotContents,
        content({ sourceVolumeMode: 'Block' }),
        content({ sourceVolumeMode: 'Filesystem' }),
      ),
    ).toEqual(['spec.sourceVolumeMode: Invalid value: "Block": sourceVolumeMode is immutable'])
    expect(statusFaults(volumeSnapshotContents, { ...content(), status: { restoreSize: -1 } }, content())).toEqual([
      'status.restoreSize: Invalid value: -1: should be greater than or equal to 0',
    ])
  })
})
