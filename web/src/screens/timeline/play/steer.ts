/** What a player is to do to show what the clock says. */
export interface Order {
  /** Jump by so many milliseconds of footage; null: no jump. */
  readonly jumpMs: number | null;
  /** How fast to play. */
  readonly rate: number;
}

/** Off by more, a player jumps; a jump costs it some tenths of a second. */
const JUMP_MS = 350;
/** Off by less, nobody sees it. */
const CLOSE_MS = 15;
/** In so many milliseconds of real time it shall have caught up. */
const CATCH_UP_MS = 1_500;
/** Sound and pictures stay natural within this share of the speed. */
const MOST = 0.15;
/** What browsers can play. */
const SLOWEST = 0.0625;
const FASTEST = 16;

/**
 * Decides how a player comes back to the clock.
 *
 * @param offMs how far the player is ahead of the clock, milliseconds of footage; negative: behind.
 * @param speed the clock's.
 * @param runs whether the clock goes on; where it stands, only the very picture will do.
 */
export function steered(offMs: number, speed: number, runs: boolean): Order {
  if (!runs) return { jumpMs: Math.abs(offMs) > CLOSE_MS ? -offMs : null, rate: speed };
  if (Math.abs(offMs) > JUMP_MS * Math.max(1, speed / 2)) return { jumpMs: -offMs, rate: speed };
  if (Math.abs(offMs) <= CLOSE_MS * Math.max(1, speed)) return { jumpMs: null, rate: bounded(speed) };
  const correction = Math.max(-MOST, Math.min(MOST, -offMs / (CATCH_UP_MS * speed)));
  return { jumpMs: null, rate: bounded(speed * (1 + correction)) };
}

function bounded(rate: number): number {
  return Math.max(SLOWEST, Math.min(FASTEST, rate));
}
