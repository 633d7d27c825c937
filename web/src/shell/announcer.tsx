// Tells screen readers of changes of state, and of nothing else.

import { transitionText } from "../alerts/transitions.ts";
import { transition } from "../live/session.ts";

export function Announcer() {
  const latest = transition.value;
  return (
    <div class="hidden" role="status" aria-live="polite">
      {latest ? transitionText(latest) : ""}
    </div>
  );
}
