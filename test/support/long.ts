/** A test's size: the short one in the normal run, the full one in `npm run test:long`. */
export const sized = <T>(short: T, long: T): T => (process.env.BOXLEDGER_TEST_LONG === '1' ? long : short)
