import type { Container, HTTPGetAction, LifecycleHandler, Probe } from '../../generated/types.ts'
import { type FieldError, forbidden, invalid, required } from '../../machinery/field-errors.ts'
import { isHTTPHeaderName } from '../../machinery/names.ts'
import { addInvalid, checkChoice, checkNonNegative, checkPort } from './checks.ts'

/** Probes and lifecycle handlers of a container that keeps running (a regular one or a sidecar). */
export function validateLifeSigns(
  errors: FieldError[],
  container: Container,
  graceSeconds: number | undefined,
  path: string,
): void {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container
  if (lifecycle) {
    if (lifecycle.postStart) {
      validateHandler(errors, lifecycle.postStart, graceSeconds, `${path}.lifecycle.postStart`)
    }
    if (lifecycle.preStop) validateHandler(errors, lifecycle.preStop, graceSeconds, `${path}.lifecycle.preStop`)
  }
  if (livenessProbe) validateRestartingProbe(errors, livenessProbe, graceSeconds, `${path}.livenessProbe`)
  if (readinessProbe) {
    const probePath = `${path}.readinessProbe`
    validateProbe(errors, readinessProbe, graceSeconds, probePath)
    const seconds = readinessProbe.terminationGracePeriodSeconds
    if (seconds !== undefined) {
      errors.push(invalid(`${probePath}.terminationGracePeriodSeconds`, seconds, 'must not be set for readinessProbes'))
    }
  }
  if (startupProbe) validateRestartingProbe(errors, startupProbe, graceSeconds, `${path}.startupProbe`)
}

/** What an init container that runs to its end may not have. */
export function forbidLifeSigns(errors: FieldError[], container: Container, path: string): void {
  for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[field]) {
      errors.push(forbidden(`${path}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
    }
  }
}

function validateRestartingProbe(
  errors: FieldError[],
  probe: Probe,
  graceSeconds: number | undefined,
  path: string,
): void {
  validateProbe(errors, probe, graceSeconds, path)
  if (probe.successThreshold !== 1) {
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'))
  }
}

function validateProbe(errors: FieldError[], probe: Probe, graceSeconds: number | undefined, path: string): void {
  validateHandler(errors, probe, graceSeconds, path)
  checkNonNegative(errors, probe.initialDelaySeconds, path, 'initialDelaySeconds')
  checkNonNegative(errors, probe.timeoutSeconds, path, 'timeoutSeconds')
  checkNonNegative(errors, probe.periodSeconds, path, 'periodSeconds')
  checkNonNegative(errors, probe.successThreshold, path, 'successThreshold')
  checkNonNegative(errors, probe.failureThreshold, path, 'failureThreshold')
  const seconds = probe.terminationGracePeriodSeconds
  if (seconds !== undefined && seconds <= 0) {
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, seconds, 'must be greater than 0'))
  }
}

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>

function validateHandler(errors: FieldError[], handler: Handler, graceSeconds: number | undefined, path: string): void {
  let handlers = 0
  const isFirst = (type: string): boolean => {
    if (handlers++ === 0) return true
    errors.push(forbidden(`${path}.${type}`, 'may not specify more than 1 handler type'))
    return false
  }
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  if (exec && isFirst('exec') && !exec.command?.length) errors.push(required(`${path}.exec.command`))
  if (httpGet && isFirst('httpGet')) validateHttpGet(errors, httpGet, `${path}.httpGet`)
  if (tcpSocket && isFirst('tcpSocket')) checkPort(errors, tcpSocket.port, `${path}.tcpSocket.port`)
  if (grpc && isFirst('grpc')) checkPort(errors, grpc.port, `${path}.grpc.port`)
  if (
    sleep &&
    isFirst('sleep') &&
    graceSeconds !== undefined &&
    !(sleep.seconds >= 0 && sleep.seconds <= graceSeconds)
  ) {
    errors.push(
      invalid(
        `${path}.sleep`,
        sleep.seconds,
        `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
      ),
    )
  }
  if (handlers === 0) errors.push(required(path, 'must specify a handler type'))
}

const schemes = ['HTTP', 'HTTPS']

function validateHttpGet(errors: FieldError[], http: HTTPGetAction, path: string): void {
  if (!http.path) errors.push(required(`${path}.path`))
  checkPort(errors, http.port, `${path}.port`)
  checkChoice(errors, http.scheme ?? '', schemes, `${path}.scheme`)
  for (const { name = '' } of http.httpHeaders ?? []) {
    addInvalid(errors, `${path}.httpHeaders`, name, isHTTPHeaderName(name))
  }
}
