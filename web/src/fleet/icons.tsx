// Icons that only the fleet has.
import { Icon, line } from "../shell/icons.tsx";
import type { View } from "./view.ts";

export function ViewIcon({ view }: { view: View }) {
  if (view === "cards")
    return (
      <Icon>
        <path d="M2 2.5h5v4H2zM9 2.5h5v4H9zM2 9.5h5v4H2zM9 9.5h5v4H9z" {...line} />
      </Icon>
    );
  if (view === "table")
    return (
      <Icon>
        <path d="M2 3h12v10H2zM2 6.4h12M2 9.7h12M6 6.4V13" {...line} />
      </Icon>
    );
  return (
    <Icon>
      <path
        d="M2 2h3.2v3.2H2zM6.4 6.4h3.2v3.2H6.4zM10.8 2H14v3.2h-3.2zM2 10.8h3.2V14H2zM10.8 10.8H14V14h-3.2z"
        fill="currentColor"
      />
      <path
        d="M6.4 2h3.2v3.2H6.4zM2 6.4h3.2v3.2H2zM10.8 6.4H14v3.2h-3.2zM6.4 10.8h3.2V14H6.4z"
        fill="currentColor"
        opacity="0.4"
      />
    </Icon>
  );
}

/** A bell that is struck through. */
export const MutedIcon = () => (
  <Icon size={14}>
    <path d="M4.5 8.5c0-1 0-1.5.1-2A3.4 3.4 0 0 1 11.4 7c0 2 0 3.5 1 4.5H6M6.8 13.8h2.4M2.5 2.5l11 11" {...line} />
  </Icon>
);

export const ColumnsIcon = () => (
  <Icon>
    <path d="M2 3h12v10H2zM6 3v10M10 3v10" {...line} />
  </Icon>
);
export const CheckIcon = () => (
  <Icon>
    <path d="M2.5 3.5h11v9h-11zM5 8l2 2 4-4" {...line} />
  </Icon>
);
