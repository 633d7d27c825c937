// A chart's legend: a line a part or instance with its value at the cursor, or the latest one. Parts that are zero all the
// time are left out until they are asked for, and so is all that does not fit in one line.
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Loading } from "../api/loading.ts";
import { quantity, recent } from "../format.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { lazy } from "../shell/lazy.tsx";
import type { RowStat } from "./legend_rows.ts";
import { type LatestWord, type LegendLine, type Model, readingsAt } from "./model.ts";
import { Swatch } from "./swatch.tsx";

const LegendTable = lazy("the values", async () => (await import("./legend_table.tsx")).LegendTable);

interface LegendProps {
  title: string;
  unit: string;
  drawn: ReadonlySignal<Model | null>;
  /** Index of the time under the cursor. */
  cursor: ReadonlySignal<number | null>;
  /** Key of the only line drawn. */
  solo: Signal<string | null>;
  /** What else there is under the cursor; empty: nothing. */
  note: ReadonlySignal<string>;
  /** Whether it is a table of all lines. */
  open: Signal<boolean>;
  stats: ReadonlySignal<Loading<readonly RowStat[]>> | null;
  /** What the values are that are shown while there is no cursor. */
  latest: LatestWord;
}

export function Legend(properties: LegendProps) {
  const { title, unit, drawn, cursor, solo, note, open } = properties;
  const lines = drawn.value?.legend ?? [];
  const busy = lines.filter((line) => !line.idle);
  // Where nothing at all happens, that is what there is to say.
  const shown = busy.length === 0 ? lines : busy;
  const hidden = lines.length - shown.length;
  const more = hidden > 0 ? `+${hidden}` : "all";
  const time = cursor.value === null ? undefined : drawn.value?.times[cursor.value];
  return (
    <div class={`legend ${open.value ? "open" : ""}`}>
      {open.value ? (
        <LegendTable {...properties} />
      ) : (
        <ul>
          {shown.map((line) => (
            <Line key={line.key} line={line} unit={unit} cursor={cursor} solo={solo} />
          ))}
        </ul>
      )}
      {time !== undefined && (
        <span class="at">
          {recent(time, now.peek())}
          {note.value && <b>{note.value}</b>}
        </span>
      )}
      <button
        type="button"
        class="more"
        aria-expanded={open.value}
        aria-label={
          open.value ? `less: values of ${title} in one line` : `${more}: all values and statistics of ${title}`
        }
        title={open.value ? "Show one line" : "All lines with their statistics"}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        {open.value ? "less" : more}
      </button>
    </div>
  );
}

function Line({ line, unit, cursor, solo }: Pick<LegendProps, "unit" | "cursor" | "solo"> & { line: LegendLine }) {
  const alone = solo.value === line.key;
  const readings = readingsAt(line, cursor.value);
  const [first] = readings;
  const apart = readings.some((one) => one.color !== first?.color || one.pale !== first?.pale);
  return (
    <li>
      <button
        type="button"
        aria-pressed={alone}
        title={alone ? "Show all" : `Show only ${line.name}`}
        onClick={() => {
          solo.value = alone ? null : line.key;
        }}
      >
        {!apart && first && <Swatch paint={first} />}
        <span>{line.name}</span>
        {readings.map((one) => {
          const number = quantity(one.value, unit, base());
          return (
            <b key={one.word}>
              {apart && <Swatch paint={one} />}
              {one.word && <small>{one.word}</small>}
              {number.value}
              <small>{number.unit}</small>
            </b>
          );
        })}
      </button>
    </li>
  );
}
