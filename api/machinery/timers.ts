/** As long as a timer of Node can take, in milliseconds: 24.8 days. One that is to take longer takes none. */
export const maxTimerMs = 2 ** 31 - 1
