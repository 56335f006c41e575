/**
 * What of the recordings the emulator does not repeat, with the reason for each. Keys are `scenario: label or call`.
 */
export const LEFT_OUT: Readonly<Record<string, string>> = {}
