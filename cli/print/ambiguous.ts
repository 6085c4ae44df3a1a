const patterns: readonly RegExp[] = [
  /^$|^~$/,
  /^(?:null|true|false|t|f|y|n|yes|no|on|off)$/i,
  /^[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[\d_]+)$/,
  /^[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?$/,
  /^[+-]?[1-9][\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/,
  /^[+-]?(?:inf|infinity|nan|\.inf|\.nan)$/i,
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ].*)?$/,
]

/** Whether some reader of YAML would take a text without quotes for something else. */
export const isAmbiguous = (text: string): boolean => patterns.some((pattern) => pattern.test(text))
