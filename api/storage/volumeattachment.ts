import { validatePersistentVolumeSpec } from '../core/persistentvolume-validation.ts'
import type { VolumeAttachment, VolumeAttachmentSource, VolumeError } from '../generated/types.ts'
import { child, type FieldError, forbidden, invalid, required, tooLong } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { nameIsDNSSubdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource, type Validate } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateDriverName } from './driver-name.ts'

const validate: Validate<Stored<VolumeAttachment>> = (attachment, old) => [
  ...validateAttachment(attachment),
  ...(old ? immutable(attachment.spec, old.spec, 'spec') : []),
]

export const volumeAttachments = defineResource<Stored<VolumeAttachment>>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.storage.v1.VolumeAttachment'),
  validate,
  validateStatus: validate,
  strategy: { status: true, unconditionalUpdate: false, returnDeleted: true },
  columns: [
    nameColumn,
    {
      name: 'Attacher',
      type: 'string',
      format: 'name',
      description: 'The driver that attaches.',
      value: ({ spec }) => spec?.attacher ?? '',
    },
    {
      name: 'PV',
      type: 'string',
      description: 'The volume.',
      value: ({ spec }) => spec?.source?.persistentVolumeName ?? '',
    },
    { name: 'Node', type: 'string', description: 'Where it is attached.', value: ({ spec }) => spec?.nodeName ?? '' },
    {
      name: 'Attached',
      type: 'boolean',
      description: 'Whether the volume is attached.',
      value: ({ status }) => status?.attached ?? false,
    },
    ageColumn,
  ],
})

const maxMetadataBytes = 256 * 1024
const maxMessageBytes = 1024

function validateAttachment({ spec, status }: Stored<VolumeAttachment>): FieldError[] {
  const nodeName = spec?.nodeName ?? ''
  const volume = spec?.source?.persistentVolumeName
  return [
    ...validateDriverName(spec?.attacher, 'spec.attacher'),
    ...validateSource(spec?.source ?? {}, 'spec.source'),
    ...nameIsDNSSubdomain(nodeName, false).map((message) => invalid('spec.nodeName', nodeName, message)),
    ...validateMetadata(status?.attachmentMetadata ?? {}, 'status.attachmentMetadata'),
    ...validateVolumeError(status?.attachError, 'status.attachError'),
    ...validateVolumeError(status?.detachError, 'status.detachError'),
    ...(volume === undefined
      ? []
      : nameIsDNSSubdomain(volume, false).map((message) =>
          invalid('spec.source.persistentVolumeName', volume, message),
        )),
  ]
}

function validateSource(source: VolumeAttachmentSource, path: string): FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName } = source
  const oneOf = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (!inlineVolumeSpec && persistentVolumeName === undefined) return [required(path, oneOf)]
  if (inlineVolumeSpec && persistentVolumeName !== undefined) return [forbidden(path, oneOf)]
  if (persistentVolumeName === '') {
    return [required(child(path, 'persistentVolumeName'), 'must specify non empty persistentVolumeName')]
  }
  if (!inlineVolumeSpec) return []
  const options = { inline: true, allowInvalidAffinityValues: false }
  return validatePersistentVolumeSpec(inlineVolumeSpec, '', child(path, 'inlineVolumeSpec'), options)
}

function validateMetadata(metadata: Record<string, string>, path: string): FieldError[] {
  let bytes = 0
  for (const [name, value] of Object.entries(metadata)) bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  return bytes > maxMetadataBytes ? [tooLong(path, maxMetadataBytes)] : []
}

function validateVolumeError(error: VolumeError | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (Buffer.byteLength(error?.message ?? '') > maxMessageBytes) {
    // Upstream names the limit of the metadata here.
    errors.push(tooLong(child(path, 'message'), maxMetadataBytes))
  }
  if (error?.errorCode !== undefined && error.errorCode < 0) {
    errors.push(invalid(child(path, 'errorCode'), error.errorCode, 'must be between 0 and 2147483647, inclusive'))
  }
  return errors
}
