/** The name of our own sandbox image; no registry has it. */
export const pauseImageName = 'localhost/gantry/pause:1'
