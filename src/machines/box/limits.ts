/** How long a start waits for its guest, in `ms`. */
export const guestReadyLimit = 60_000
