// The views of a host: the overview, what concerns it, and everything of each family. Links, so that each has its address.
import { useEffect, useRef } from "preact/hooks";
import { active } from "../alerts/data.ts";
import { fires } from "../alerts/transitions.ts";
import { familyWord } from "../api/catalogue.ts";
import { path, query } from "../router.ts";
import { OWN_VIEWS } from "./view_names.ts";

const WORDS: Record<string, string> = { "": "Overview", alerts: "Alerts", settings: "Settings", agent: "Agent" };

/** This address with another view. */
export function viewHref(view: string): string {
  const next = new URLSearchParams(query.value);
  if (view) next.set("view", view);
  else next.delete("view");
  return `${path.value}${next.size > 0 ? `?${next}` : ""}`;
}

interface ViewsProps {
  host: string;
  current: string;
  /** Names of the families that the host has. */
  families: readonly string[];
}

export function Views({ host, current, families }: ViewsProps) {
  const alerts = active.state.value.value?.filter((alert) => alert.host === host && fires(alert)) ?? [];
  const worst = alerts.some((alert) => alert.severity === "critical") ? "critical" : "warning";
  const here = useRef<HTMLAnchorElement>(null);
  // On a phone there is room for a few of them.
  useEffect(() => here.current?.scrollIntoView({ block: "nearest", inline: "nearest" }), [current]);
  return (
    <nav class="views" aria-label="Views of this host">
      {["", ...OWN_VIEWS, ...families].map((view, at) => (
        <a
          key={view}
          ref={view === current ? here : null}
          href={viewHref(view)}
          class={at === OWN_VIEWS.length + 1 ? "first-family" : ""}
          aria-current={view === current ? "page" : undefined}
        >
          {WORDS[view] ?? familyWord(view)}
          {view === "alerts" && alerts.length > 0 && (
            <b class="count" style={{ "--tone": `var(--${worst})` }}>
              {alerts.length}
              <span class="hidden"> {worst}</span>
            </b>
          )}
        </a>
      ))}
    </nav>
  );
}
