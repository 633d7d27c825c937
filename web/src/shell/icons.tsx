// Icons, drawn in the colour of their text. Each state has a shape of its own, so that colour is never the only sign.
import type { ComponentChildren } from "preact";
import type { Standing } from "../fleet/summary.ts";

export function Icon({ children, size = 16 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** How lines of icons are drawn. */
export const line = {
  fill: "none",
  stroke: "currentColor",
  "stroke-width": 1.6,
  "stroke-linecap": "round",
  "stroke-linejoin": "round",
} as const;

export const STANDING_WORDS: Record<Standing, string> = {
  critical: "Critical",
  offline: "Offline",
  warning: "Warning",
  late: "Late",
  unknown: "Unknown",
  up: "Up",
  archived: "Archived",
};

export function StandingIcon({ standing }: { standing: Standing }) {
  switch (standing) {
    case "critical":
      return (
        <Icon>
          <path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z" fill="currentColor" />
          <path d="M8 4.6v4M8 11.2v.1" {...line} stroke="var(--panel)" />
        </Icon>
      );
    case "warning":
      return (
        <Icon>
          <path d="M8 1.8 15 14H1z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" />
          <path d="M8 6v3.6M8 11.9v.1" {...line} stroke="var(--panel)" />
        </Icon>
      );
    case "offline":
      return (
        <Icon>
          <circle cx="8" cy="8" r="6" {...line} />
          <path d="m4 12 8-8" {...line} />
        </Icon>
      );
    case "late":
      return (
        <Icon>
          <circle cx="8" cy="8" r="6" {...line} />
          <path d="M8 4.8V8l2.2 1.6" {...line} />
        </Icon>
      );
    case "unknown":
      return (
        <Icon>
          <circle cx="8" cy="8" r="6" {...line} stroke-dasharray="2.6 2.1" />
          <path d="M6.3 6.4a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.9.6-.9 1.2M8 11.3v.1" {...line} />
        </Icon>
      );
    case "archived":
      return (
        <Icon>
          <path d="M1.8 3h12.4v3H1.8zM3 6v7h10V6M6.5 8.8h3" {...line} />
        </Icon>
      );
    default:
      return (
        <Icon>
          <circle cx="8" cy="8" r="6.8" fill="currentColor" />
          <path d="m5 8.2 2.1 2.1L11 6.2" {...line} stroke="var(--panel)" />
        </Icon>
      );
  }
}

export function ThemeIcon({ theme }: { theme: "system" | "light" | "dark" }) {
  if (theme === "dark")
    return (
      <Icon>
        <path d="M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z" {...line} />
      </Icon>
    );
  if (theme === "light")
    return (
      <Icon>
        <circle cx="8" cy="8" r="3" {...line} />
        <path
          d="M8 1.2v1.4M8 13.4v1.4M1.2 8h1.4M13.4 8h1.4M3.2 3.2l1 1M11.8 11.8l1 1M12.8 3.2l-1 1M4.2 11.8l-1 1"
          {...line}
        />
      </Icon>
    );
  return (
    <Icon>
      <rect x="1.8" y="2.5" width="12.4" height="8.5" rx="1.4" {...line} />
      <path d="M5.5 13.8h5" {...line} />
    </Icon>
  );
}

export const SearchIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4.5" {...line} />
    <path d="m10.5 10.5 3.5 3.5" {...line} />
  </Icon>
);
export const ClockIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6" {...line} />
    <path d="M8 4.6V8l2.4 1.4" {...line} />
  </Icon>
);
export const BackIcon = () => (
  <Icon>
    <path d="M10 3 5 8l5 5" {...line} />
  </Icon>
);
export const PlayIcon = () => (
  <Icon>
    <path d="M4.5 2.8v10.4L13 8z" fill="currentColor" />
  </Icon>
);
export const PauseIcon = () => (
  <Icon>
    <path d="M5 3v10M11 3v10" {...line} stroke-width={2.4} />
  </Icon>
);
export const BellIcon = () => (
  <Icon size={14}>
    <path d="M3.5 11.5c1-1 1-2.5 1-4.5a3.5 3.5 0 0 1 7 0c0 2 0 3.5 1 4.5zM6.8 13.8h2.4" {...line} />
  </Icon>
);
export const DownIcon = () => (
  <Icon size={12}>
    <path d="M8 2.5v11M3.5 9 8 13.5 12.5 9" {...line} />
  </Icon>
);
export const UpIcon = () => (
  <Icon size={12}>
    <path d="M8 13.5v-11M3.5 7 8 2.5 12.5 7" {...line} />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m4 4 8 8M12 4l-8 8" {...line} />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M8 3v10M3 8h10" {...line} />
  </Icon>
);

export const PersonIcon = () => (
  <Icon>
    <circle cx="8" cy="5.2" r="2.9" {...line} />
    <path d="M2.6 13.8a5.4 5.4 0 0 1 10.8 0" {...line} />
  </Icon>
);

export const SavedIcon = () => (
  <Icon>
    <path d="M4 2.2h8v11.6l-4-3.2-4 3.2z" {...line} />
  </Icon>
);
export const FleetIcon = () => (
  <Icon>
    <path d="M2 2.5h5v4.5H2zM9 2.5h5v4.5H9zM2 9h5v4.5H2zM9 9h5v4.5H9z" {...line} />
  </Icon>
);
export const CompareIcon = () => (
  <Icon>
    <path d="M2 12.5 5.5 7l3 2.5L14 3M2 6.5 5 4l4 8 5-3.5" {...line} />
  </Icon>
);
export const AlertsIcon = () => (
  <Icon>
    <path d="M3.5 11.5c1-1 1-2.5 1-4.5a3.5 3.5 0 0 1 7 0c0 2 0 3.5 1 4.5zM6.8 13.8h2.4" {...line} />
  </Icon>
);
export const SystemIcon = () => (
  <Icon>
    <path d="M2 8h3l1.5-4.5L9.5 12 11 8h3" {...line} />
  </Icon>
);
export const SettingsIcon = () => (
  <Icon>
    <path d="M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6" {...line} />
    <circle cx="10" cy="4.5" r="1.8" {...line} />
    <circle cx="6" cy="11.5" r="1.8" {...line} />
  </Icon>
);

/** The mark of Sonde: a pulse in a rounded square. */
export const Mark = () => (
  <svg class="mark" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path d="M5 18h5l3-9 5 15 3-9 1.5 3H27" />
  </svg>
);
