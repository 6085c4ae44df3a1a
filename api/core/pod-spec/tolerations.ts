import type { Toleration } from '../../generated/types.ts'
import { type FieldError, invalid, notSupported } from '../../machinery/field-errors.ts'
import { isQualifiedName, isValidLabelValue } from '../../machinery/names.ts'
import { addInvalid, checkChoice } from './checks.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** Which taints a pod bears. `allowComparison` admits the operators Lt and Gt. */
export function validateTolerations(
  errors: FieldError[],
  tolerations: readonly Toleration[],
  path: string,
  allowComparison: boolean,
): void {
  for (let i = 0; i < tolerations.length; i++) {
    const { key, operator, effect, value = '', tolerationSeconds } = tolerations[i]!
    const at = `${path}[${i}]`
    if (key) addInvalid(errors, `${at}.key`, key, isQualifiedName(key))
    else if (operator !== 'Exists') {
      const rule = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      errors.push(invalid(`${at}.operator`, operator ?? '', rule))
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const rule = "effect must be 'NoExecute' when `tolerationSeconds` is set"
      errors.push(invalid(`${at}.effect`, effect ?? '', rule))
    }
    switch (operator) {
      case undefined:
      case '':
      case 'Equal': {
        const messages = isValidLabelValue(value)
        if (messages.length > 0) errors.push(invalid(`${at}.operator`, value, messages.join(';')))
        break
      }
      case 'Exists':
        if (value) errors.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"))
        break
      case 'Lt':
      case 'Gt':
        if (!allowComparison) {
          errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists', 'Lt', 'Gt']))
        } else if (!/^(0|-?[1-9][0-9]*)$/.test(value)) {
          errors.push(invalid(`${at}.value`, value, 'must be a valid decimal integer in canonical form'))
        }
        break
      default:
        errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']))
    }
    if (effect) checkChoice(errors, effect, effects, `${at}.effect`)
  }
}
