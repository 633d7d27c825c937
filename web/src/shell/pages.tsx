// The pages that everybody finds in the header, or on a phone within reach of a thumb, in their order.
import type { ComponentType } from "preact";
import { FLEET, PAGE_NAMES } from "../places.ts";
import { AlertsIcon, CompareIcon, FleetIcon, SettingsIcon, SystemIcon } from "./icons.tsx";

export interface PageLink {
  href: string;
  name: string;
  Icon: ComponentType;
}

export const PAGES: readonly PageLink[] = [
  { href: FLEET, name: PAGE_NAMES["/"], Icon: FleetIcon },
  { href: "/compare", name: PAGE_NAMES["/compare"], Icon: CompareIcon },
  { href: "/alerts", name: PAGE_NAMES["/alerts"], Icon: AlertsIcon },
  { href: "/system", name: PAGE_NAMES["/system"], Icon: SystemIcon },
  { href: "/settings", name: PAGE_NAMES["/settings"], Icon: SettingsIcon },
];
