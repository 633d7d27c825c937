// To the host before and after this one, by [ and ] or by links; range and view stay.
import { useEffect } from "preact/hooks";
import { fleet } from "../live/session.ts";
import { navigate, query } from "../router.ts";
import { BackIcon } from "../shell/icons.tsx";
import { neighboursOf } from "./neighbours.ts";

function hrefOf(id: string): string {
  const kept = new URLSearchParams(query.value);
  return `/hosts/${encodeURIComponent(id)}${kept.size > 0 ? `?${kept}` : ""}`;
}

export function Step({ id }: { id: string }) {
  const { previous, next } = neighboursOf(fleet.ids.value, id);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // Many keyboards have brackets behind AltGr, which counts as Ctrl and Alt on some systems.
      const plain = !(event.ctrlKey || event.metaKey || event.altKey);
      if (!plain && !event.getModifierState("AltGraph")) return;
      if ((event.target as Element).closest("input, select, textarea, dialog")) return;
      const to = event.key === "[" ? previous : event.key === "]" ? next : null;
      if (to === null) return;
      event.preventDefault();
      navigate(hrefOf(to));
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [previous, next]);
  if (previous === null || next === null) return null;
  return (
    <nav class="step" aria-label="Other hosts">
      <a href={hrefOf(previous)} title={`${previous} ([)`}>
        <BackIcon />
        <span class="hidden">Previous host, {previous}</span>
      </a>
      <a href={hrefOf(next)} title={`${next} (])`} class="onward">
        <BackIcon />
        <span class="hidden">Next host, {next}</span>
      </a>
    </nav>
  );
}
