// Why a host has no samples where a chart shows a gap: asked for by family, when a gap is seen.
import { batch, computed, untracked } from "@preact/signals";
import { get } from "../api/client.ts";
import { type Loader, loader } from "../api/loading.ts";
import type { Gap, Gaps } from "../api/types.gen.ts";
import type { ChartMark } from "../charts/marks.ts";
import type { Reasons } from "../charts/source.ts";
import { bounds, type Window } from "../charts/window.ts";
import { now } from "../live/session.ts";
import type { View } from "./view.ts";

/** While charts follow the present, gaps are looked into again so often. */
const AGAIN_MS = 60_000;

export interface Why {
  of: (family: string) => Reasons;
  close: () => void;
}

interface Kept {
  reasons: Reasons;
  loader: Loader<Gaps>;
}

export function openWhy(host: string, { window, edge }: View): Why {
  const families = new Map<string, Kept>();

  function ask(family: string, signal: AbortSignal): Promise<Gaps> {
    const { from, to } = bounds(window.peek(), edge.peek());
    const query = new URLSearchParams({ from: String(Math.floor(from)), to: String(Math.ceil(to)), family });
    return get<Gaps>(`/hosts/${encodeURIComponent(host)}/gaps?${query}`, signal);
  }

  function made(family: string): Kept {
    const asked = loader((signal) => ask(family, signal));
    let before: { window: Window; turn: number } | null = null;
    /** A chart calls it while it draws, which must not make it depend on what is asked here. */
    function want(): void {
      const shown = window.peek();
      const turn = shown.kind === "live" ? Math.floor(now.peek() / AGAIN_MS) : 0;
      if (before?.window === shown && before.turn === turn) return;
      before = { window: shown, turn };
      queueMicrotask(() => untracked(() => batch(asked.load)));
    }
    const known = computed(() => asked.state.value.value?.gaps.map(markOf) ?? NONE);
    return { reasons: { known, want }, loader: asked };
  }

  return {
    of(family) {
      const found = families.get(family) ?? made(family);
      families.set(family, found);
      return found.reasons;
    },
    close() {
      for (const { loader } of families.values()) loader.close();
    },
  };
}

const NONE: readonly ChartMark[] = [];

const markOf = ({ from, to, reasons }: Gap): ChartMark => ({
  time: from,
  end: to,
  kind: "gap",
  title: reasons[0]?.text ?? "",
  detail: reasons
    .slice(1)
    .map(({ text }) => text)
    .join("; "),
});
