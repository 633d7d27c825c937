// What fires now, each with what happened around its beginning.
import type { ActiveAlert } from "../api/types.gen.ts";
import { Loaded } from "../shell/loaded.tsx";
import { ActiveList } from "./active.tsx";
import { active, ruleBodies } from "./data.ts";
import { Moment } from "./moment.tsx";
import { Verdict } from "./verdict.tsx";

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
