// Some of the channels that there are, to be ticked.
import { useId } from "preact/hooks";
import { channels } from "../alerts/channels.ts";

interface ChannelChoiceProps {
  legend: string;
  /** Their ids, in the order in which they were chosen. */
  chosen: readonly string[];
  error: string | undefined;
  onChange: (chosen: string[]) => void;
}

export function ChannelChoice({ legend, chosen, error, onChange }: ChannelChoiceProps) {
  const id = useId();
  const there = channels.state.value.value?.channels.map(({ channel }) => channel) ?? [];
  const known = new Set(there.map((channel) => channel.id));
  const all = [
    ...there,
    ...chosen.filter((one) => !known.has(one)).map((one) => ({ id: one, name: `${one}, unknown` })),
  ];
  return (
    <fieldset class="pair wide-field" aria-describedby={error ? id : undefined}>
      <legend>{legend}</legend>
      {all.length === 0 && <p class="hint wide-field">There is no channel yet: nobody is told.</p>}
      {all.map((channel, index) => (
        <label key={channel.id} class="check">
          <input
            type="checkbox"
            aria-invalid={error && index === 0 ? "true" : undefined}
            checked={chosen.includes(channel.id)}
            onChange={(event) => {
              const others = chosen.filter((one) => one !== channel.id);
              onChange(event.currentTarget.checked ? [...others, channel.id] : others);
            }}
          />
          {channel.name}
        </label>
      ))}
      {error && (
        <p class="error wide-field" id={id}>
          {error}
        </p>
      )}
    </fieldset>
  );
}
