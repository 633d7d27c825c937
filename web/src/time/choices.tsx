// Any other range: typed, or from one time to another; moving and stretching it; and by whose clocks times are told.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { bounds } from "../charts/window.ts";
import { duration, span } from "../format.ts";
import { now } from "../live/session.ts";
import type { ZoneChoice } from "../preferences.ts";
import { Field } from "../shell/field.tsx";
import { choiceOffset, chooseZone, hostZone, lastMoment, ZONE_WORDS, zoneChoice } from "./choice.ts";
import { EXAMPLES, endsTyped, parseTyped, type Typed } from "./typed.ts";
import type { TimeView } from "./view.ts";
import { timeZone } from "./zone.ts";
import { fieldOf } from "./zones.ts";
import "../style/choices.css";

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
  // Where there is no host its clocks cannot be chosen, and times are this browser's.
  const chosen = zoneChoice.value === "host" && !ofHost ? "local" : zoneChoice.value;
  const at = lastMoment(view.window.value);
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
      <Ends view={view} onDone={onDone} />
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
        <legend>Time zone</legend>
        {(Object.keys(ZONE_WORDS) as ZoneChoice[])
          .filter((choice) => choice !== "host" || ofHost)
          .map((choice) => (
            <label key={choice}>
              <input
                type="radio"
                name="zone"
                checked={chosen === choice}
                disabled={choice === "host" && !hostZone.value}
                onChange={() => chooseZone(choice)}
              />
              {ZONE_WORDS[choice]}
              <small>{choice === "host" && !hostZone.value ? "not known" : choiceOffset(choice, at)}</small>
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

/** The two ends as a calendar asks for them. What is typed is a draft until it is shown. */
function Ends({ view, onDone }: Pick<ChoicesProps, "view" | "onDone">) {
  const draft = useSignal({ from: "", to: "" });
  const wrong = useSignal("");
  // Moved and stretched by the buttons below, or told by other clocks.
  useSignalEffect(() => {
    draft.value = endsOf(view);
  });
  function take(event: Event): void {
    event.preventDefault();
    const range = endsTyped(draft.value.from, draft.value.to, now.peek(), timeZone.peek());
    wrong.value = range.kind === "wrong" ? range.why : "";
    if (range.kind !== "fixed") return;
    view.between(range.from, range.to);
    onDone();
  }
  const end = (name: "from" | "to") => (
    <input
      type="datetime-local"
      step={1}
      value={draft.value[name]}
      onInput={(event) => {
        draft.value = { ...draft.value, [name]: event.currentTarget.value };
        wrong.value = "";
      }}
    />
  );
  return (
    <form class="range-ends" noValidate onSubmit={take}>
      <Field label="From" error={wrong.value || undefined}>
        {end("from")}
      </Field>
      <Field label="To">
        {end("to")}
        <button type="submit" aria-label="Show these times">
          Show
        </button>
      </Field>
    </form>
  );
}

/** The ends of what is shown, as they are now: the fields of a window that follows the present hold still. */
function endsOf({ window, edge }: TimeView): { from: string; to: string } {
  const { from, to } = bounds(window.value, edge.peek());
  return { from: fieldOf(from, timeZone.value), to: fieldOf(to, timeZone.value) };
}
