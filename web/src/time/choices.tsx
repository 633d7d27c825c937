// Any other range: typed, or from one time to another; moving and stretching it; and by whose clocks times are told.
import { useComputed, useSignal } from "@preact/signals";
import { bounds } from "../charts/window.ts";
import { duration, span } from "../format.ts";
import { now } from "../live/session.ts";
import type { ZoneChoice } from "../preferences.ts";
import { Field } from "../shell/field.tsx";
import { choiceOffset, chooseZone, hostZone, ZONE_WORDS, zoneChoice } from "./choice.ts";
import { EXAMPLES, parseTyped, type Typed } from "./typed.ts";
import type { TimeView } from "./view.ts";
import { timeZone } from "./zone.ts";
import { fieldOf, fieldTime } from "./zones.ts";

const MOVES: [words: string, label: string, share: number, factor: number][] = [
  ["←", "Earlier (left arrow)", -0.5, 1],
  ["→", "Later (right arrow)", 0.5, 1],
  ["+", "Closer (+)", 0, 0.5],
  ["−", "Wider (-)", 0, 2],
];

interface ChoicesProps {
  view: TimeView;
  /** Whether it is about a host that may have told its own time zone. */
  ofHost: boolean;
  onDone: () => void;
}

export function Choices({ view, ofHost, onDone }: ChoicesProps) {
  const text = useSignal("");
  const typed = useComputed<Typed | null>(() =>
    text.value.trim() ? parseTyped(text.value, now.peek(), timeZone.value) : null,
  );
  const tried = useSignal(false);
  function take(event: Event): void {
    event.preventDefault();
    const range = typed.value;
    tried.value = true;
    if (!range || range.kind === "wrong") return;
    if (range.kind === "live") view.last(range.span_ms);
    else view.between(range.from, range.to);
    onDone();
  }
  const wrong = tried.value && typed.value?.kind === "wrong" ? typed.value.why : undefined;
  return (
    <>
      <form onSubmit={take}>
        <Field label="Range" error={wrong} hint={hintOf(typed.value)}>
          <input
            type="text"
            // biome-ignore lint/a11y/noAutofocus: it was opened to type in
            autoFocus
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            placeholder="yesterday 14:00-15:00"
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
              tried.value = false;
            }}
          />
          <button type="submit" class="primary">
            Show
          </button>
        </Field>
      </form>
      <Ends view={view} />
      <fieldset class="range-moves">
        <legend class="hidden">Move and stretch the range</legend>
        {MOVES.map(([words, label, share, factor]) => (
          <button
            key={label}
            type="button"
            title={label}
            aria-label={label.replace(/ \(.*/, "")}
            onClick={() => view.move(share, factor)}
          >
            {words}
          </button>
        ))}
      </fieldset>
      <fieldset class="zones">
        <legend>Times are told in</legend>
        {(Object.keys(ZONE_WORDS) as ZoneChoice[])
          .filter((choice) => choice !== "host" || ofHost)
          .map((choice) => (
            <label key={choice}>
              <input
                type="radio"
                name="zone"
                checked={zoneChoice.value === choice}
                disabled={choice === "host" && !hostZone.value}
                onChange={() => chooseZone(choice)}
              />
              {ZONE_WORDS[choice]}
              <small>{choice === "host" && !hostZone.value ? "not known" : choiceOffset(choice)}</small>
            </label>
          ))}
      </fieldset>
    </>
  );
}

/** What a text means, while it is typed. */
function hintOf(typed: Typed | null): string {
  if (typed === null || typed.kind === "wrong") return `Such as ${EXAMPLES.slice(0, 4).join(", ")}`;
  if (typed.kind === "live") return `The last ${duration(typed.span_ms / 1000)}, following the present`;
  return `${span(typed.from, typed.to, now.peek())}, ${duration((typed.to - typed.from) / 1000)}`;
}

/** The two ends as a calendar asks for them. */
function Ends({ view }: { view: TimeView }) {
  const wrong = useSignal("");
  const { from, to } = bounds(view.window.value, view.edge.value);
  const ends = { from: fieldOf(from, timeZone.value), to: fieldOf(to, timeZone.value) };
  function take(end: "from" | "to", value: string): void {
    const times = { from, to, [end]: fieldTime(value, timeZone.value) ?? Number.NaN };
    if (Number.isNaN(times[end])) return;
    wrong.value = times.from < times.to ? "" : "The end must be after the beginning";
    if (!wrong.value) view.show(times.from, times.to);
  }
  return (
    <div class="range-ends">
      <Field label="From" error={wrong.value || undefined}>
        <input
          type="datetime-local"
          step={1}
          value={ends.from}
          onChange={(event) => take("from", event.currentTarget.value)}
        />
      </Field>
      <Field label="To">
        <input
          type="datetime-local"
          step={1}
          value={ends.to}
          onChange={(event) => take("to", event.currentTarget.value)}
        />
      </Field>
    </div>
  );
}
