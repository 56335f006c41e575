/** A request that can be answered with 400 only; the message is what the answer says. */
export class ParseError extends Error {}
