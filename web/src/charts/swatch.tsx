// The colour of a line beside its name.
import { COLORS } from "./ink.ts";
import type { Paint } from "./model.ts";

export const Swatch = ({ paint: { color, pale } }: { paint: Paint }) => (
  <i
    class={pale ? "swatch pale" : "swatch"}
    style={{ background: color < 0 ? "var(--text)" : `var(--c${(color % COLORS) + 1})` }}
  />
);
