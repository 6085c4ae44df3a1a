/** Ends the process with the code that `run` resolves to, or says why it failed and ends with 1. */
export function exitWith(run: Promise<number>): void {
  run.then(
    (code) => {
      // Not process.exit: what has been written must reach its pipe.
      process.exitCode = code
    },
    (error: unknown) => {
      process.stderr.write(`gantry: ${error instanceof Error ? error.message : String(error)}\n`)
      // Whatever still runs here must not keep a process that has failed.
      process.exit(1)
    },
  )
}
