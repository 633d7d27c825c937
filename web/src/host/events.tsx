// What happened in the range of the charts, as a list: what the marks on the charts stand for.
import type { Loader } from "../api/loading.ts";
import type { Marks } from "../api/types.gen.ts";
import { type ChartMark, toneOf } from "../charts/marks.ts";
import type { Reasons } from "../charts/source.ts";
import { bounds } from "../charts/window.ts";
import { duration, moment, recent } from "../format.ts";
import { now } from "../live/session.ts";
import { Failed } from "../shell/states.tsx";
import { stretchAround } from "./around.ts";
import type { View } from "./view.ts";
import "../style/events.css";

/** A gap shorter than such a part of the range is hardly seen, and of those there may be hundreds. */
const LEAST_SHARE = 200;

interface EventsProps {
  marks: Loader<Marks>;
  /** Why there are gaps in the charts. */
  gaps: Reasons;
  view: View;
}

export function Events({ marks, gaps, view }: EventsProps) {
  const { value, loading, error, refused } = marks.state.value;
  const { from, to } = bounds(view.window.value, now.peek());
  const missing = gaps.known.value
    .filter((gap) => ((gap.end ?? to) - gap.time) * LEAST_SHARE > to - from)
    .map((gap) => ({
      ...gap,
      title: `No samples: ${gap.title}`,
      detail: gap.detail ?? "",
    }));
  const list: Told[] = [...(value?.marks ?? []), ...missing].sort((one, other) => other.time - one.time);
  return (
    <section class="events panel" aria-labelledby="events" aria-busy={loading}>
      <header>
        <h2 id="events">Events</h2>
        <span class="resolution">{value?.more ? `the last ${value.marks.length} in this range` : "in this range"}</span>
      </header>
      {error && (
        <Failed what="What happened" error={error} stale={value !== null} retried={!refused} onRetry={marks.load} />
      )}
      {value && list.length === 0 && <p class="muted">Nothing happened in this range</p>}
      <ul>
        {list.map((mark) => (
          <Event key={`${mark.kind} ${mark.time} ${mark.ref} ${mark.title}`} mark={mark} view={view} />
        ))}
      </ul>
    </section>
  );
}

/** A mark, or a gap. */
type Told = ChartMark & { detail: string; ref?: string };

function Event({ mark, view }: { mark: Told; view: View }) {
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
