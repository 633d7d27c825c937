// What happened in the range of the charts, as a list: what the marks on the charts stand for.
import type { Loader } from "../api/loading.ts";
import type { Mark, Marks } from "../api/types.gen.ts";
import { toneOf } from "../charts/marks.ts";
import { duration, moment, recent } from "../format.ts";
import { now } from "../live/session.ts";
import { Failed } from "../shell/states.tsx";
import { stretchAround } from "./around.ts";
import type { View } from "./view.ts";

export function Events({ marks, view }: { marks: Loader<Marks>; view: View }) {
  const { value, loading, error } = marks.state.value;
  const list = [...(value?.marks ?? [])].reverse();
  return (
    <section class="events panel" aria-labelledby="events" aria-busy={loading}>
      <header>
        <h2 id="events">Events</h2>
        <span class="resolution">{value?.more ? `the last ${list.length} in this range` : "in this range"}</span>
      </header>
      {error && <Failed what="What happened" error={error} stale={value !== null} onRetry={marks.load} />}
      {value && list.length === 0 && <p class="muted">Nothing happened in this range</p>}
      <ul>
        {list.map((mark) => (
          <Event key={`${mark.kind} ${mark.time} ${mark.ref} ${mark.title}`} mark={mark} view={view} />
        ))}
      </ul>
    </section>
  );
}

function Event({ mark, view }: { mark: Mark; view: View }) {
  const { time, end, title, detail, kind, ref } = mark;
  return (
    <li style={{ "--tone": `var(${toneOf(mark)})` }}>
      <button
        type="button"
        title={`${moment(time)}: show what was around it`}
        onClick={() => view.between(...stretchAround(mark, now.peek()))}
      >
        {recent(time, now.peek())}
      </button>
      <i class="sign" />
      <span>
        {kind === "alert" && ref ? <a href={`/alerts?incident=${ref}`}>{title}</a> : title}{" "}
        {detail && <small>{detail}</small>}
      </span>
      <small class="length">{end === null ? "goes on" : end > time ? duration((end - time) / 1000) : ""}</small>
    </li>
  );
}
