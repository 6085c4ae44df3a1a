/** Whole numbers that a template writes are bigints: Go has another type for them than for those of objects. */
export type Literal = string | number | bigint | boolean | null

/** What has a value. `at` is where in the template it stands. */
export type Operand =
  | { type: 'literal'; value: Literal; at: number }
  | { type: 'dot'; at: number }
  | { type: 'fields'; of: Operand | undefined; names: readonly string[]; at: number }
  | { type: 'variable'; name: string; at: number }
  | { type: 'call'; name: string; args: readonly Operand[]; at: number }
  | { type: 'pipeline'; pipeline: Pipeline; at: number }

/** Each command gets the value of the one before as its last argument. */
export interface Pipeline {
  commands: readonly Operand[]
  /** Variables that are made, or set. */
  variables: readonly string[]
  sets: boolean
  at: number
}

/** What goes on with its body, or with what follows `else`. */
export interface Control {
  type: 'if' | 'with' | 'range'
  pipeline: Pipeline
  body: readonly Node[]
  otherwise: readonly Node[]
}

export type Node =
  | { type: 'text'; text: string }
  | { type: 'print'; pipeline: Pipeline }
  | Control
  | { type: 'template'; name: string; pipeline: Pipeline | undefined; at: number }
  | { type: 'break' }
  | { type: 'continue' }

export interface Parsed {
  text: string
  body: readonly Node[]
  /** Those of `define` and `block`. */
  named: ReadonlyMap<string, readonly Node[]>
}
