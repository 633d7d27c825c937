// What a fleet without hosts shows, and the invitation that a small fleet carries: how hosts come to be here.
import { useSignal } from "@preact/signals";
import { openAdding } from "../enrol/adding.ts";
import { Panel } from "../enrol/dialog.tsx";
import { Action } from "../shell/allowed.tsx";
import { CloseIcon } from "../shell/icons.tsx";
import "../style/fleet_empty.css";

export function FirstHost() {
  return (
    <div class="empty first">
      <h1>No host has reported yet</h1>
      <p>
        A host appears here by itself, within seconds of its agent's first sample. <code>sonde up</code> starts an agent
        on this machine; nothing after half a minute? <code>sonde doctor</code> names the broken link.
      </p>
    </div>
  );
}

/** "Add a machine" in the page itself, for a fleet that began without any. */
export function FirstMachine({ onClose }: { onClose: (() => void) | null }) {
  /** Number of machines that were added here: each gets a line of its own. */
  const turn = useSignal(0);
  return (
    <section class="panel first-machine" aria-labelledby="first-machine">
      <header>
        <h2 id="first-machine">Add a machine</h2>
        {onClose && (
          <button type="button" class="quiet" aria-label="Close" onClick={onClose}>
            <CloseIcon />
          </button>
        )}
      </header>
      <Panel
        key={turn.value}
        onAnother={() => {
          turn.value += 1;
        }}
      />
    </section>
  );
}

/** The last place among the cards of a fleet that is just beginning. */
export function AnotherHost() {
  return (
    <li class="invitation">
      <h2>Watch another machine</h2>
      <p>One line pasted there does it. It appears here by itself with its first sample.</p>
      <Action needs="admin" onClick={openAdding}>
        Add a machine
      </Action>
    </li>
  );
}
