const PTY = 'a serial port as a pty: Node cannot make one'

/**
 * What of the recordings the emulator does not repeat, with the reason for each. A key is what a step's name, as
 * the replay prints it, begins with.
 */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'create-and-boot-configs: serial Pty:': PTY,
}
