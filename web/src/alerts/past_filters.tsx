// What narrows the history down. It is in the address, so that a finding can be shared.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ALL_PAST, type Filter, filters, SINCE } from "./past_filter.ts";

interface PastFiltersProps {
  filter: Filter;
  /** Entries of the address; null takes one out. */
  onChange: (change: Record<string, string | null>) => void;
}

type Choice = Exclude<keyof Filter, "find" | "tag">;

/** A pause in the typing after which it is looked for. */
const PAUSE_MS = 300;

export function PastFilters({ filter, onChange }: PastFiltersProps) {
  const choice = (name: Choice, label: string, any: string, options: Readonly<Record<string, string>>) => (
    <select
      name={name}
      aria-label={label}
      value={filter[name]}
      onChange={(event) => onChange({ [name]: event.currentTarget.value || null })}
    >
      <option value="">{any}</option>
      {Object.entries(options).map(([value, words]) => (
        <option key={value} value={value}>
          {words}
        </option>
      ))}
    </select>
  );
  return (
    <search class="past-filters" aria-label="Of the history">
      <Typed
        name="find"
        label="Find in the history: host, rule, instance or metric"
        placeholder="Host, rule, instance or metric"
        stored={filter.find}
        onTyped={(find) => onChange({ find })}
      />
      <Typed
        name="tag"
        label="Only of hosts with the tag"
        placeholder="Tag"
        stored={filter.tag}
        onTyped={(tag) => onChange({ tag })}
      />
      {choice("level", "Severity", "Any severity", { warning: "warning", critical: "critical" })}
      {choice("state", "On or over", "On or over", { open: "still on", closed: "over" })}
      {choice("seen", "Acknowledged or not", "Acknowledged or not", { yes: "acknowledged", no: "not acknowledged" })}
      {choice("since", "How far back", "As far as it is kept", SINCE)}
      {filters(filter) && (
        <button type="button" class="quiet" onClick={() => onChange(ALL_PAST)}>
          Show all
        </button>
      )}
    </search>
  );
}

interface TypedProps {
  name: "find" | "tag";
  label: string;
  placeholder: string;
  stored: string;
  onTyped: (text: string | null) => void;
}

/** What is typed goes into the address once the typing pauses; what comes into the address otherwise is shown. */
function Typed({ name, label, placeholder, stored, onTyped }: TypedProps) {
  const typed = useSignal(stored);
  const told = useSignal(stored);
  if (told.peek() !== stored) {
    told.value = stored;
    typed.value = stored;
  }
  const text = typed.value.trim();
  useEffect(() => {
    if (text === told.peek()) return undefined;
    const timer = setTimeout(() => {
      told.value = text;
      onTyped(text || null);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <input
      type={(name === "find" ? "search" : "text") as "text"}
      name={name}
      aria-label={label}
      placeholder={placeholder}
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      maxLength={200}
      value={typed.value}
      onInput={(event) => {
        typed.value = event.currentTarget.value;
      }}
    />
  );
}
