// When to try again, and what still counts as news. Pure.

/** A stream that carries no byte for so long is dead: the gateway sends a heartbeat every 2 s. */
export const STALLED_MS = 5000;
/** A stream that ends sooner than this is no reason to start over with short waits. */
export const STEADY_MS = 5000;
/** How often REST is asked while the stream is away. */
export const POLL_MS = 5000;
/** A poll that takes longer has failed. */
export const POLL_DEADLINE_MS = 10_000;
/** How often the fleet is fetched while no tab is visible. */
export const REST_MS = 30_000;
/** No tab visible for so long, and the stream is let go. */
export const HIDDEN_MS = 30_000;

/** Milliseconds before attempt number `attempt` (from 0): doubling to 30 s, spread so that viewers do not return as one. */
export function reconnectDelay(attempt: number, random: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(attempt, 10)) * (0.5 + random / 2);
}

/** A `Retry-After` header of seconds as milliseconds, at most a minute; 0 where there is none that makes sense. */
export function retryAfter(header: string | null): number {
  const seconds = Number(header ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(60, seconds) * 1000 : 0;
}

/**
 * How long until REST is asked again: 5 s, but never so often that asking takes more than a tenth of the time.
 * A failure doubles the wait, to half a minute at most.
 */
export function pollDelay(took_ms: number, failures: number): number {
  return Math.min(30_000, Math.max(POLL_MS, 10 * took_ms) * 2 ** Math.min(failures, 3));
}

/**
 * Whether what was heard at `heard` still says how hosts are. `poll_ms`: the pause between two polls while they stand in for
 * the stream, null otherwise. Polled news is as old as the poll before it, and the next one may take a while.
 */
export function isFresh(heard: number | null, now: number, poll_ms: number | null): boolean {
  return heard !== null && now - heard < (poll_ms === null ? STALLED_MS : poll_ms + POLL_DEADLINE_MS);
}
