// The pages that everybody finds in the header, or on a phone within reach of a thumb, in their order.
import type { ComponentType } from "preact";
import { AlertsIcon, CompareIcon, FleetIcon, SettingsIcon, SystemIcon } from "./icons.tsx";

export interface PageLink {
  href: string;
  name: string;
  Icon: ComponentType;
}

export const PAGES: readonly PageLink[] = [
  { href: "/", name: "Fleet", Icon: FleetIcon },
  { href: "/compare", name: "Compare", Icon: CompareIcon },
  { href: "/alerts", name: "Alerts", Icon: AlertsIcon },
  { href: "/system", name: "System", Icon: SystemIcon },
  { href: "/settings", name: "Settings", Icon: SettingsIcon },
];
