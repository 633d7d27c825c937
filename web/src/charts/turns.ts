// Charts draw in turns, one in each frame of the screen: all of a page at once would hold it up.

const waiting = new Set<() => void>();

function next(): void {
  const [draw] = waiting;
  if (!draw) return;
  waiting.delete(draw);
  if (waiting.size > 0) requestAnimationFrame(next);
  draw();
}

/** Calls `draw` in a frame to come; asked for twice before, it is called once. */
export function takeTurn(draw: () => void): void {
  if (waiting.size === 0) requestAnimationFrame(next);
  waiting.add(draw);
}

/** Calls it no more. */
export function giveUpTurn(draw: () => void): void {
  waiting.delete(draw);
}
