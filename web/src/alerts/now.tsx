// What fires now. That nothing does is said only while that is known.
import type { ActiveAlert } from "../api/types.gen.ts";
import { known } from "../live/session.ts";
import { StandingIcon } from "../shell/icons.tsx";
import { Loaded } from "../shell/loaded.tsx";
import { Nothing } from "../shell/states.tsx";
import { ActiveList } from "./active.tsx";
import { active, ruleBodies } from "./data.ts";
import { Moment } from "./moment.tsx";
import { fires } from "./transitions.ts";

const drawn = (alert: ActiveAlert) => <Moment alert={alert} />;

export function Now() {
  return (
    <Loaded from={active} what="The active alerts">
      {(alerts) => (
        <>
          <Verdict alerts={alerts} />
          {alerts.length > 0 && <ActiveList alerts={alerts} rules={ruleBodies.value} beside={drawn} />}
        </>
      )}
    </Loaded>
  );
}

/** What the list alone does not say: that nothing fires, or that nobody knows. */
function Verdict({ alerts }: { alerts: readonly ActiveAlert[] }) {
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
