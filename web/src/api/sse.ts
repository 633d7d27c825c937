// Server-sent events out of arriving text, as the HTML standard has it. Pure: feed it chunks, it hands back events.

export interface ServerEvent {
  name: string;
  data: string;
}

/** A parser that keeps what is not complete yet. Comments (the heartbeat) yield nothing. */
export function eventParser(): (chunk: string) => ServerEvent[] {
  let rest = "";
  let name = "";
  let data: string[] = [];
  return (chunk) => {
    const events: ServerEvent[] = [];
    // A CR at the end may be the first half of CRLF: it waits for the next chunk.
    const text = rest + chunk;
    const complete = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, complete).split(/\r\n|\n|\r/);
    rest = (lines.pop() as string) + text.slice(complete);
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) events.push({ name: name || "message", data: data.join("\n") });
        name = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") name = value;
      else if (field === "data") data.push(value);
    }
    return events;
  };
}

/** Milliseconds to wait before attempt number `attempt` (from 0): doubling to 30 s, spread so that viewers do not return as one. */
export function reconnectDelay(attempt: number, random: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(attempt, 10)) * (0.5 + random / 2);
}
