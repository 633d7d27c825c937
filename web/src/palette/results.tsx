// What the palette finds.
import { useEffect, useMemo } from "preact/hooks";
import { hasAccount } from "../login/me.ts";
import { Action } from "../shell/allowed.tsx";
import { StandingIcon } from "../shell/icons.tsx";
import { views } from "../views/data.ts";
import { allCommands } from "./all.ts";
import { type Command, find } from "./commands.ts";

interface ResultsProps {
  text: string;
  /** There is something to choose from. */
  onThere: () => void;
  /** Something was chosen. */
  onDone: () => void;
}

export function Results({ text, onThere, onDone }: ResultsProps) {
  // As things are when it is opened: what moves under a finger is not what was meant.
  const saved = views.state.value.value;
  const all = useMemo(allCommands, [saved]);
  useEffect(() => {
    if (hasAccount()) views.load();
    onThere();
  }, []);
  const { commands, more } = find([...all, ...searchFor(text)], text);
  return (
    <div class="results">
      <ul>
        {commands.map((command, at) => (
          <li key={command.key} class={at === 0 ? "first" : ""}>
            <Choice
              command={command}
              titled={text.trim() !== "" || commands[at - 1]?.group !== command.group}
              onDone={onDone}
            />
          </li>
        ))}
      </ul>
      <p role="status" class="muted">
        {counted(commands.length, more)}
      </p>
    </div>
  );
}

/** What is typed may be meant for the fleet's own search. */
function searchFor(text: string): Command[] {
  const words = text.trim();
  if (words === "") return [];
  const href = `/?${new URLSearchParams({ q: words })}`;
  return [
    { key: "search", group: "Actions", words: `Search the fleet for “${words}”`, also: words.split(/\s+/), href },
  ];
}

function counted(shown: number, more: number): string {
  if (shown === 0) return "No match.";
  return more > 0 ? `${shown} shown, ${more} more: type to find them.` : `${shown} found.`;
}

interface ChoiceProps {
  command: Command;
  /** Whether it says of which group it is: where groups stand together, only the first one does. */
  titled: boolean;
  onDone: () => void;
}

function Choice({ command, titled, onDone }: ChoiceProps) {
  const { group, words, detail, standing, press, needs, href, act } = command;
  const inside = (
    <>
      {standing && <StandingIcon standing={standing} />}
      <span class="name">{words}</span>
      {detail && <small>{detail}</small>}
      {press && <kbd>{press}</kbd>}
      {titled && <small class="group">{group}</small>}
    </>
  );
  if (href !== undefined)
    return (
      <a href={href} class={standing ? `tone-${standing}` : ""} onClick={onDone}>
        {inside}
      </a>
    );
  const run = () => {
    onDone();
    act?.();
  };
  if (needs)
    return (
      <Action needs={needs} class="quiet" onClick={run}>
        {inside}
      </Action>
    );
  return (
    <button type="button" class="quiet" onClick={run}>
      {inside}
    </button>
  );
}

// It is there with what opens it: the gateway may be away by then.
export { LeavingDialog } from "../login/leaving.tsx";
