// The keys of every page, for the list under `?`. What they do is done where they work. Pure.

export interface Key {
  /** One of them, or several at once joined by `+`, such as `Ctrl+K`. */
  keys: readonly string[];
  does: string;
}

export interface Place {
  where: string;
  keys: readonly Key[];
}

export const PLACES: readonly Place[] = [
  {
    where: "Everywhere",
    keys: [
      { keys: ["Ctrl+K"], does: "Find a page, host, view or action" },
      { keys: ["t"], does: "Colours: system, light, dark" },
      { keys: ["?"], does: "This list" },
      { keys: ["Esc"], does: "Close what is open, leave the wall" },
    ],
  },
  {
    where: "Fleet",
    keys: [
      { keys: ["/"], does: "Search" },
      { keys: ["j", "k"], does: "Next, previous host" },
      { keys: ["Enter"], does: "Open it" },
      { keys: ["x"], does: "Select it" },
      { keys: ["Shift+X"], does: "Select all from the last one to it" },
    ],
  },
  {
    where: "Charts",
    keys: [
      { keys: ["←", "→"], does: "Earlier, later" },
      { keys: ["+", "-"], does: "Zoom in, out" },
      { keys: ["Shift+Drag"], does: "Move the charts; two fingers move and stretch them" },
      { keys: ["Double click"], does: "Back to the range before" },
      { keys: ["l"], does: "Live, or hold still" },
      { keys: ["[", "]"], does: "Previous, next host" },
    ],
  },
];
