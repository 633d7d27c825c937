// What a list of alerts alone does not say: that nothing fires, which is said only while it is known, or that nobody knows.
import type { ActiveAlert } from "../api/types.gen.ts";
import { known } from "../live/session.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { Nothing } from "../shell/states.tsx";
import { active } from "./data.ts";
import { fires } from "./transitions.ts";

export function Verdict({ alerts }: { alerts: readonly ActiveAlert[] }) {
  const quiet = !alerts.some(fires);
  if (!known.value || active.state.value.error !== null)
    return (
      <Nothing>
        <StandingIcon standing="unknown" />
        {quiet ? "Nothing fired" : "These alerts fired"} when this was last known. What fires now is not known.
      </Nothing>
    );
  if (!quiet) return null;
  return (
    <Nothing>
      <span class="tone-up">
        <StandingIcon standing="up" />
      </span>
      {alerts.length === 0
        ? "Nothing fires: no rule finds anything wrong."
        : "Nothing fires. These alerts wait to see whether it lasts, or for samples:"}
    </Nothing>
  );
}
