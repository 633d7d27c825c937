// A chart's legend: a line a part or instance with its value at the cursor, or the latest one. Parts that are zero all the
// time are left out until they are asked for, and so is all that does not fit in one line.
import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { quantity, recent } from "../format.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { type LegendLine, type Model, type Paint, readingsAt } from "./model.ts";

interface LegendProps {
  unit: string;
  drawn: ReadonlySignal<Model | null>;
  /** Index of the time under the cursor. */
  cursor: ReadonlySignal<number | null>;
  /** Key of the only line drawn. */
  solo: Signal<string | null>;
  /** What else there is under the cursor; empty: nothing. */
  note: ReadonlySignal<string>;
}

export function Legend({ unit, drawn, cursor, solo, note }: LegendProps) {
  const open = useSignal(false);
  const lines = drawn.value?.legend ?? [];
  const busy = lines.filter((line) => !line.idle);
  // Where nothing at all happens, that is what there is to say.
  const shown = open.value || busy.length === 0 ? lines : busy;
  const hidden = lines.length - shown.length;
  const time = cursor.value === null ? undefined : drawn.value?.times[cursor.value];
  return (
    <div class={`legend ${open.value ? "open" : ""}`}>
      <ul>
        {shown.map((line) => (
          <Line key={line.key} line={line} unit={unit} cursor={cursor} solo={solo} />
        ))}
      </ul>
      {time !== undefined && (
        <span class="at">
          {recent(time, now.peek())}
          {note.value && <b>{note.value}</b>}
        </span>
      )}
      {(hidden > 0 || open.value || shown.length > FEW) && (
        <button
          type="button"
          class="more"
          aria-expanded={open.value}
          title={open.value ? "Show one line" : "Show all, also what is zero all the time"}
          onClick={() => {
            open.value = !open.value;
          }}
        >
          {open.value ? "less" : hidden > 0 ? `+${hidden}` : "all"}
        </button>
      )}
    </div>
  );
}

/** So many lines are sure to fit. */
const FEW = 3;

function Line({ line, unit, cursor, solo }: Omit<LegendProps, "drawn" | "note"> & { line: LegendLine }) {
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

const Swatch = ({ paint: { color, pale } }: { paint: Paint }) => (
  <i class={pale ? "pale" : ""} style={{ background: color < 0 ? "var(--text)" : `var(--c${(color % 8) + 1})` }} />
);
