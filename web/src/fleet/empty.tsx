// What a fleet without hosts shows, and the invitation that a small fleet carries: how hosts come to be here.

export function FirstHost() {
  return (
    <div class="empty first">
      <h1>No host has reported yet</h1>
      <p>
        A host appears here by itself, within seconds of its agent's first sample. <code>sonde up</code> starts an agent
        on this machine.
      </p>
      <HowTo />
      <p>
        Nothing after half a minute? <code>sonde doctor</code> checks every link from the agent to this page and names
        the broken one.
      </p>
    </div>
  );
}

/** The last place among the cards of a fleet that is just beginning. */
export function AnotherHost() {
  return (
    <li class="invitation">
      <h2>Watch another machine</h2>
      <HowTo />
      <p>It appears here by itself with its first sample.</p>
    </li>
  );
}

function HowTo() {
  return (
    <>
      <p>Install Sonde on the other machine and start its agent with an address of the bus that it can reach:</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than its box must be scrolled by keys too */}
      <pre tabIndex={0}>
        <code>SONDE_NATS_URL=nats://…:4222 sonde agent</code>
      </pre>
    </>
  );
}
