/**
 * `/bin/boxledger-agent` of a guest, for the perl of Debian's perl-base: runs programs for whoever is at the other end
 * of a channel. A channel is a stream of bytes, either a port of the virtio-serial device named
 * `boxledger.vsock.1024.N` or a connection to port 1024 of the vsock device; each is one session, and what a session
 * has started ends with it.
 *
 * What goes over a channel is frames: a letter, the number of the execution and the length of what follows, both 32
 * bits and big-endian. Words within are ended by NUL.
 *
 *     to the guest                                    from the guest
 *     x  user, workdir, terminal, N, N variables,     h  version of this, once at the beginning
 *        arguments                                    s  the process is there; its number
 *     i  input                                        o  standard output
 *     e  end of the input                             r  standard error
 *     k  name of a signal for its process group       c  input that was taken, in bytes
 *     w  columns, rows                                x  exit code, number of the signal
 *     c  'o' or 'r', output that was taken, in bytes
 *     d  kill it, with all that it has started
 *     z  '1': a snapshot is made; '0': it is over    z  the same, so that it is known to be heard
 *     b  what it is to know after a restore, see     b  what of it failed, in words; empty if nothing
 *        agent-renewal.ts
 *
 * Of each stream at most `window` bytes are under way: more is not read from the program, or not sent, until the other
 * side has taken some. So one execution that nobody reads holds up no other.
 *
 * While a snapshot is made what runs is told to stay: in a VM that goes on from there the other end of the channel is
 * gone, and what has been started is not ended with the session.
 */
export const agentVersion = 1

/** Bytes of a stream that may be sent before any are taken. */
export const window = 256 << 10

/** Bytes of a frame's content at most. */
export const longestFrame = 1 << 20

/** Port of the vsock device at which the agent listens. */
export const agentPort = 1024
