// Which page opens first.
import { startPage } from "../preferences.ts";
import { views } from "./data.ts";
import { Unstored } from "./unstored.tsx";
import { addressHere, isSame, proposedName } from "./words.ts";

/** Which page opens first: the fleet, this one, or a saved one. */
export function StartChoice() {
  const here = addressHere(location);
  const all = views.state.value.value ?? [];
  const choices: [path: string, words: string][] = [
    ["/", "The fleet"],
    ...all.map((view): [string, string] => [view.path, view.name]),
  ];
  if (!choices.some(([path]) => isSame(path, here))) choices.push([here, `This page: ${proposedName(here)}`]);
  const now = startPage.value;
  if (!choices.some(([path]) => isSame(path, now))) choices.push([now, proposedName(now)]);
  return (
    <div class="start-page">
      <label>
        Opens first
        <select
          value={choices.find(([path]) => isSame(path, now))?.[0] ?? "/"}
          onChange={({ currentTarget: { value } }) => {
            startPage.value = value;
          }}
        >
          {choices.map(([path, words]) => (
            <option key={path} value={path}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <Unstored />
    </div>
  );
}
